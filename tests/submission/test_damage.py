"""Whatever is done to a tree, a check ends with a report."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assay.submission.check import check

from .cases import LLAMA, SDXL
from .smalltree import build

Damage = Callable[[Path, list[Path], random.Random], None]


def _flip(root: Path, files: list[Path], chance: random.Random) -> None:
    path = chance.choice(files)
    raw = bytearray(path.read_bytes() or b"\0")
    for _ in range(chance.randint(1, 8)):
        raw[chance.randrange(len(raw))] = chance.randrange(256)
    path.write_bytes(raw)


def _cut(root: Path, files: list[Path], chance: random.Random) -> None:
    path = chance.choice(files)
    raw = path.read_bytes()
    start = chance.randint(0, len(raw))
    path.write_bytes(raw[:start] + raw[start + chance.randint(0, 400) :])


def _lines(root: Path, files: list[Path], chance: random.Random) -> None:
    path = chance.choice(files)
    lines = path.read_bytes().splitlines(keepends=True)
    chance.shuffle(lines)
    path.write_bytes(b"".join(lines[: chance.randint(0, len(lines))] * chance.randint(1, 2)))


def _swap(root: Path, files: list[Path], chance: random.Random) -> None:
    one, other = chance.choice(files), chance.choice(files)
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


def _insert(root: Path, files: list[Path], chance: random.Random) -> None:
    path = chance.choice(files)
    raw = path.read_bytes()
    where = chance.randint(0, len(raw))
    path.write_bytes(raw[:where] + chance.choice(JUNK) + raw[where:])


def _number(root: Path, files: list[Path], chance: random.Random) -> None:
    path = chance.choice(files)
    text = path.read_text(encoding="utf-8", errors="replace")
    digits = [number for number, character in enumerate(text) if character.isdigit()]
    if digits:
        where = chance.choice(digits)
        value = chance.choice(
            ["1e400", "-1", "9" * 30, "9" * 5000, "NaN", "Infinity", "null", '"7"', "[]", "{}", "1.5", "true"]
        )
        path.write_text(text[:where] + value + text[where + 1 :], encoding="utf-8")


def _remove(root: Path, files: list[Path], chance: random.Random) -> None:
    path = chance.choice(files)
    victim = chance.choice([path, path.parent, path.parent.parent])
    if victim != root:
        shutil.rmtree(victim) if victim.is_dir() else victim.unlink()


def _replace(root: Path, files: list[Path], chance: random.Random) -> None:
    path = chance.choice(files)
    path.unlink()
    kind = chance.randrange(5)
    if kind == 0:
        path.mkdir()
    elif kind == 1:
        path.symlink_to(chance.choice(["/etc/passwd", "..", ".", "nothing", os.fspath(chance.choice(files))]))
    elif kind == 2:
        os.mkfifo(path)
    elif kind == 3:
        path.touch()
    else:
        with path.open("wb") as file:
            file.truncate(chance.choice([1, 10_241, 60 << 20]))


def _rename(root: Path, files: list[Path], chance: random.Random) -> None:
    path = chance.choice(files)
    victim = chance.choice([path, path.parent])
    if victim != root:
        names = [
            "Offline",
            "offline",
            "Server",
            "TEST01",
            "a b",
            ".x",
            "\udcff",
            "x" * 200,
            "accuracy.txt",
            "run_1",
            "éü",
        ]
        target = victim.with_name(chance.choice(names))
        if not target.exists():
            victim.rename(target)


JUNK = (
    b"\xff\xfe\x00", b"\0" * 100, b"[" * 5000, b'{"a":' * 2000, b"\r", b"\r\n", b":::MLLOG", b'\n:::MLLOG {"key": 1}\n',
    b"9" * 6000, b'"\\ud800"', b"\xed\xa0\x80", b"<script>", b"%s%n", b"\x1b[2J",
    b':::MLLOG {"key": "result_validity", "value": "VALID", "metadata": {"is_error": 0}}\n',
)  # fmt: skip
DAMAGES: tuple[Damage, ...] = (
    _flip,
    _cut,
    _lines,
    _swap,
    _insert,
    _insert,
    _number,
    _number,
    _remove,
    _replace,
    _rename,
)


def damage_and_check(folder: Path, seed: int) -> None:
    """One tree, a few damages, one check."""
    chance = random.Random(seed)
    round_name = chance.choice(["v2.0", "v2.1", "v3.0", "v3.1", "v4.0"])
    root = folder / "tree"
    made: dict[str, Any] = chance.choice([{}, LLAMA, SDXL]) if round_name == "v4.0" else {}
    build(root, round_name, division=chance.choice(["closed", "open"]), power=chance.random() < 0.5, **made)
    for _ in range(chance.randint(1, 4)):
        files = sorted(each for each in root.rglob("*") if each.is_file() and not each.is_symlink())
        if files:
            chance.choice(DAMAGES)(root, files, chance)
    if not any((root / division).is_dir() for division in ("closed", "open", "network")):
        return
    report = check(root, round_name, jobs=1)
    # A report holds together: what is refused has a finding that says why.
    if report.strict.refused:
        assert any(each.strict.rank >= 3 for each in report.findings), (seed, report.strict.refused)
    if report.official.refused:
        assert any(each.official.rank >= 3 for each in report.findings), (seed, report.official.refused)
    for text in [*report.rows, *(each.place + each.found for each in report.findings)]:
        assert isinstance(text, str)
    shutil.rmtree(root)


@pytest.mark.parametrize("start", range(0, 200, 50))
def test_random_damage_never_breaks_a_check(start: int, tmp_path: Path) -> None:
    for seed in range(start, start + 50):
        damage_and_check(tmp_path, seed)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("start", range(10_000, 20_000, 1_000))
def test_ten_thousand_damages(start: int, tmp_path: Path) -> None:
    forget_peak = Path("/proc/self/clear_refs")
    forget_peak.write_text("5")
    for seed in range(start, start + 1_000):
        damage_and_check(tmp_path, seed)
    status = Path("/proc/self/status").read_text()
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
    assert peak < 1_000_000, f"{peak} kB"
