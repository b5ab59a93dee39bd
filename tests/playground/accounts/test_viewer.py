from __future__ import annotations

import pytest

from assay.playground.accounts.refusals import DeniedError, SignInError, ThrottledError
from assay.playground.accounts.viewer import Role, Scope, Via, Viewer, local_viewer


def test_each_role_includes_those_before_it() -> None:
    reader, contributor, maintainer = (role.scopes for role in Role)
    assert reader < contributor < maintainer == frozenset(Scope)


def test_anybody_may_look_and_nothing_else() -> None:
    anybody = Viewer()
    assert anybody.require(Scope.READ) is anybody
    assert not (anybody.known or anybody.is_maintainer or anybody.audience.names or anybody.audience.everything)
    for scope in (Scope.PUSH, Scope.ADMIN):
        with pytest.raises(SignInError, match="nobody is signed in"):
            anybody.require(scope)


def test_what_is_not_allowed_says_why() -> None:
    ada = Viewer(name="Ada", role=Role.CONTRIBUTOR, via=Via.TOKEN, scopes=frozenset({Scope.READ}))
    with pytest.raises(DeniedError, match="this token does not"):
        ada.require(Scope.PUSH)
    with pytest.raises(DeniedError, match="the role contributor does not"):
        ada.require(Scope.ADMIN)


def test_the_single_user_sees_and_may_everything() -> None:
    me = local_viewer("ada", lambda: "token")
    assert (me.via, me.csrf, me.audience.everything, me.is_maintainer) == (Via.LOCAL, "token", True, True)
    assert "token" not in repr(me)


@pytest.mark.parametrize(("seconds", "told"), [(0.0, 1), (0.2, 1), (1.0, 1), (1.01, 2), (59.5, 60)])
def test_how_long_to_wait_is_told_in_whole_seconds(seconds: float, told: int) -> None:
    assert ThrottledError("wait", retry_after_s=seconds).retry_after_s == told
