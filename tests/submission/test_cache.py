from __future__ import annotations

from pathlib import Path

from assay.submission.cache import OutcomeCache, forget_old_trees
from assay.submission.check import check
from assay.submission.model import CheckReport

from .smalltree import build, change_log


def same(one: CheckReport, other: CheckReport) -> bool:
    return (one.rows, one.findings, one.results) == (other.rows, other.findings, other.results)


def test_a_second_check_judges_nothing_again_and_says_the_same(tmp_path: Path) -> None:
    tree = build(tmp_path / "tree", "v3.0", power=True)
    change_log(tree.run_log("Offline"), effective_qsl_rng_seed=1)
    first = check(tree.root, "v3.0", jobs=1, cache=tmp_path / "cache")
    second = check(tree.root, "v3.0", jobs=1, cache=tmp_path / "cache")
    assert (first.reused, second.reused) == (0, 1)
    assert same(first, second)
    assert same(first, check(tree.root, "v3.0", jobs=1))


def test_a_change_anywhere_is_seen(tmp_path: Path) -> None:
    tree = build(tmp_path / "tree", "v3.0")
    cache = tmp_path / "cache"
    assert check(tree.root, "v3.0", jobs=1, cache=cache).findings == ()
    text = tree.result("Offline") / "accuracy" / "accuracy.txt"
    text.write_text(text.read_text(encoding="utf-8").replace("76.014", "16.014"), encoding="utf-8")
    assert "accuracy-below-target" in {each.code for each in check(tree.root, "v3.0", jobs=1, cache=cache).findings}
    text.write_text(text.read_text(encoding="utf-8").replace("16.014", "76.014"), encoding="utf-8")
    tree.system_json.write_text("{}", encoding="utf-8")
    assert "system-field-missing" in {each.code for each in check(tree.root, "v3.0", jobs=1, cache=cache).findings}


def test_another_round_is_another_outcome(tmp_path: Path) -> None:
    tree = build(tmp_path / "tree", "v3.0")
    check(tree.root, "v3.0", jobs=1, cache=tmp_path / "cache")
    other = check(tree.root, "v2.1", jobs=1, cache=tmp_path / "cache")
    assert other.reused == 0
    assert "seed-wrong" in {each.code for each in other.findings}


def test_a_damaged_cache_is_judged_again(tmp_path: Path) -> None:
    tree = build(tmp_path / "tree", "v3.0")
    first = check(tree.root, "v3.0", jobs=1, cache=tmp_path / "cache")
    for damage in (b"", b"{", b'{"key": 1}', b"\xff" * 100, b"[" * 100_000):
        for path in (tmp_path / "cache").rglob("*.json"):
            path.write_bytes(damage)
        again = check(tree.root, "v3.0", jobs=1, cache=tmp_path / "cache")
        assert again.reused == 0
        assert same(first, again)


def test_a_cache_that_cannot_be_written_costs_nothing(tmp_path: Path) -> None:
    tree = build(tmp_path / "tree", "v3.0")
    (tmp_path / "cache").write_text("a file", encoding="utf-8")
    assert check(tree.root, "v3.0", jobs=1, cache=tmp_path / "cache").official.ok


def test_a_key_tells_its_parts_apart(tmp_path: Path) -> None:
    cache = OutcomeCache(tmp_path, "/tree", "rules")
    assert cache.key("a", "bc") != cache.key("ab", "c")
    assert cache.key("a") != OutcomeCache(tmp_path, "/tree", "other rules").key("a")


def test_only_the_last_trees_are_kept(tmp_path: Path) -> None:
    import os

    for number in range(40):
        folder = tmp_path / f"{number:02}"
        folder.mkdir()
        os.utime(folder, (number, number))
    forget_old_trees(tmp_path)
    assert sorted(each.name for each in tmp_path.iterdir()) == [f"{number:02}" for number in range(10, 40)]
