from __future__ import annotations

import threading

import pytest
from argon2 import PasswordHasher, extract_parameters

from assay.errors import InvalidInputError, MachineError
from assay.playground.accounts import passwords
from assay.playground.accounts.passwords import Passwords, check_new
from assay.playground.accounts.settings import Hashing

from .conftest import CHEAP, GOOD


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("", "too short"),
        ("nine char", "too short"),
        ("x" * 257, "too long"),
        ("aaaaaaaaaaaa", "too simple"),
        ("abababababab", "too simple"),
        ("Charles-Babbage1", "the name"),
    ],
)
def test_passwords_that_cannot_be(password: str, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words) as caught:
        check_new(password, "charles-babbage")
    assert password not in str(caught.value) or not password


def test_a_password_is_the_same_on_every_keyboard() -> None:
    """A letter with an accent may come as one character or as two."""
    hasher = Passwords(CHEAP)
    hashed = hasher.hash(check_new("caf\u00e9 au lait, please"))
    assert hasher.verify(hashed, "cafe\u0301 au lait, please")


def test_hashes_are_argon2id_at_the_cost_of_the_settings() -> None:
    assert Passwords(CHEAP).hash(GOOD).startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert Hashing() == Hashing(passes=3, memory_kib=65536, lanes=4), "the second choice of RFC 9106"


def test_every_hash_has_salt_of_its_own() -> None:
    hasher = Passwords(CHEAP)
    assert hasher.hash(GOOD) != hasher.hash(GOOD)


def test_no_hash_is_never_right() -> None:
    hasher = Passwords(CHEAP)
    assert not hasher.verify(None, GOOD)
    assert not hasher.verify("not a hash", GOOD)
    assert not hasher.verify(hasher.hash(GOOD), GOOD + "!")


def test_as_much_work_without_a_hash_as_with_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no hash another one of the same cost is held against the password: nobody learns which names there are."""
    hasher = Passwords(Hashing(passes=2, memory_kib=2048, lanes=1))
    known = hasher.hash(GOOD)
    looked_at: list[str] = []
    verify = PasswordHasher.verify

    def watched(self: PasswordHasher, hashed: str, password: bytes) -> bool:
        looked_at.append(hashed)
        return verify(self, hashed, password)

    monkeypatch.setattr(PasswordHasher, "verify", watched)
    for hashed in (known, None):
        assert not hasher.verify(hashed, "wrong password")
    with_hash, without = (extract_parameters(each) for each in looked_at)
    assert with_hash == without
    assert looked_at[1] != known


def test_a_cheaper_hash_is_outdated() -> None:
    cheap = Passwords(CHEAP).hash(GOOD)
    dear = Passwords(Hashing(passes=2, memory_kib=16, lanes=1))
    assert dear.is_outdated(cheap) and not dear.is_outdated(dear.hash(GOOD))
    assert dear.verify(cheap, GOOD)


def test_a_bounded_number_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_WAIT_S", 0.01)
    hasher = Passwords(Hashing(passes=1, memory_kib=8, lanes=1, at_once=1))
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with hasher._turn():
            held.set()
            release.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(10)
    with pytest.raises(MachineError, match="at once"):
        hasher.hash(GOOD)
    release.set()
    thread.join()
    assert hasher.hash(GOOD)
