from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tarfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from assay.base.settings import Settings
from assay.community import ledger
from assay.community.accept import accept
from assay.community.challenges import find_challenge
from assay.community.evidence import evidence_file, evidence_names
from assay.community.leaderboard import leaderboard
from assay.community.outcome import Outcome, UploadKind
from assay.community.server_repository import server_repository
from assay.errors import InvalidInputError, MachineError, UsageError
from assay.results.audience import ANYBODY, EVERYBODY, Audience
from assay.results.metrics.catalogue import load_metrics
from assay.results.store import open_store

from ..cm.test_git import run_git
from ..submission.smalltree import SmallTree, change_log
from ..submission.trees import digest
from .conftest import NOW, UID, MakeEntry, MakeRun, needs_git

pytestmark = needs_git
ONGOING = "reproduce-and-improve-mlperf-inference"
SAMPLE = Path(__file__).resolve().parents[3] / "shared" / "oracle" / "sample-v3.0.tar.xz"


def push(settings: Settings, upload: Path, who: str = "ada", *challenges: str, **options: Any) -> Outcome:
    found = [find_challenge(settings, name, EVERYBODY, NOW) for name in challenges]
    return accept(upload, who, settings, **{"now": NOW, "challenges": found, **options})


def seen(settings: Settings, audience: Audience = ANYBODY, now: str = "2026-12-01T12:00:00Z") -> list[dict[str, Any]]:
    """Accepted results as the index shows them to an audience."""
    with open_store(settings) as store:
        view = store.seen_by(audience, now)
        try:
            found = view.run("SELECT * FROM results WHERE contributor IS NOT NULL ORDER BY uid")
            names = [each[0] for each in found.description]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
        finally:
            view.close()


def state(settings: Settings) -> tuple[str, str]:
    root = server_repository(settings).path
    return run_git(root, "rev-parse", "HEAD"), run_git(root, "status", "--porcelain", "--ignored")


def test_join_run_push_accepted_ranked(settings: Settings, make_run: MakeRun) -> None:
    run = make_run()
    outcome = push(settings, run, "ada", ONGOING, display_name="Ada L.", organisation="Acme")
    assert (outcome.kind, outcome.message, outcome.ok) == (UploadKind.RUNS, "1 result accepted", True)
    (row,) = seen(settings)
    assert (row["uid"], row["contributor"], row["accepted"]) == (
        outcome.accepted[0].uid,
        "ada",
        "2026-12-01T12:00:00Z",
    )
    assert row["labels"] == ["stand-in-model", "small-dataset", "short-run", "no-accuracy"]
    assert (row["access"], row["embargo"], row["source"]) == (None, None, "playground")
    challenge = find_challenge(settings, ONGOING, ANYBODY, NOW)
    with open_store(settings) as store:
        (group,) = leaderboard(store, challenge, load_metrics(settings).schema()).groups
    assert [(each.place, each.contributor, each.labels[0]) for each in group.standings] == [
        (1, "ada", "stand-in-model")
    ]
    root = server_repository(settings).path
    assert run_git(root, "log", "-1", "--format=%H %an <%ae> %s") == (
        f"{outcome.commit} Ada L <ada@users.noreply.invalid> 1 result by ada"
    )
    assert state(settings) == (outcome.commit, "")
    assert (root / "contributor" / "ada" / "_cm.json").is_file()


def test_evidence_lies_beside_the_row_with_its_hashes(settings: Settings, tree: SmallTree) -> None:
    push(settings, tree.root)
    row = next(each for each in seen(settings) if each["scenario"] == "Offline")
    names = evidence_names(settings, row["location"])
    assert set(names) <= set(row["logs"])
    log = evidence_file(settings, row["location"], "performance/run_1/mlperf_log_detail.txt")
    assert log.read_bytes() == tree.run_log("Offline").read_bytes()
    assert not any("mlperf_log_accuracy" in name for name in names)


@pytest.mark.parametrize("kind", ["tree", "run"])
def test_the_same_again_changes_nothing_and_says_so(
    settings: Settings, tree: SmallTree, make_run: MakeRun, kind: str
) -> None:
    upload = tree.root if kind == "tree" else make_run()
    first = push(settings, upload, "ada", ONGOING)
    before, files = state(settings), digest(server_repository(settings).path / "experiment")
    again = push(settings, upload, "ada", ONGOING, now=NOW + timedelta(days=1))
    assert again.unchanged
    assert again.commit is None
    assert "already there, nothing changed" in again.message
    assert [each.uid for each in again.accepted] == [each.uid for each in first.accepted]
    assert state(settings) == before
    assert digest(server_repository(settings).path / "experiment") == files


