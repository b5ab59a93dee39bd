"""A server with accounts, challenges (one of them private), results (one of them under an embargo) and reports."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from starlette.testclient import TestClient
from tests.playground.conftest import accounts_of, newcomer, server_app, signed_in
from tests.results.rows import make_row, put

from assay.base.settings import Settings
from assay.cm.artifact import CHALLENGE, CONTRIBUTOR, REPORT, Automation
from assay.cm.repository import local_repository
from assay.playground.accounts.audit import CONSOLE
from assay.playground.accounts.viewer import Role
from assay.results import store
from assay.results.model import Origin
from assay.results.row import Row

OPEN, SECRET = "00112233445566aa", "00112233445566bb"
FAR = "2999-01-01T00:00:00Z"
WORDS = ("hush", "whisper", "Mallory", "murmur", "00112233445566bb")
"""What nobody may read who is neither a member nor a maintainer."""


def accepted(number: int, who: str, figure: float, **changes: Any) -> Row:
    """A row of an accepted result of the open challenge."""
    given: dict[str, Any] = {
        "contributor": who,
        "challenges": (OPEN,),
        "accepted": f"2026-01-{number + 1:02}T10:00:00Z",
        "origin": Origin.LOCAL,
        "division": "open",
        "value": figure,
        "samples_per_second": figure,
        "accuracy": 0.75,
        "source_kind": "run",
    }
    return make_row(number, **{**given, **changes})


ROWS = (
    accepted(0, "ada", 100.0, labels=("short-run",)),
    accepted(1, "bob", 80.0),
    accepted(2, "Mallory", 70.0, challenges=(SECRET,), access=f"challenge:{SECRET}", system="hush box"),
    accepted(3, "bob", 60.0, access="account:bob", embargo=FAR, system="whisper box", challenges=(OPEN,)),
)
ADAS, BOBS, SECRETS, EMBARGOED = (each.uid for each in ROWS)


def entry(settings: Settings, kind: Automation, alias: str, uid: str, *, readme: str = "", **meta: Any) -> Path:
    """Write an entry into the local repository; its folder."""
    folder = local_repository(settings).root / kind.alias / alias
    folder.mkdir(parents=True, exist_ok=True)
    whole = {"alias": alias, "uid": uid, "automation_alias": kind.alias, "automation_uid": kind.uid, "tags": []}
    (folder / "_cm.yaml").write_text(yaml.safe_dump({**whole, **meta}), encoding="utf-8")
    if readme:
        (folder / "README.md").write_text(readme, encoding="utf-8")
    return folder


def fill(settings: Settings) -> None:
    """Everything that is in the files."""
    put(settings, ROWS)
    folder = entry(
        settings, CHALLENGE, "summer", OPEN, title="Summer tour", date_open="20260101", timezone="Europe/Paris",
        tasks=["image classification"], rounds=["v3.0"], benchmarks=["resnet", "gptj-99"], prize_short="a cup",
        prize="A cup of tea", trophies=True, points=2, scoring={"accepted": 2, "first": 5, "report": 3},
        rules=["Be **kind**.", "<script>alert(1)</script>"], experiments=[{"tags": "mlperf-inference,v3.0"}],
        how_to=[{"title": "Push", "command": "assay push RUN --to https://playground.example --challenge summer"}],
        timeline=[{"date": "20260401", "what": "A party."}], urls=["https://a.example/x"], colour="blue",
        readme="# Summer tour\n\nGo to [the text](docs/more.md), or [nowhere](javascript:alert(1)). <img src=x onerror=y>\n",
    )  # fmt: skip
    (folder / "docs").mkdir(exist_ok=True)
    (folder / "docs" / "more.md").write_text("# More of it\n\nBack to [the tour](../README.md).\n", encoding="utf-8")
    entry(settings, CHALLENGE, "hush", SECRET, title="The hush prize", private=True, readme="Only a whisper.",
          date_open="20260101", tasks=["murmur"], rounds=["v2.0"])  # fmt: skip
    entry(settings, CHALLENGE, "past", "00112233445566cc", title="Past", date_open="20200101", date_close="20200201")
    entry(settings, CHALLENGE, "later", "00112233445566dd", title="Later", date_open="29990101")
    entry(settings, CHALLENGE, "soon", "00112233445566ee", title="Soon", under_preparation=True)
    entry(settings, CHALLENGE, "broken", "00112233445566ff", title="Broken", date_open="never")
    entry(
        settings, CONTRIBUTOR, "ada", "00000000000000d1", name="Ada L.", organization="Acme", challenges=["hush"],
        points=[{"point": 3, "desc": "for the logo"}], trophies=[{"url": "https://t.example/cup.svg"}],
        urls=["https://ada.example"], readme="I am **Ada**. <script>alert(1)</script>",
    )  # fmt: skip
    entry(settings, REPORT, "again", "00000000000000e1", title="Ran it again", verdict="reproduced", contributor="bob",
          date="20260201", tags=[f"result-{ADAS}"], figures={"value": 50, "remark": "warm"},
          readme="# Ran it again\n\nAs **good**. <script>alert(1)</script>")  # fmt: skip
    entry(settings, REPORT, "elsewhere", "00000000000000e2", title="Told elsewhere", redirect="https://r.example/x")
    entry(settings, REPORT, "murmur", "00000000000000e3", title="A murmur", contributor="Mallory", verdict="failed",
          tags=[f"challenge-{SECRET}"])  # fmt: skip
    entry(settings, REPORT, "early", "00000000000000e4", title="Of the whisper box", contributor="Mallory",
          tags=[f"result-{EMBARGOED}"])  # fmt: skip


@dataclass(frozen=True)
class Together:
    """Browsers at one server.

    Attributes:
        member: takes part in the private challenge.
        other: has an account and takes part in nothing.
        reader: may not take part.
    """

    settings: Settings
    anybody: TestClient
    member: TestClient
    other: TestClient
    reader: TestClient
    maintainer: TestClient

    def all(self) -> dict[str, TestClient]:
        """Everybody by name."""
        names = ("anybody", "member", "other", "reader", "maintainer")
        return {name: getattr(self, name) for name in names}


@contextlib.contextmanager
def together(home: Path) -> Iterator[Together]:
    """A server over a new home."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "PUBLISHED", Path("no such table"))
        settings = Settings(home)
        fill(settings)
        with server_app(settings) as client:
            member = signed_in(client, "Mallory")
            accounts_of(client).memberships.admit("Mallory", SECRET, by=CONSOLE)
            yield Together(
                settings,
                newcomer(client),
                member,
                signed_in(client, "Otto"),
                signed_in(client, "Rob", Role.READER),
                signed_in(client, "Maria", Role.MAINTAINER),
            )
