from __future__ import annotations

from datetime import UTC

from assay.playground.accounts.settings import AccountSettings, SignUp, utc_now


def test_who_says_nothing_gets_a_careful_server() -> None:
    settings = AccountSettings()
    assert settings.sign_up is SignUp.INVITATION
    assert settings.token_days <= 366 and settings.session_hours <= 24 * 31


def test_the_time_is_told_in_utc() -> None:
    assert utc_now().tzinfo is UTC