def test_the_logs_of_somebody_else_are_refused(settings: Settings, make_run: MakeRun) -> None:
    run = make_run()
    push(settings, run, "ada")
    before = state(settings)
    outcome = push(settings, run, "bob")
    assert outcome.accepted == ()
    assert outcome.refused[0].reason == "its log was accepted before, from somebody else"
    assert state(settings) == before
    assert {each["contributor"] for each in seen(settings)} == {"ada"}


def test_a_log_twice_in_one_upload_counts_once(settings: Settings, make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run()
    shutil.copytree(run, run.parent / "copy")
    outcome = push(settings, run.parent)
    assert (len(outcome.accepted), len(outcome.refused)) == (1, 1)
    assert "another result of this upload" in outcome.refused[0].reason


def test_what_fails_leaves_the_repository_untouched(settings: Settings, tree: SmallTree) -> None:
    before = state(settings)
    for scenario in ("Offline", "SingleStream"):
        change_log(tree.run_log(scenario), result_validity="INVALID")
    outcome = push(settings, tree.root)
    assert (outcome.accepted, outcome.commit) == ((), None)
    assert len(outcome.refused) >= 2
    assert outcome.findings
    assert state(settings) == before
    with pytest.raises(InvalidInputError):
        push(settings, _empty(tree.root.parent))
    assert state(settings) == before
    assert seen(settings) == []


def _empty(parent: Path) -> Path:
    folder = parent / "empty"
    folder.mkdir()
    return folder


def test_an_error_between_two_files_takes_the_first_back(
    settings: Settings, tree: SmallTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = state(settings)
    real, calls = ledger.write_atomic, []

    def full(path: Path, data: bytes | str) -> None:
        calls.append(path)
        if len(calls) == 3:
            raise MachineError("no space left on the disk", where=path)
        real(path, data)

    monkeypatch.setattr(ledger, "write_atomic", full)
    with pytest.raises(MachineError):
        push(settings, tree.root)
    assert len(calls) == 3
    assert state(settings) == before
    assert seen(settings) == []


KILLED = """
import os, signal, sys
from datetime import datetime
from pathlib import Path
from assay.base.settings import Settings
from assay.community import ledger
from assay.community.accept import accept
real = ledger.write_atomic
def die(path, data):
    real(path, data)
    if path.name == "cm-result.json":
        os.kill(os.getpid(), signal.SIGKILL)
ledger.write_atomic = die
accept(Path(sys.argv[2]), "ada", Settings(Path(sys.argv[1])), now=datetime.fromisoformat(sys.argv[3]))
"""


def test_a_killed_process_leaves_nothing_half_taken(settings: Settings, tree: SmallTree) -> None:
    before = state(settings)
    arguments = [str(settings.home), str(tree.root), NOW.isoformat()]
    done = subprocess.run([sys.executable, "-c", KILLED, *arguments], check=False)
    assert done.returncode == -signal.SIGKILL
    root = settings.home / "repos" / "playground"
    assert list((root / "experiment").rglob("cm-result.json"))
    assert state(settings) == before
    assert seen(settings) == []
    assert len(push(settings, tree.root).accepted) == 2


@pytest.mark.parametrize(
    ("options", "access", "embargo"),
    [
        ({}, None, None),
        ({"private": True}, "account:ada", None),
        ({"embargo": NOW + timedelta(days=1)}, "account:ada", "2026-12-02T12:00:00Z"),
        ({"private": True, "embargo": NOW + timedelta(days=1)}, "account:ada", "2026-12-02T12:00:00Z"),
    ],
)
def test_who_may_see_it(
    settings: Settings, make_run: MakeRun, options: dict[str, Any], access: str | None, embargo: str | None
) -> None:
    push(settings, make_run(), **options)
    (row,) = seen(settings, EVERYBODY)
    assert (row["access"], row["embargo"]) == (access, embargo)
    assert len(seen(settings)) == (access is None)
    assert len(seen(settings, Audience(frozenset({"account:ada"})))) == 1
    assert len(seen(settings, now="2026-12-03T00:00:00Z")) == (access is None or embargo is not None)
    # What not everybody may see leaves no trace where everybody looks.
    assert (server_repository(settings).path / "contributor" / "ada").exists() == (access is None)


def test_a_private_challenge_makes_its_results_private(
    settings: Settings, make_run: MakeRun, make_challenge: MakeEntry
) -> None:
    make_challenge("secret", UID, private=True)
    make_challenge("other", "00000000000000bb", private=True)
    push(settings, make_run(), "ada", "secret", ONGOING)
    assert seen(settings) == []
    (row,) = seen(settings, Audience(frozenset({f"challenge:{UID}"})))
    assert row["challenges"][0] == UID
    with pytest.raises(UsageError, match="one private challenge"):
        push(settings, make_run(number=2), "ada", "secret", "other")


def test_its_owner_may_make_it_public_and_join_a_challenge_later(
    settings: Settings, make_run: MakeRun, make_challenge: MakeEntry
) -> None:
    make_challenge()
    run = make_run()
    push(settings, run, private=True)
    outcome = push(settings, run, "ada", ONGOING, now=NOW + timedelta(days=1))
    assert outcome.commit
    (row,) = seen(settings)
    assert row["accepted"] == "2026-12-02T12:00:00Z"
    push(settings, run, "ada", "go", now=NOW + timedelta(days=2))
    (row,) = seen(settings)
    assert (len(row["challenges"]), row["accepted"]) == (2, "2026-12-02T12:00:00Z")


def test_an_accuracy_run_pushed_later_completes_the_result(
    settings: Settings, make_run: MakeRun, tmp_path: Path
) -> None:
    performance = make_run(number=1)
    first = push(settings, performance)
    make_run(mode="accuracy", number=2)
    both = push(settings, tmp_path / "runs")
    assert [each.uid for each in both.accepted] == [each.uid for each in first.accepted]
    (row,) = seen(settings)
    assert (row["accuracy"], row["value"]) == (90.0, 1234.5)
    assert push(settings, performance).unchanged
    assert seen(settings) == [row]


def test_a_challenge_that_is_not_open_takes_nothing(
    settings: Settings, make_run: MakeRun, make_challenge: MakeEntry
) -> None:
    make_challenge("coming", UID, date_open="20270101")
    for name, words in (("optimize-mlperf-inference-v3.1", "closed"), ("coming", "not yet open")):
        with pytest.raises(UsageError, match=words):
            push(settings, make_run(), "ada", name)
    assert seen(settings) == []


@pytest.mark.parametrize("who", ["", "../x", "a b", "-x", "x\ny", "a" * 200])
def test_an_account_that_cannot_be_one(settings: Settings, make_run: MakeRun, who: str) -> None:
    with pytest.raises(UsageError, match="account"):
        push(settings, make_run(), who)


@pytest.mark.parametrize("moment", [NOW - timedelta(days=1), datetime(2030, 1, 1)])
def test_an_embargo_lies_ahead(settings: Settings, make_run: MakeRun, moment: datetime) -> None:
    with pytest.raises(UsageError, match="embargo"):
        push(settings, make_run(), embargo=moment)


def test_a_hostile_name_is_no_more_than_a_name(settings: Settings, make_run: MakeRun) -> None:
    push(settings, make_run(), display_name="--amend\n<root@x>\x1b[31m' \"; rm -rf /")
    root = server_repository(settings).path
    assert run_git(root, "log", "-1", "--format=%ae|%ce") == "ada@users.noreply.invalid|assay@users.noreply.invalid"
    assert len(run_git(root, "log", "--format=%H").split()) == 2


@pytest.mark.shared
def test_a_real_tree(settings: Settings, tmp_path: Path) -> None:
    if not SAMPLE.is_file():
        pytest.skip(f"the sample tree is not there: {SAMPLE.name}")
    with tarfile.open(SAMPLE) as archive:
        archive.extractall(tmp_path / "sample", filter="data")
    outcome = push(settings, tmp_path / "sample", "ada", ONGOING)
    assert outcome.round == "v3.0"
    # What was published in the closed division leaves fields of the system description empty.
    assert (len(outcome.accepted), len(outcome.refused)) == (7, 37)
    assert {each.division for each in outcome.accepted} == {"open"}
    assert {each.codes for each in outcome.refused} == {("system-field-empty",)}
    assert len(seen(settings)) == 7
    assert push(settings, tmp_path / "sample", "ada", ONGOING).unchanged
