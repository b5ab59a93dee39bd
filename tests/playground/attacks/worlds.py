"""Two worlds: one with hidden things in it, and one without them; who may not see them cannot tell which is which."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.playground.conftest import accounts_of, newcomer, server_app, signed_in
from tests.playground.pages.together import FAR, OPEN, SECRET, accepted, entry
from tests.results.rows import make_row, put

from assay.base.settings import Settings
from assay.cm.artifact import CHALLENGE, CONTRIBUTOR, REPORT, VIEW
from assay.playground.accounts.audit import CONSOLE
from assay.playground.accounts.viewer import Role
from assay.results import store
from assay.results.row import Row

PAST = "2020-01-01T00:00:00Z"
ACCESS = f"challenge:{SECRET}"
PUBLIC: tuple[Row, ...] = (
    *(make_row(number, uid=f"aaaa{number:012x}", accelerator="Shown A1", watts=50.0) for number in range(4)),
    *(make_row(number, uid=f"aaab{number:012x}", scenario="SingleStream", round="v3.1") for number in range(3)),
    make_row(
        7,
        uid="cccc000000000001",
        organisation="Bolt",
        accelerator="Shown B2",
        category=("datacenter",),
        model="resnet50",
    ),
    accepted(10, "ada", 100.0, uid="dddd000000000001", labels=("short-run",)),
    accepted(11, "bob", 80.0, uid="dddd000000000002", access="account:bob", embargo=PAST),
)
"""What everybody sees; the last was hidden until 2020."""
HIDDEN: tuple[Row, ...] = (
    # Better than all that are shown; beside one of them; under a uid that begins as one of theirs does.
    make_row(0, uid="aaaa0000000000ff", location="closed/Acme/results/box0/hush", scenario="Server", access=ACCESS,
             value=9e9, samples_per_second=9e9, watts=1.0, contributor="Mallory"),
    make_row(20, uid="eeee000000000001", organisation="Hushcorp", system="hush box", accelerator="Hush H9", access=ACCESS,
             value=8e9, samples_per_second=8e9, watts=1.0, category=("edge", "datacenter"), notes="hush hush"),
    make_row(21, uid="eeee000000000002", round="v2.1", benchmark="gptj-99", task="language-processing", scenario="Server",
             system="sottovoce box", access="account:Mallory", framework="hushflow", processor="Hush P1", model="hushnet"),
    make_row(1, uid="eeee000000000003", access="account:bob", embargo=FAR, round="v3.1", division="open",
             availability="preview", value=7e9, samples_per_second=7e9),
    accepted(22, "Mallory", 900.0, uid="eeee000000000004", access=ACCESS, challenges=(SECRET,)),
    accepted(23, "ada", 950.0, uid="eeee000000000005", access="account:ada", embargo=FAR),
    accepted(24, "Nobody-Else", 960.0, uid="eeee000000000006", access="account:Nobody-Else"),
)  # fmt: skip
WORDS = ("hush", "sottovoce", "mallory", "nobody-else", SECRET, "eeee0000", "aaaa0000000000ff", "zeno", "murmur")
_CHANGING = (
    # The renderer of pictures numbers its own parts on and on.
    (re.compile(rb"\b(clip|gradient_)\d+"), rb"\1"),
    (re.compile(rb'"id":"[0-9a-f]{16}","created"'), b"BROWSER"),
    (re.compile(rb'name="csrf" value="[^"]*"'), b"CSRF"),
    (re.compile(rb"\b20\d\d-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|\+00:00)?"), b"MOMENT"),
    (re.compile(rb"\b\d{1,2} [A-Z][a-z]{2} 20\d\d(, \d\d:\d\d( UTC)?)?"), b"DAY"),
)


def fill(settings: Settings, *, hidden: bool) -> None:
    """The files of a world."""
    put(settings, PUBLIC)
    entry(settings, CHALLENGE, "summer", OPEN, title="Summer tour", date_open="20260101", tasks=["image classification"],
          rounds=["v3.0"], benchmarks=["resnet"], points=2, scoring={"accepted": 2, "first": 5, "report": 3})  # fmt: skip
    entry(settings, CONTRIBUTOR, "ada", "00000000000000d1", name="Ada L.", organization="Acme",
          challenges=["summer", *(["hush"] if hidden else [])])  # fmt: skip
    entry(settings, REPORT, "again", "00000000000000e1", title="Ran it again", verdict="reproduced", contributor="bob",
          date="20260201", tags=["result-dddd000000000001"], readme="# Again\n\nGood.")  # fmt: skip
    entry(settings, VIEW, "shown", "00000000000000f1", title="Shown", query="round=v3.0", contributor="ada")
    if not hidden:
        return
    put(settings, HIDDEN, name="two")
    entry(settings, CHALLENGE, "hush", SECRET, title="The hush prize", private=True, readme="Only a sottovoce.",
          date_open="20260101", tasks=["murmur"], rounds=["v2.1"], benchmarks=["gptj-99"])  # fmt: skip
    entry(settings, REPORT, "murmur", "00000000000000e3", title="A murmur", contributor="Mallory", verdict="failed",
          date="20260601", tags=[f"challenge-{SECRET}"])  # fmt: skip
    entry(settings, REPORT, "hush-private", "00000000000000e4", title="Hush", private=True, contributor="Mallory",
          date="20260602", tags=["result-dddd000000000001"], verdict="failed")  # fmt: skip
    entry(settings, REPORT, "hush-early", "00000000000000e5", title="Of a sottovoce", contributor="bob",
          date="20260603", tags=["result-eeee000000000003"], verdict="reproduced")  # fmt: skip
    entry(settings, VIEW, "hush-view", "00000000000000f2", title="Hush view", query="round=v2.1", private=True,
          contributor="Mallory")  # fmt: skip


@dataclass(frozen=True)
class World:
    """Browsers at a server.

    Attributes:
        anybody: without an account.
        other: signed in; takes part in nothing.
        member: takes part in the hidden challenge, where there is one.
    """

    anybody: TestClient
    other: TestClient
    member: TestClient
    maintainer: TestClient


@contextlib.contextmanager
def world(home: Path, *, hidden: bool) -> Iterator[World]:
    """A server over a new home, which nothing is published to."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "PUBLISHED", Path("no such table"))
        settings = Settings(home)
        fill(settings, hidden=hidden)
        with server_app(settings) as client:
            other, maintainer = signed_in(client, "Otto"), signed_in(client, "Maria", Role.MAINTAINER)
            member = signed_in(client, "Mallory") if hidden else other
            if hidden:
                accounts_of(client).memberships.admit("Mallory", SECRET, by=CONSOLE)
                signed_in(client, "Zeno")
            yield World(newcomer(client), other, member, maintainer)


def told(answer: Any) -> tuple[int, Mapping[str, str], bytes]:
    """What an answer says, without what changes from one moment to the next."""
    body = answer.content
    for pattern, word in _CHANGING:
        body = pattern.sub(word, body)
    changed = body != answer.content
    left = {"date", "x-request-id", "set-cookie", *(("content-length", "etag") if changed else ())}
    headers = {name: value for name, value in answer.headers.items() if name not in left}
    return answer.status_code, headers, body
