"""All checks of a measurement together: a good one passes, and every damage is found by its check."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import pytest

from assay.rules.findings import catalogue
from assay.rules.power import load_power
from assay.submission.power.codes import WG_CODES
from assay.submission.power.wg import check_power_wg
from assay.submission.tree import TreeReader

from .damages import DAMAGES, Damage
from .measured import ROUNDS, Measured, build


def codes(measured: Measured, round_name: str) -> set[str]:
    return {issue.code for issues in measured.checked(round_name).values() for issue in issues}


@pytest.mark.parametrize("round_name", ROUNDS)
def test_a_good_measurement_passes(round_name: str, tmp_path: Path) -> None:
    measured = build(tmp_path, round_name)
    found = measured.checked(round_name)
    assert not any(found.values())
    assert (next(iter(found)), len(found)) == ("client-sources", 12)


@pytest.mark.parametrize("round_name", ROUNDS)
@pytest.mark.parametrize("damage", DAMAGES, ids=str)
def test_a_damage_is_found_by_its_check(damage: Damage, round_name: str, tmp_path: Path) -> None:
    measured = build(tmp_path, round_name)
    damage.edit(measured)
    issues = measured.checked(round_name)[damage.check]
    found, expected = {issue.code for issue in issues}, damage.codes.get(round_name)
    assert found - set(damage.more) == ({expected} if expected else set()), issues
    assert found <= WG_CODES
    for issue in issues:
        assert issue.path.startswith(f"{measured.relative}/")
        assert issue.detail or issue.found or issue.expected
        assert all(text.isprintable() for text in (issue.detail, issue.field, issue.found, issue.expected))


def test_every_code_is_in_the_catalogue_and_found_by_a_damage() -> None:
    told = {code for damage in DAMAGES for code in (*damage.codes.values(), *damage.more)}
    assert set(catalogue()) >= WG_CODES
    # These two have tests of their own.
    assert told == WG_CODES - {"power-sample-strange", "power-samples-few"}


def test_all_issues_come_in_one_list_without_doubles(tmp_path: Path) -> None:
    measured = build(tmp_path, "v3.0")
    (measured.path / "run_1" / "mlperf_log_detail.txt").unlink()
    (measured.path / "power" / "server.log").unlink()
    listing = TreeReader(tmp_path).read(measured.relative)
    found = check_power_wg(str(tmp_path), measured.relative, listing, load_power("v3.0"))
    # The window is asked for by two checks, and told once.
    assert [issue.code for issue in found] == [
        "power-window-unreadable",
        "power-hashed-file-missing",
        "power-hashed-file-missing",
    ]
    assert [issue.path.removeprefix(f"{measured.relative}/") for issue in found] == [
        "run_1/mlperf_log_detail.txt",
        "power/server.log",
        "run_1/mlperf_log_detail.txt",
    ]


def test_an_empty_folder_and_the_root_itself(tmp_path: Path) -> None:
    listing = TreeReader(tmp_path).read("")
    (issue,) = check_power_wg(str(tmp_path), "", listing, load_power("v3.1"))
    assert (issue.code, issue.path) == ("power-session-unreadable", "power/client.json")


def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    measured = build(tmp_path, "v3.1")
    for name in ("run_1/spl.txt", "ranging/mlperf_log_detail.txt"):
        (measured.path / name).unlink()
        os.mkfifo(measured.path / name)
    assert codes(measured, "v3.1") == {"power-file-unreadable", "power-window-unreadable"}


def test_nothing_outside_of_the_tree_is_read(tmp_path: Path) -> None:
    measured = build(tmp_path / "tree", "v3.1")
    outside = tmp_path / "outside"
    (measured.path / "ranging").rename(outside)
    (measured.path / "ranging").symlink_to(outside)
    found = measured.checked("v3.1")
    assert {issue.code for issue in found["times"]} == {"power-window-unreadable"}
    assert {issue.code for issue in found["hashes"]} == {"power-hashed-file-missing"}
    (measured.path / "power" / "server.json").rename(tmp_path / "server.json")
    (measured.path / "power" / "server.json").symlink_to(tmp_path / "server.json")
    (issue,) = measured.checked("v3.1")["session"]
    assert issue.detail == "a link out of the tree, or to nowhere, is not followed"


JUNK = [
    None, 0, -1, 2.5, 1e308, float("nan"), float("inf"), 10**400, "", "x", [], {}, [1], {"a": 1}, True, "\ud800", "é",
    [[1, 2], [3, 4]], "-c", "Stop", 77, "version=1.10.0-", "x" * 5000,
]  # fmt: skip


@pytest.mark.parametrize("seed", range(60))
def test_no_content_makes_it_raise(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    round_name = chance.choice(ROUNDS)
    measured = build(tmp_path, round_name)
    for side in ("client", "server"):
        path = measured.path / "power" / f"{side}.json"
        data = json.loads(path.read_text(encoding="utf-8"))
        for _ in range(4):
            spoil(data, chance)
        measured.write(f"power/{side}.json", json.dumps(data).encode())
    for name in ("power/ptd_logs.txt", "run_1/spl.txt", "ranging/mlperf_log_detail.txt"):
        content = bytearray((measured.path / name).read_bytes())
        for _ in range(chance.choice([0, 1, 40])):
            content[chance.randrange(len(content))] = chance.choice([0, 10, 13, 255, 57, chance.randrange(256)])
        measured.write(name, bytes(content))
    for issues in measured.checked(round_name).values():
        for issue in issues:
            assert issue.code in WG_CODES
            assert len(issue.found) + len(issue.expected) + len(issue.detail) < 2000
            assert all(text.isprintable() for text in (issue.detail, issue.field, issue.found, issue.expected))


def spoil(data: object, chance: random.Random) -> None:
    """Put junk somewhere into a document."""
    while True:
        keys = list(data) if isinstance(data, dict) else list(range(len(data))) if isinstance(data, list) else []
        if not keys:
            return
        key = chance.choice(keys)
        inner = data[key]  # type: ignore[index]
        if not isinstance(inner, dict | list) or not inner or chance.random() < 0.3:
            if chance.random() < 0.25:
                del data[key]  # type: ignore[attr-defined]
            else:
                data[key] = chance.choice(JUNK)  # type: ignore[index]
            return
        data = inner
