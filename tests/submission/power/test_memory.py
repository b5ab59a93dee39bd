"""Copies of a measurement are judged as the first was, each with its own paths; anything else is judged anew."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from assay.rules.power import load_power
from assay.submission.power import memory as memory_module
from assay.submission.power.memory import PowerMemory
from assay.submission.power.wg import check_power_wg
from assay.submission.tree import TreeReader

from .damages import DAMAGES
from .measured import Measured, build


class _Counted:
    """The real check, counted."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, *given: object) -> object:
        self.calls += 1
        return check_power_wg(*given)  # type: ignore[arg-type]


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> _Counted:
    counted = _Counted()
    monkeypatch.setattr(memory_module, "check_power_wg", counted)
    return counted


def _copied(root: Path, measured: Measured) -> str:
    """A copy of a measurement beside it; its path relative to the root."""
    there = measured.path.parent.with_name("other") / measured.path.name
    shutil.copytree(measured.path, there, symlinks=True)
    return there.relative_to(root).as_posix()


@pytest.mark.parametrize("damage", [None, *DAMAGES], ids=str)
def test_a_copy_is_judged_as_the_first(damage: object, tmp_path: Path, counted: _Counted) -> None:
    measured = build(tmp_path, "v3.0")
    if damage is not None:
        damage.edit(measured)  # type: ignore[attr-defined]
    copy = _copied(tmp_path, measured)
    memory, reader, facts = PowerMemory(str(tmp_path), load_power("v3.0")), TreeReader(tmp_path), load_power("v3.0")
    for path in (measured.relative, copy):
        listing = reader.read(path)
        assert memory.check(path, listing) == check_power_wg(str(tmp_path), path, listing, facts)


def test_a_copy_is_not_judged_again(tmp_path: Path, counted: _Counted) -> None:
    measured = build(tmp_path, "v3.0")
    copy = _copied(tmp_path, measured)
    memory, reader = PowerMemory(str(tmp_path), load_power("v3.0")), TreeReader(tmp_path)
    for path in (measured.relative, copy, measured.relative):
        assert memory.check(path, reader.read(path)) == []
    assert counted.calls == 1


def test_one_byte_makes_it_another_one(tmp_path: Path, counted: _Counted) -> None:
    measured = build(tmp_path, "v3.0")
    copy = _copied(tmp_path, measured)
    log = tmp_path / copy / "power" / "ptd_logs.txt"
    raw = bytearray(log.read_bytes())
    raw[-2] ^= 1
    log.write_bytes(raw)
    memory, reader = PowerMemory(str(tmp_path), load_power("v3.0")), TreeReader(tmp_path)
    assert memory.check(measured.relative, reader.read(measured.relative)) == []
    assert {issue.code for issue in memory.check(copy, reader.read(copy))} == {"power-hash-differs"}
    assert counted.calls == 2


def test_links_are_never_taken_for_copies(tmp_path: Path, counted: _Counted) -> None:
    measured = build(tmp_path, "v3.0")
    copy = _copied(tmp_path, measured)
    log = tmp_path / copy / "power" / "ptd_logs.txt"
    log.unlink()
    log.symlink_to(measured.path / "power" / "ptd_logs.txt")
    memory, reader = PowerMemory(str(tmp_path), load_power("v3.0")), TreeReader(tmp_path)
    for path in (copy, measured.relative, copy):
        memory.check(path, reader.read(path))
    assert counted.calls == 3


def test_only_the_last_ones_are_remembered(tmp_path: Path, counted: _Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_module, "_KEPT", 1)
    measured = build(tmp_path, "v3.0")
    copy = _copied(tmp_path, measured)
    (tmp_path / copy / "run_1" / "more.txt").write_text("more")
    memory, reader = PowerMemory(str(tmp_path), load_power("v3.0")), TreeReader(tmp_path)
    for path in (measured.relative, copy, measured.relative):
        memory.check(path, reader.read(path))
    assert counted.calls == 3
