from __future__ import annotations

from assay.playground.accounts.upload import NEXT, UploadState


def test_what_is_done_stays_as_it_is() -> None:
    assert {each for each in UploadState if each.done} == {
        UploadState.ACCEPTED,
        UploadState.REFUSED,
        UploadState.FAILED,
    }
    assert all(NEXT[each] == set() for each in UploadState if each.done)


def test_every_upload_can_come_to_an_end() -> None:
    for state in UploadState:
        reached, look = {state}, [state]
        while look:
            look = [each for each in set().union(*(NEXT[each] for each in look)) if each not in reached]
            reached |= set(look)
        assert any(each.done for each in reached)
