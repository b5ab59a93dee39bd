"""Home: what is here, the latest results, open challenges, and the question that people come with as a form."""

from __future__ import annotations

from assay.community.challenge import Challenge, Status
from assay.community.challenges import load_challenges
from assay.playground.here import Looking
from assay.playground.page import PageModel, Pages
from assay.results.facets import NONE, facets
from assay.results.latest import latest
from assay.results.overview import overview, whole
from assay.results.store import Store

pages = Pages("home")
_LATEST = 8
_ASKED = ("round", "benchmark", "category")


class RoundLine(PageModel):
    """A round with what it holds."""

    name: str
    results: int
    measured: int
    power: int
    organisations: int
    systems: int


class LatestResult(PageModel):
    """A result that was taken in or made here lately."""

    uid: str
    when: str | None
    organisation: str | None
    contributor: str | None
    system: str | None
    benchmark: str
    scenario: str
    value: float | None
    unit: str | None
    origin: str
    method: str
    official: bool | None
    labels: tuple[str, ...]


class OpenChallenge(PageModel):
    """A challenge that can be taken part in."""

    name: str
    title: str
    closes: str | None
    prize: str


class Choice(PageModel):
    """A field of the question with the values that it may have."""

    name: str
    values: tuple[str, ...]


class HomePage(PageModel):
    """What is here."""

    rounds: tuple[RoundLine, ...]
    results: int
    own_results: int
    organisations: int
    systems: int
    latest: tuple[LatestResult, ...]
    challenges: tuple[OpenChallenge, ...]
    choices: tuple[Choice, ...]


@pages.get("/", template="home.html", kept=True)
def home(here: Looking) -> HomePage:
    """What there is: rounds, results, systems, the latest of them, and challenges that are open."""
    counts = overview(here.store)
    organisations, systems = whole(here.store)
    rounds = [each for each in counts if each.official]
    return HomePage(
        rounds=tuple(
            RoundLine(
                name=each.round,
                results=each.results,
                measured=each.measured,
                power=each.power,
                organisations=each.organisations,
                systems=each.systems,
            )
            for each in reversed(rounds)
        ),
        results=sum(each.results for each in rounds),
        own_results=sum(each.results for each in counts if not each.official),
        organisations=organisations,
        systems=systems,
        latest=_latest(here.store),
        challenges=tuple(
            _open(each) for each in load_challenges(here.settings, here.viewer.audience, here.now).of(Status.OPEN)
        ),
        choices=tuple(
            Choice(name=facet.name, values=tuple(each.value for each in facet.values if each.value != NONE))
            for facet in facets(here.store, here.names, {}, wanted=_ASKED).facets
        ),
    )


def _latest(store: Store) -> tuple[LatestResult, ...]:
    return tuple(
        LatestResult(**{name: getattr(each, name) for name in LatestResult.model_fields})
        for each in latest(store, _LATEST)
    )


def _open(challenge: Challenge) -> OpenChallenge:
    closes = challenge.closes
    return OpenChallenge(
        name=challenge.name,
        title=challenge.title,
        closes=closes.isoformat() if closes else None,
        prize=challenge.prize_short,
    )
