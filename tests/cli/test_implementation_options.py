from __future__ import annotations

import json
import sys
from pathlib import Path

import click
import pytest

from assay.cli.implementation_options import complete_implementation, external_request
from assay.errors import UsageError

from .conftest import Call

MANIFEST = Path(__file__).parents[1] / "programs" / "stand-in.yaml"


def test_without_a_program_its_options_mean_nothing() -> None:
    assert external_request({}, None, None, (), None) is None
    with pytest.raises(UsageError, match="--implementation-dir means nothing"):
        external_request({}, None, Path(), (), None)
    with pytest.raises(UsageError, match="--time-limit means nothing"):
        external_request({}, None, None, (), 1)


def test_settings_of_our_own_harness_mean_nothing_to_a_program() -> None:
    idle = {"backend": "auto", "backend_options": {}, "batch_wait_ns": None, "trace": True}
    found = external_request(idle, "mine", Path("x"), ("a=b",), None)
    assert found is not None
    assert (found.name, found.folder, found.words) == ("mine", Path("x"), {"a": "b"})
    for changes, option in (({"backend": "openvino"}, "--backend"), ({"trace": False}, "--no-trace")):
        with pytest.raises(UsageError, match=f"{option} is of assay's own harness"):
            external_request({**idle, **changes}, "mine", None, (), None)


def test_names_are_completed(home: Path) -> None:
    command = click.Command("x")
    found = complete_implementation(click.Context(command), click.Option(["--implementation"]), "mlcommons-reference-r")
    assert [item.value for item in found] == [
        "mlcommons-reference-resnet50",
        "mlcommons-reference-retinanet",
        "mlcommons-reference-rnnt",
    ]


def test_a_run_of_a_program_from_the_command_line(home: Path, call: Call, pictures: Path) -> None:
    words = ["run", "mobilenet-v2", "--implementation", MANIFEST, "--implementation-option", f"python={sys.executable}"]
    words += ["--dataset", pictures, "--duration", "200ms", "--target-qps", "2000"]
    code, out, err = call(*words, "--dry-run", "--json")
    assert code == 0, err
    assert json.loads(out)["implementation"] == "stand-in"
    assert not home.exists()
    code, out, err = call(*words)
    assert code == 0, err
    assert "VALID" in out
    assert "unseen-material" in out
