from __future__ import annotations

import json
import sys
from pathlib import Path

from .conftest import Call

MANIFEST = Path(__file__).parents[1] / "programs" / "stand-in.yaml"


def test_what_is_known_is_listed_and_shown(home: Path, call: Call) -> None:
    code, out, _ = call("implementations", "list", "--json")
    assert code == 0
    assert "mlcommons-reference-gptj" in {each["name"] for each in json.loads(out)}
    _, out, _ = call("implementations", "list")
    assert "mlcommons-reference-bert" in out
    _, out, _ = call("implementations", "show", "mlcommons-reference-dlrm-v2")
    assert "--samples-per-query-offline=204800" in out
    _, out, _ = call("implementations", "show", MANIFEST, "--json")
    assert json.loads(out)["name"] == "stand-in"


def test_what_it_needs_is_checked(home: Path, call: Call) -> None:
    code, out, _ = call("implementations", "check", MANIFEST, "--implementation-option", f"python={sys.executable}")
    assert code == 0
    assert "all that it needs is there" in out
    code, _, err = call("implementations", "check", "mlcommons-reference-bert", "--implementation-dir", home.parent)
    assert code == 3
    assert "the program of mlcommons-reference-bert is not here" in err


def test_building_runs_its_commands(home: Path, call: Call, tmp_path: Path) -> None:
    text = MANIFEST.read_text() + "build:\n  - [sh, -c, 'echo made > made.txt']\n"
    (tmp_path / "stand-in.yaml").write_text(text)
    words = ("--implementation-option", f"python={sys.executable}")
    code, out, err = call("implementations", "build", tmp_path / "stand-in.yaml", *words)
    assert code == 0, err
    assert "built" in out
    assert (tmp_path / "made.txt").is_file()
    assert "nothing to build" in call("implementations", "build", MANIFEST, *words)[1]
