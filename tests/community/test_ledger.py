from __future__ import annotations

import json
from datetime import timedelta

from assay.base.settings import Settings
from assay.community.accept import accept
from assay.community.ledger import uid_of
from assay.community.server_repository import server_repository

from ..results.rows import make_row
from ..submission.smalltree import SmallTree
from .conftest import NOW, MakeRun, needs_git


def test_a_uid_follows_from_the_log_and_what_it_was_run_for() -> None:
    row = make_row()
    assert uid_of("d" * 64, row) == uid_of("d" * 64, make_row(5))
    others = [
        make_row(scenario="Server"),
        make_row(benchmark="bert-99"),
        make_row(division="open"),
        make_row(round="v3.1"),
    ]
    assert len({uid_of("d" * 64, row), uid_of("e" * 64, row), *(uid_of("d" * 64, each) for each in others)}) == 6
    # Nor is it the uid that the published result of the same place has.
    assert uid_of("d" * 64, row) != row.uid


@needs_git
def test_rows_of_one_upload_share_a_file_and_say_whose_they_are(settings: Settings, tree: SmallTree) -> None:
    outcome = accept(tree.root, "ada", settings, now=NOW)
    root = server_repository(settings).root
    files = sorted((root / "experiment").glob("*/*/cm-input.json"))
    assert [path.parent.parent.name.rpartition("--")[2] for path in files] == ["offline", "singlestream"]
    said = json.loads(files[0].read_text())["assay_accepted"]
    assert said["contributor"] == "ada"
    (uid,) = said["results"]
    (row,) = json.loads((files[0].parent / "cm-result.json").read_text())
    assert (row["uid"], row["Scenario"], row["Division"]) == (uid, "Offline", "open")
    assert row["assay_row"]["location"] == (files[0].parent / "evidence" / uid).relative_to(root).as_posix()
    assert uid in {each.uid for each in outcome.accepted}
    assert files[0].parent.name.startswith("2026-12-01.12-00-00.")


@needs_git
def test_a_damaged_file_of_rows_is_written_anew(settings: Settings, make_run: MakeRun) -> None:
    run = make_run()
    first = accept(run, "ada", settings, now=NOW)
    (path,) = server_repository(settings).root.glob("experiment/*/*/cm-result.json")
    path.write_text("[")
    again = accept(run, "ada", settings, now=NOW + timedelta(days=1))
    assert again.accepted[0].uid == first.accepted[0].uid
    (row,) = json.loads(path.read_text())
    assert row["uid"] == first.accepted[0].uid
