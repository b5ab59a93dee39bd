from __future__ import annotations

import json

from .conftest import Call


def test_a_command_of_cm_is_said_in_ours(call: Call) -> None:
    code, out, err = call("cm-command", "cm run script --tags=run-mlperf,inference --model=resnet50 --scenario=Offline")
    assert code == 0
    assert out == "assay run resnet50 --scenario Offline --mode performance\n"
    assert "note: " in err
    code, out, _ = call("cm-command", "cm show cache", "--json")
    assert json.loads(out) == {"commands": ["assay assets list"], "notes": []}


def test_anything_else_is_refused(call: Call) -> None:
    code, _, err = call("cm-command", "ls -l")
    assert code == 4
    assert "not a command of CM" in err
