from __future__ import annotations

from pathlib import Path

import pytest

from assay.base.files import sha256_file
from assay.base.settings import Settings
from assay.community import evidence
from assay.community.evidence import Evidence, evidence_file, evidence_names, keep, of_entry, of_run
from assay.community.server_repository import server_path
from assay.errors import NotFoundError

from ..submission.smalltree import SmallTree
from .conftest import MakeRun

LOCATION = "experiment/some--alias/2026-12-01.12-00-00.000001/evidence/00112233445566aa"


def test_links_and_odd_names_are_no_evidence(tree: SmallTree, make_run: MakeRun, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    log = tree.result("Offline") / "accuracy" / "accuracy.txt"
    log.unlink()
    log.symlink_to(tmp_path / "secret")
    (tree.measurements("Offline") / "a b.json").write_text("{}")
    (tree.measurements("Offline") / ".git.json").write_text("{}")
    names = {each.name for each in of_entry(tree.root, "open/Acme/results/box/resnet50/Offline")}
    assert "accuracy/accuracy.txt" not in names
    assert not any(" " in name or "/." in name for name in names)
    run = make_run()
    (run / "user.conf").symlink_to(tmp_path / "secret")
    assert "performance/user.conf" not in {each.name for each in of_run(run, "performance")}


def test_a_folder_that_is_a_link_out_of_the_upload_gives_none(tree: SmallTree, tmp_path: Path) -> None:
    accuracy = tree.result("Offline") / "accuracy"
    accuracy.rename(tmp_path / "elsewhere")
    accuracy.symlink_to(tmp_path / "elsewhere")
    names = {each.name for each in of_entry(tree.root, "open/Acme/results/box/resnet50/Offline")}
    assert not any(name.startswith("accuracy/") for name in names)


def test_what_is_too_large_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "MOST_BYTES_FILE", 10)
    monkeypatch.setattr(evidence, "MOST_BYTES", 15)
    for name, size in (("a", 9), ("b", 11), ("c", 9), ("d", 5)):
        (tmp_path / name).write_bytes(b"x" * size)
    files = [Evidence(name, tmp_path / name) for name in ("a", "b", "c", "d", "absent")]
    kept = keep(files, tmp_path / "kept")
    assert kept == {name: sha256_file(tmp_path / name) for name in ("a", "d")}
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == ["a", "d"]


def test_what_is_kept_is_found_by_the_location_of_its_row(settings: Settings) -> None:
    folder = server_path(settings) / LOCATION
    (folder / "performance").mkdir(parents=True)
    (folder / "performance" / "x.txt").write_text("x")
    (folder / "link").symlink_to("/etc/hostname")
    assert evidence_names(settings, LOCATION) == ("performance/x.txt",)
    assert evidence_file(settings, LOCATION, "performance/x.txt").read_text() == "x"
    for name in ("link", "../x", "/etc/hostname", "performance", "performance/../performance/x.txt", ""):
        with pytest.raises(NotFoundError):
            evidence_file(settings, LOCATION, name)


@pytest.mark.parametrize(
    "location",
    [
        "", "/etc", "closed/Org/results/a/b/c", "experiment/../../x/evidence/00", "experiment/a/b/c/d",
        "experiment/a/../evidence/d", f"{LOCATION}/x", f"/{LOCATION}", "experiment/./b/evidence/d",
    ],
)  # fmt: skip
def test_any_other_location_has_none(settings: Settings, location: str) -> None:
    assert evidence_names(settings, location) == ()
    with pytest.raises(NotFoundError):
        evidence_file(settings, location, "x")
