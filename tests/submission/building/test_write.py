from __future__ import annotations

import hashlib
import tarfile
from pathlib import Path

import pytest

from assay.base.progress import SILENT
from assay.errors import UsageError
from assay.submission.building.model import Piece
from assay.submission.building.write import (
    listing_of,
    pack,
    put_in_place,
    require_free,
    staged,
    write_listing,
    write_pieces,
)

DIVISIONS = ("closed", "open")


def test_pieces_are_written_and_hashed(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"copied")
    source.chmod(0o600)
    hashes = write_pieces(tmp_path / "tree", [Piece("a/b", b"made"), Piece("c", source=source)], SILENT)
    assert (tmp_path / "tree/a/b").read_bytes() == b"made"
    assert (tmp_path / "tree/c").stat().st_mode & 0o777 == 0o644
    assert hashes == {"a/b": hashlib.sha256(b"made").hexdigest(), "c": hashlib.sha256(b"copied").hexdigest()}


def test_a_tree_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "tree"
    with pytest.raises(KeyboardInterrupt), staged(out) as staging:
        (staging / "half").write_text("half")
        raise KeyboardInterrupt
    assert not list(out.parent.iterdir())
    (tmp_path / "deep" / ".tree.old.assay-part").mkdir()
    for content in ("first", "second"):
        with staged(out) as staging:
            (staging / "whole").write_text(content)
            put_in_place(staging, out)
        assert (out / "whole").read_text() == content
        assert [path.name for path in out.parent.iterdir()] == ["tree"]


def test_only_a_tree_that_was_built_is_replaced(tmp_path: Path) -> None:
    out = tmp_path / "tree"
    require_free(out, DIVISIONS, force=False)
    (out / "closed").mkdir(parents=True)
    with pytest.raises(UsageError, match="there already"):
        require_free(out, DIVISIONS, force=False)
    with pytest.raises(UsageError, match="not replaced"):
        require_free(out, DIVISIONS, force=True)
    write_listing(out, {})
    require_free(out, DIVISIONS, force=True)
    (out / "thesis").mkdir()
    with pytest.raises(UsageError, match="not replaced"):
        require_free(out, DIVISIONS, force=True)


def test_the_list_is_one_that_sha256sum_reads(tmp_path: Path) -> None:
    path = write_listing(tmp_path / "tree", {"b": "2" * 64, "a": "1" * 64})
    assert path == listing_of(tmp_path / "tree") == tmp_path / "tree.sha256"
    assert path.read_text() == f"{'1' * 64}  a\n{'2' * 64}  b\n"


def test_an_archive_says_nothing_of_times_and_owners(tmp_path: Path) -> None:
    digests = []
    long = f"closed/{'n' * 90}/{'m' * 120}.json"
    for number, name in enumerate(("one", "two")):
        root = tmp_path / name
        pieces = [Piece(path, b"content") for path in ("closed/b", "closed/a/c", long)]
        hashes = write_pieces(root, pieces[number:] + pieces[:number], SILENT)
        digests.append(pack(root, hashes, tmp_path / f"{name}.tar.gz", "tree"))
    assert digests[0] == digests[1] == hashlib.sha256((tmp_path / "one.tar.gz").read_bytes()).hexdigest()
    with tarfile.open(tmp_path / "one.tar.gz") as archive:
        assert archive.getnames() == [
            "tree", "tree/closed", "tree/closed/a", f"tree/closed/{'n' * 90}",
            "tree/closed/a/c", "tree/closed/b", f"tree/{long}",
        ]  # fmt: skip
        member = archive.extractfile("tree/closed/b")
        assert member is not None and member.read() == b"content"
