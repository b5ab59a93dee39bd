from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from assay.base.diagnosis import Diagnosis, missing, ok, warning
from assay.base.settings import Settings
from assay.cli import doctor as module
from assay.cli.doctor import examine, unfinished_runs
from assay.cli.main import run
from assay.errors import InvalidInputError
from assay.loadgen.runs import OWNER_FILE


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def diagnose(monkeypatch: pytest.MonkeyPatch, *checks: Diagnosis) -> None:
    monkeypatch.setattr(module, "examine", lambda settings: iter(checks))


def test_this_checkout_is_ready(capsys: pytest.CaptureFixture[str]) -> None:
    began = time.perf_counter()
    assert run(["doctor", "--json"]) == 0
    assert time.perf_counter() - began < 5  # 1.5 s on a quiet machine; tests share theirs
    result = json.loads(capsys.readouterr().out)
    assert result["ready"] is True
    checks = {check["name"]: check for check in result["checks"]}
    assert {"Python", "LoadGen", "engine onnxruntime", "home folder", "disk space", "pip", "network"} <= set(checks)
    assert set(checks["LoadGen"]) == {"name", "state", "needed_for", "detail", "fix", "essential"}


def test_nothing_is_made_or_changed(home: Path) -> None:
    assert run(["doctor"]) == 0
    assert not home.exists()


def test_one_list_and_what_to_do_most_urgent_first(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    diagnose(
        monkeypatch,
        ok("Python", "everything", "3.12"),
        warning("governor", "steady figures", "powersave", "cpupower frequency-set"),
        missing("an extra", "something", "not there", "pip install extra"),
        missing("LoadGen", "every run", "not there", "pip install mlcommons-loadgen", essential=True),
    )
    assert run(["doctor"]) == 3
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["State", "What", "Found", "Needed", "for"]
    assert [line.split()[0] for line in lines[1:5]] == ["ok", "warning", "missing", "missing"]
    todo = [line.strip() for line in lines[lines.index("What to do:") + 1 :] if line.startswith("  ")]
    assert [line.partition(" (")[0] for line in todo] == ["LoadGen", "an extra", "governor"]
    assert lines[-1] == "1 in order, 1 to look at, 2 missing. Not ready: something essential is missing."


def test_missing_extras_do_not_fail(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    diagnose(monkeypatch, missing("power meter", "power", "none"))
    assert run(["doctor"]) == 0
    text = capsys.readouterr().out
    assert "Ready: assay demo" in text
    assert "What to do" not in text


def test_every_room_with_a_door_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fine(settings: Settings) -> Iterator[Diagnosis]:
        yield ok("fine", "x", str(settings.home))

    def broken(settings: Settings) -> Iterator[Diagnosis]:
        raise InvalidInputError("catalogue is unreadable", hint="reinstall")
        yield

    rooms: dict[str, Any] = {"assay.good.diagnose": fine, "assay.bad.diagnose": broken}
    monkeypatch.setattr(module, "ROOMS", ("good", "absent", "bad"))
    monkeypatch.setattr(module, "find_spec", rooms.get)
    monkeypatch.setattr(module.importlib, "import_module", lambda name: SimpleNamespace(diagnose=rooms[name]))
    checks = list(examine(Settings(tmp_path)))
    assert [(check.name, check.state.value) for check in checks] == [("fine", "ok"), ("bad", "missing")]
    assert checks[1].fix == "reinstall"


def test_runs_whose_process_is_gone_are_told(tmp_path: Path) -> None:
    settings = Settings(tmp_path)
    assert list(unfinished_runs(settings)) == []
    (tmp_path / "runs" / "20260101-x").mkdir(parents=True)
    (tmp_path / "runs" / "20260101-x" / OWNER_FILE).write_text(json.dumps({"pid": os.getpid(), "started": 1.0}))
    (check,) = unfinished_runs(settings)
    assert "20260101-x" in check.detail
    assert "20260101-x" in check.fix
