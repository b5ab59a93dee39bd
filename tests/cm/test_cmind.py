"""What assay writes, read by CM itself; needs ``cmind`` (``pip install cmind==4.2.0``)."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from assay.base.settings import Settings
from assay.cm.artifact import EXPERIMENT
from assay.cm.names import Name
from assay.cm.repository import local_repository

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("cmind") is None, reason="cmind is not installed (pip install cmind==4.2.0)"
)

# CM has no code for experiments outside its big repository: "common" asks for the actions of every kind.
READER = """
import json, sys
import cmind

def ask(action, **more):
    asked = {"action": action, "automation": "experiment,a0a2d123ef064bcb", "common": True, **more}
    answer = cmind.access(asked)
    assert answer["return"] == 0, answer
    return answer

found = ask("search", tags="mlperf,-server")["list"]
loaded = ask("load", artifact="local:one")
ask("add", artifact="from-cm", tags="mlperf,made-by-cm")
ask("update", artifact="two", tags="seen")
names = [a.meta["alias"] for a in found]
print(json.dumps({"found": names, "loaded": loaded["meta"], "repo": found[0].repo_meta}))
"""


def test_cm_finds_loads_and_adds(tmp_path: Path) -> None:
    repository = local_repository(Settings(tmp_path))
    with repository.editing() as edit:
        one = edit.add(EXPERIMENT, "one", tags=("mlperf", "offline"), meta={"_assay": {"kept": [1, 2.5, None, "ü"]}})
        edit.add(EXPERIMENT, "two", tags=("mlperf", "server"))
    (tmp_path / "repos.json").write_text("[]")
    environment = {**os.environ, "CM_REPOS": str(tmp_path)}
    answer = subprocess.run(
        [sys.executable, "-c", READER],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    said = json.loads(answer.stdout.strip().splitlines()[-1])
    assert said["found"] == ["one"]
    assert said["loaded"] == one.meta
    assert said["repo"]["uid"] == "9a3280b14a4285c9"
    # And back: what CM wrote is read here.
    assert repository.load(EXPERIMENT, Name("from-cm")).tags == ("mlperf", "made-by-cm")
    assert "seen" in repository.load(EXPERIMENT, Name("two")).tags
