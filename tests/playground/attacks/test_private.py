"""Nothing hidden is told: whoever may not see it gets the same answers, byte for byte, as where it does not exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from .harm import routes, sound
from .worlds import HIDDEN, PUBLIC, SECRET, WORDS, World, told, world

NAMES = {
    "/results": [PUBLIC[0].uid, PUBLIC[8].uid, PUBLIC[9].uid, "aaaa0000", *(each.uid for each in HIDDEN), "eeee"],
    "/systems": ["box0", "box1", "box7", "hush box", "sottovoce box"],
    "/organisations": ["Acme", "Bolt", "Hushcorp"],
    "/benchmarks": ["resnet", "gptj-99", "hush"],
    "/rounds": ["v3.0", "v3.1", "v2.1", "hush"],
    "/challenges": ["summer", "hush", SECRET, "murmur"],
    "/contributors": ["ada", "bob", "Mallory", "Nobody-Else", "Zeno", "Otto"],
    "/reports": ["again", "murmur", "hush-private", "hush-early", "00000000000000e3"],
    "/views": ["shown", "hush-view", "00000000000000f2"],
    "/runs": ["hush"],
    "/uploads": ["hush"],
    "/docs": ["getting-started"],
}


def in_turns(forms: tuple[str, ...], asked: tuple[str, ...]) -> Iterator[str]:
    """Each question as a page, and in one of the other forms, which read the same."""
    for number, question in enumerate(asked):
        yield forms[0] + question
        yield forms[1 + number % (len(forms) - 1)] + question


LISTS = (
    "/explorer.json", "/explorer/chart.json", "/explorer", "/explorer.csv", "/explorer.ndjson", "/explorer.svg", "/embed/explorer",
)  # fmt: skip
"""The first with every view, the others in turns."""
VIEWS = (
    "", "?include=inferred,refused,local", "?include=local&include=inferred&benchmark=gptj-99", "?accelerator=Hush%20H9",
    "?filter=watts<2", "?filter=access!=%22%22", "?filter=contributor==%22Mallory%22&include=local", "?best=1&pareto=1",
    "?columns=uid,access,embargo,contributor,notes&sort=-value&include=local", "?system=hush%20box", "?round=v2.1",
    "?mark=bar&x=organisation&y=value", "?mark=box&x=accelerator", "?facet=round&color=contributor&include=local",
    "?challenges=" + SECRET, "?filter=system%20in%20(%22sottovoce%20box%22)", "?framework=hushflow", "?model=hushnet",
)  # fmt: skip
ASKED = (
    *in_turns(("/search", "/search.json", "/search/suggest.json"), tuple(f"?q={word}" for word in (
      "hush", "box", "mallory", "eeee", "summer", "aaaa0000", "zeno", "murmur", "v2.1", "gptj", "prize", "a"))),
    *(f"/explorer/complete.json?text={text}" for text in ("accelerator%20==%20%22", "round%20==%20%22v", "hus", "system%20==%20%22h")),
    *(f"/compare{form}?result={PUBLIC[0].uid}&result={uid}" for form in ("", ".json", ".csv", "/ratios.json")
      for uid in (PUBLIC[1].uid, HIDDEN[0].uid, HIDDEN[3].uid)),
    *(f"/compare.json?system=Acme/{name}&system=Acme/box0" for name in ("box1", "hush%20box", "sottovoce%20box")),
    *in_turns(("/systems", "/systems.json", "/systems.csv"), ("?q=box", "?q=hush", "?organisation=Hushcorp", "?accelerator=Hush%20H9",
      "?round=v2.1", "?sort=-results", "?category=datacenter")),
    *(f"/challenges{form}?{asked}" for form in ("", ".json") for asked in ("q=hush", "task=murmur", "round=v2.1", "status=open")),
    *in_turns(("/contributors", "/contributors.json", "/contributors.csv"), tuple(f"?q={word}" for word in ("mallory", "ada", "zeno", "nobody"))),
    *(f"/reports{form}?{asked}" for form in ("", ".json") for asked in ("q=murmur", "q=hush", "verdict=failed", "verdict=reproduced")),
    *(f"/reports/new.json?{asked}" for asked in ("result=" + HIDDEN[0].uid, "challenge=hush", "challenge=" + SECRET)),
    "/submit?challenge=hush", "/submit?challenge=summer", "/submit.json?challenge=" + SECRET, "/uploads?all=1", "/people", "/people/audit",
    "/benchmarks/resnet.json?metric=watts", "/benchmarks/resnet.json?round=v3.1", "/benchmarks/resnet?division=open&category=datacenter",
    "/rounds/v3.0?division=open", "/static/hush/hush", "/sitemap.xml", "/hush", "/api/uploads/hush", "/healthz", "/robots.txt",
    "/views/hush-view?x=1", "/results/closed/Acme/results/box0/hush", "/explorer.png?benchmark=resnet", "/explorer.parquet?include=local",
    "/challenges/summer/standings.json?group=resnet/Offline/edge", "/challenges/hush/standings.json?group=resnet/Offline/edge",
)  # fmt: skip
_NOT_WALKED = ("/metrics",)
"""Figures of the machine, for who looks after the server."""


def _walk() -> Iterator[str]:
    """Every page, with names that are shown and names that are hidden."""
    for path in sorted({route.path for route in routes("GET")} - set(_NOT_WALKED)):
        names = NAMES.get("/" + path.split("/")[1].partition(".")[0], ["hush"])
        forms = ("json", "svg") if "{form}" in path else ("",)
        for name in names if "{" in path.replace("{form}", "") else ("",):
            for form in forms:
                filled = path.replace("{form}", form if path != "/explorer.{form}" else "csv")
                filled = filled.replace("{organisation}", "Hushcorp" if name == "hush box" else "Acme")
                yield re.sub(r"{[^}]+}", name.replace(" ", "%20"), filled)
    for number, view in enumerate(VIEWS):
        for page in LISTS[:3]:
            yield page + view
        yield LISTS[3 + number % (len(LISTS) - 3)] + view
    yield from ASKED


ADDRESSES = tuple(dict.fromkeys(_walk()))


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, World]]:
    with (
        world(tmp_path_factory.mktemp("with"), hidden=True) as full,
        world(tmp_path_factory.mktemp("without"), hidden=False) as plain,
    ):
        yield full, plain


def _first(address: str) -> str:
    return address.split("/")[1].partition(".")[0].partition("?")[0]


KINDS = sorted({_first(address) for address in ADDRESSES})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("who", ["anybody", pytest.param("other", marks=pytest.mark.slow)])
def test_worlds_with_and_without_hidden_things_are_told_alike(worlds: tuple[World, World], who: str, kind: str) -> None:
    full, plain = worlds
    for number, address in enumerate(ADDRESSES):
        # Who is signed in and takes part in nothing sees what anybody does: of views and searches every third is enough.
        if _first(address) != kind or (who == "other" and "?" in address and number % 3):
            continue
        asked: dict[str, Any] = {"headers": {"accept": "text/html"}, "follow_redirects": False}
        one, other = getattr(full, who).get(address, **asked), getattr(plain, who).get(address, **asked)
        assert told(sound(one)) == told(other), address
        for word in WORDS:
            if word not in address.lower().replace("%20", " "):
                assert word not in one.text.lower(), (address, word)


def test_hidden_things_are_there_for_who_may_see_them(worlds: tuple[World, World]) -> None:
    full, plain = worlds
    for name in ("/challenges/hush", "/results/" + HIDDEN[0].uid, "/reports/murmur", "/views/hush-view"):
        assert full.member.get(name, follow_redirects=False).status_code < 400, name
        assert full.maintainer.get(name, follow_redirects=False).status_code < 400, name
    for name in (
        "/challenges.json",
        "/explorer.json?include=local",
        "/systems.json",
        "/contributors.json",
        "/search.json?q=hush",
    ):
        assert told(full.member.get(name)) != told(plain.anybody.get(name)), name


def test_not_even_whether_something_has_changed_is_told(worlds: tuple[World, World]) -> None:
    full, plain = worlds
    for page in ("/", "/explorer", "/systems", "/benchmarks/resnet", "/organisations/Acme", "/rounds"):
        tags = [each.anybody.get(page, headers={"accept": "text/html"}).headers.get("etag") for each in worlds]
        assert tags[0] == tags[1] is not None, page
        again = plain.anybody.get(page, headers={"accept": "text/html", "if-none-match": tags[0] or ""})
        assert again.status_code == 304
        assert again.content == b""
        heads = [each.anybody.head(page, headers={"accept": "text/html"}) for each in worlds]
        assert dict(heads[0].headers) == dict(heads[1].headers)
        # Nobody may hold on to what a member sees.
        seen = full.member.get(page, headers={"accept": "text/html", "if-none-match": tags[0] or ""})
        assert seen.status_code == 200
        assert "public" not in seen.headers["cache-control"]


def test_a_member_who_looked_before_leaves_nothing_behind(worlds: tuple[World, World]) -> None:
    full, plain = worlds
    for address in (
        "/",
        "/systems",
        "/explorer?include=local",
        "/benchmarks/resnet",
        "/search?q=hush",
        "/explorer.csv?include=local",
    ):
        full.member.get(address, headers={"accept": "text/html"})
        full.maintainer.get(address, headers={"accept": "text/html"})
        asked = {"headers": {"accept": "text/html"}}
        one, other = told(full.anybody.get(address, **asked)), told(plain.anybody.get(address, **asked))
        assert one[2].decode() == other[2].decode(), address
        assert one == other, address
