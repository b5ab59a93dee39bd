"""Archives that PyTorch would run code of; none is given to it."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest

from assay.backends.torch_archive import Form, _is_size, check_exported, form_of
from assay.errors import InvalidInputError

PROGRAM = {"graph_module": {"graph": {"nodes": [{"target": "torch.ops.aten.relu.default"}]}}}
PLAIN = {"config": {"w": {"path_name": "weight_0", "use_pickle": False}}}


def archive(path: Path, **members: Any) -> Path:
    with zipfile.ZipFile(path, "w") as made:
        for name, content in members.items():
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            made.writestr("m/" + name, data)
    return path


def program(path: Path, **members: Any) -> Path:
    return archive(path, **{"models/model.json": PROGRAM, **members})


class Evil:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> Any:
        return (Path.touch, (self.target,))


def test_what_a_file_holds_is_told_by_its_names(tmp_path: Path) -> None:
    assert form_of(archive(tmp_path / "a.pt", **{"data.pkl": b"", "code/__torch__.py": b""})) is Form.SCRIPT
    assert form_of(program(tmp_path / "b.pt2", **{"data/weights/weight_0": b""})) is Form.EXPORTED


def test_pickles_and_bare_weights_hold_no_program(tmp_path: Path) -> None:
    evil = pickle.dumps(Evil(tmp_path / "touched"))
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        made.writestr("m/data.pkl", evil)
    for number, data in enumerate((content.getvalue(), evil, b"", b"PK\x03\x04")):
        path = tmp_path / f"{number}.pt"
        path.write_bytes(data)
        with pytest.raises(InvalidInputError) as caught:
            form_of(path)
        assert "torch.export.save" in (caught.value.hint or "")
    assert not (tmp_path / "touched").exists()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_archive_that_says_two_things_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "m.pt2", "w") as made:
        made.writestr("m/models/model.json", "{}")
        made.writestr("m/models/model.json", "[]")
    with pytest.raises(InvalidInputError, match="not one that PyTorch writes"):
        form_of(tmp_path / "m.pt2")


def test_plain_tensors_and_known_operations_are_let_through(tmp_path: Path) -> None:
    members = {"data/weights/model_weights_config.json": PLAIN, "data/weights/weight_0": b"1", ".data/version": b"3"}
    check_exported(None, program(tmp_path / "m.pt2", **members, archive_format=b"pt2"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("models/model.json", {"nodes": [{"target": "torch.os.system"}]}),
        ("models/model.json", {"nodes": [{"target": "torch.hub.load"}]}),
        ("models/model.json", {"deep": [[{"target": "torch.ops.aten.relu.default.__class__"}]]}),
        ("models/model.json", {"nodes": [{"target": "_operator.methodcaller"}]}),
        ("models/model.json", {"x": {"expr_str": "__import__('os').system('true')"}}),
        ("models/model.json", {"x": {"expr_str": "Symbol('s0').func"}}),
        ("models/model.json", b"[" * 100_000),
        ("data/constants/model_constants_config.json", {"config": {"c": {"path_name": "opaque_obj_0"}}}),
        ("data/weights/model_weights_config.json", {"config": {"w": {"path_name": "weight_0", "use_pickle": True}}}),
        ("data/weights/model_weights_config.json", {"config": {"w": {"path_name": "../x", "use_pickle": False}}}),
        ("data/weights/model_weights_config.json", []),
        ("data/weights/model.pt", b"legacy"),
        ("data/constants/custom_obj_0", b"x"),
        ("data/aotinductor/model/m.so", b"\x7fELF"),
        ("extra/x.py", b"x"),
    ],
    ids=range(15),
)
def test_whatever_could_run_code_is_refused(tmp_path: Path, name: str, content: Any) -> None:
    with pytest.raises(InvalidInputError, match="could run somebody's code") as caught:
        check_exported(None, program(tmp_path / "m.pt2", **{name: content}))
    assert name in str(caught.value.where)


def test_sample_inputs_have_to_be_tensors(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    for number, (value, good) in enumerate((((torch.zeros(2),), True), (Evil(tmp_path / "touched"), False))):
        content = io.BytesIO()
        torch.save(value, content)
        path = program(tmp_path / f"{number}.pt2", **{"data/sample_inputs/model.pt": content.getvalue()})
        if good:
            check_exported(torch, path)
        else:
            with pytest.raises(InvalidInputError, match="could run"):
                check_exported(torch, path)
    assert not (tmp_path / "touched").exists()


def test_sizes_are_numbers_and_symbols() -> None:
    for text in ("Symbol('s77', positive=True, integer=True)", "Mul(Integer(2), Symbol('u0'))", "2*s0 + 1", "s0//2"):
        assert _is_size(text)
    for text in ("open('x')", "s0.x", "[s0]", "lambda: 1", "s0; 1", 'Symbol("s0")', "__s0"):
        assert not _is_size(text)
