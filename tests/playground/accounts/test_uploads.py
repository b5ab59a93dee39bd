from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from assay.errors import InvalidInputError, NotFoundError
from assay.playground.accounts.refusals import ThrottledError
from assay.playground.accounts.service import Accounts
from assay.playground.accounts.uploads import LARGEST_OUTCOME, Upload, UploadState
from assay.playground.accounts.viewer import Viewer

from .conftest import ADDRESS, GOOD, ROOT, Clock, open_accounts

UID = "1f2e3d4c5b6a7980"
ANYBODY = Viewer()


def sent(accounts: Accounts, name: str = "Ada", **more: Any) -> Upload:
    return accounts.uploads.receive(name, "tree.tar.gz", size=3 << 31, sha256="ab" * 32, by=ROOT, **more)


def accepted(accounts: Accounts, upload: Upload) -> Upload:
    accounts.uploads.move(upload.id, UploadState.CHECKING, by=ROOT)
    return accounts.uploads.move(upload.id, UploadState.ACCEPTED, by=ROOT, outcome={"results": 3}, commit="c" * 40)


def viewer(accounts: Accounts, name: str) -> Viewer:
    return accounts.sign_in(name, GOOD, ADDRESS).viewer


def test_the_way_of_an_upload(accounts: Accounts, clock: Clock) -> None:
    upload = sent(accounts, challenges=[UID, UID])
    assert (upload.state, upload.size, upload.challenges) == (UploadState.RECEIVED, 3 << 31, (UID,))
    clock.turn(seconds=5)
    done = accepted(accounts, upload)
    assert (done.state.done, done.outcome, done.commit) == (True, {"results": 3}, "c" * 40)
    assert done.changed - done.created == timedelta(seconds=5)
    assert accounts.uploads.get(upload.id, ANYBODY) == done
    assert [entry.action for entry in accounts.audit.entries(target=upload.id)] == ["upload.accepted", "upload.receive"]


@pytest.mark.parametrize("state", [UploadState.ACCEPTED, UploadState.REFUSED, UploadState.RECEIVED])
def test_no_state_is_left_out(accounts: Accounts, state: UploadState) -> None:
    upload = sent(accounts)
    with pytest.raises(InvalidInputError, match="cannot become"):
        accounts.uploads.move(upload.id, state, by=ROOT)
    accounts.uploads.move(upload.id, UploadState.FAILED, by=ROOT)
    with pytest.raises(InvalidInputError, match="cannot become"):
        accounts.uploads.move(upload.id, UploadState.CHECKING, by=ROOT)


def test_who_sees_an_upload(accounts: Accounts, clock: Clock) -> None:
    accounts.memberships.admit("Rob", UID, by=ROOT)
    ada, rob, maria = (viewer(accounts, name) for name in ("Ada", "Rob", "Maria"))
    waiting = sent(accounts)
    public = accepted(accounts, sent(accounts))
    private = accepted(accounts, sent(accounts, private=True))
    shared = accepted(accounts, sent(accounts, private=True, challenges=[UID]))
    later = accepted(accounts, sent(accounts, private=True, embargo=clock() + timedelta(days=1)))
    everything = {each.id for each in (waiting, public, private, shared, later)}

    def seen(who: Viewer) -> set[str]:
        listed = {each.id for each in accounts.uploads.list(who)}
        for upload_id in everything:
            if upload_id in listed:
                assert accounts.uploads.get(upload_id, who).id == upload_id
            else:
                with pytest.raises(NotFoundError, match="no upload"):
                    accounts.uploads.get(upload_id, who)
        return listed

    assert seen(ada) == everything == seen(maria)
    assert seen(ANYBODY) == {public.id}
    assert seen(rob) == {public.id, shared.id}
    clock.turn(days=1)
    assert seen(ANYBODY) == {public.id, later.id}


def test_lists(accounts: Accounts, clock: Clock) -> None:
    maria, made = viewer(accounts, "Maria"), []
    for name in ("Ada", "Rob", "Ada"):
        clock.turn(seconds=1)
        made.append(sent(accounts, name))
    assert [each.id for each in accounts.uploads.list(maria)] == [each.id for each in reversed(made)]
    assert [each.id for each in accounts.uploads.list(maria, account="rob")] == [made[1].id]
    assert [each.id for each in accounts.uploads.list(maria, before=made[1].created)] == [made[0].id]
    assert accounts.uploads.list(maria, state=UploadState.REFUSED) == []
    assert len(accounts.uploads.list(maria, limit=1)) == 1
    assert accounts.uploads.counts() == {state: 3 if state is UploadState.RECEIVED else 0 for state in UploadState}


def test_not_too_many_wait(database_url: str, clock: Clock) -> None:
    accounts = open_accounts(database_url, clock, uploads_waiting=2)
    for name in ("Ada", "Rob"):
        accounts.people.add(name, by=ROOT)
    first = sent(accounts)
    sent(accounts)
    with pytest.raises(ThrottledError, match="too many uploads"):
        sent(accounts)
    sent(accounts, "Rob")
    accounts.uploads.move(first.id, UploadState.FAILED, by=ROOT)
    sent(accounts)
    accounts.close()


def test_what_was_being_checked_when_the_server_stopped(accounts: Accounts) -> None:
    one, two = sent(accounts), accepted(accounts, sent(accounts))
    accounts.uploads.move(one.id, UploadState.CHECKING, by=ROOT)
    assert accounts.uploads.recover(by=ROOT) == 1
    maria = viewer(accounts, "Maria")
    assert accounts.uploads.get(one.id, maria).state is UploadState.FAILED
    assert "stopped" in accounts.uploads.get(one.id, maria).outcome["error"]
    assert accounts.uploads.get(two.id, maria).state is UploadState.ACCEPTED


def test_names_and_outcomes_are_bounded(accounts: Accounts) -> None:
    names = {
        "../../etc/passwd": "passwd",
        "C:\\a\\b.zip": "b.zip",
        "a\n\x00b.zip": "ab.zip",
        "": "upload",
        "x" * 999: "x" * 200,
    }
    for name, kept in names.items():
        assert accounts.uploads.receive("Rob", name, size=1, sha256="0" * 64, by=ROOT).file_name == kept
    upload = sent(accounts)
    with pytest.raises(InvalidInputError, match="too large"):
        accounts.uploads.move(upload.id, UploadState.CHECKING, by=ROOT, outcome={"findings": "x" * LARGEST_OUTCOME})
    with pytest.raises(NotFoundError):
        accounts.uploads.move("0" * 16, UploadState.CHECKING, by=ROOT)
