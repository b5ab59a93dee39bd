"""Expressions and SQL of strangers: a text is read as an expression of ours or refused, and never run as anything else."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml
from starlette.testclient import TestClient
from tests.playground.conftest import HTML, local_app
from tests.playground.pages.together import entry
from tests.results.rows import make_row, put

from assay.base.settings import Settings
from assay.cm.artifact import CHALLENGE, CONTRIBUTOR, REPORT, VIEW
from assay.errors import AssayError
from assay.results import store
from assay.results.metrics import load_metrics, load_values
from assay.results.query import Query, run_query
from assay.results.store import existing_store, open_store

from .harm import sound

PROGRAMS = (
    "__import__('os').system('touch {path}')",
    "().__class__.__bases__[0].__subclasses__()",
    "exec(\"open('{path}','w')\")",
    "eval(compile('1','','exec'))",
    "open('{path}','w').write('x')",
    "lambda: 1",
    "[x for x in (1,)]",
    "value.__class__",
    "{{7*7}}",
    "${{7*7}}",
    "constructor.constructor('return process')()",
    "datum.value; alert(1)",
    "fetch('//evil.example')",
    "1e999999999",
    "value ** value ** value ** 9",
    "9" * 400,
    "'" + "a" * 3000 + "'",
)
STATEMENTS = (
    "'; DROP TABLE results; --",
    "1; COPY (SELECT 1) TO '{path}'; --",
    "1) UNION SELECT * FROM read_text('/etc/passwd') --",
    "(SELECT content FROM read_text('/etc/passwd'))",
    "value > 0 OR 1=1",
    "value) OR (1=1",
    "\"; ATTACH '{path}' AS x; --",
    "x' OR access IS NOT NULL OR 'a'='a",
    "$1",
    "?",
    "value /* */ --",
    "value; INSTALL httpfs; LOAD httpfs",
    "getenv('HOME')",
    "current_setting('access_mode')",
    "results.value",
    "\\x27 OR 1=1",
    "\u02bc OR 1=1",
    "%27%20OR%201=1",
    "pg_sleep(10)",
    "range(1000000000)",
)
ATTACKS = (*PROGRAMS, *STATEMENTS)
EXPRESSIONS = ("filter", "x", "y", "color", "size", "facet", "sort", "columns", "metric", "xlines", "title")
SECRET = "nobody-may-see-this"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("injection")


@pytest.fixture(scope="module")
def attacked(home: Path) -> Iterator[TestClient]:
    """A playground whose own challenges, reports and views hold the attacks, too."""
    settings = Settings(home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "PUBLISHED", Path("no such table"))
        put(settings, [make_row(number) for number in range(3)])
        for number, raw in enumerate(ATTACKS):
            text = raw.replace("{path}", str(home / "pwned"))
            entry(settings, CHALLENGE, f"a{number}", f"a{number:015x}", title=text, date_open="20260101", filter=text,
                  tags=[text], experiments=[{"tags": text}, {"name": text}], tasks=[text])  # fmt: skip
            entry(settings, CHALLENGE, f"b{number}", f"b{number:015x}", title="B", date_open="20260101",
                  ranking={"metric": text}, rounds=[text], benchmarks=[text], scenarios=[text], divisions=[text])  # fmt: skip
            entry(settings, CONTRIBUTOR, f"d{number}", f"d{number:015x}", name=text, challenges=[text])
            entry(
                settings, REPORT, f"e{number}", f"e{number:015x}", title=text, contributor=text, tags=[f"result-{text}"]
            )
            entry(
                settings,
                VIEW,
                f"f{number}",
                f"f{number:015x}",
                title=text,
                query=f"filter={quote(text)}&x={quote(text)}",
            )
        with local_app(settings) as client:
            yield client


def check(client: TestClient, home: Path, address: str) -> None:
    answer = sound(client.get(address, headers=HTML, follow_redirects=False))
    assert "root:" not in answer.text
    assert not (home / "pwned").exists()


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_parameters_that_hold_expressions(attacked: TestClient, home: Path, name: str) -> None:
    for raw in ATTACKS:
        text = quote(("me=" if name == "metric" else "") + raw.replace("{path}", str(home / "pwned")), safe="")
        check(attacked, home, f"/explorer.json?{name}={text}")
        if raw in ATTACKS[::4]:
            check(attacked, home, f"/explorer/chart.json?{name}={text}")
    check(attacked, home, f"/explorer?{name}={text}")
    check(attacked, home, f"/explorer/complete.json?text={quote(ATTACKS[0])}&metric=me={quote(ATTACKS[1])}")
    assert attacked.get("/explorer.json?include=local,refused,inferred").json()["total"] == 3


PLAIN = (
    "/explorer?round={}", "/explorer?organisation={}&accelerator={}", "/explorer?benchmark={}&system={}", "/explorer?include={}",
    "/systems?q={}&organisation={}&round={}", "/systems?category={}&accelerator={}&sort={}", "/search?q={}", "/search/suggest.json?q={}",
    "/results/{}", "/compare?result={}&result={}", "/compare?system={}&benchmark={}&scenario={}&round={}", "/organisations/{}",
    "/systems/{}/{}", "/benchmarks/{}", "/benchmarks/resnet?metric={}&category={}&division={}&round={}", "/rounds/{}", "/challenges/{}",
    "/challenges?q={}&status={}&task={}&round={}", "/contributors/{}", "/contributors?q={}", "/reports/{}", "/reports?q={}&verdict={}",
    "/views/{}", "/runs?q={}&state={}", "/explorer/complete.json?text={}", "/embed/explorer?filter={}", "/explorer.csv?filter={}&sort={}",
)  # fmt: skip


@pytest.mark.parametrize("address", PLAIN)
def test_parameters_that_hold_names(attacked: TestClient, home: Path, address: str) -> None:
    # Every one of them in turns: what a parameter makes of one it makes of the others.
    for raw in STATEMENTS[PLAIN.index(address) % 2 :: 2]:
        check(attacked, home, address.replace("{}", quote(raw.replace("{path}", str(home / "pwned")), safe="")))


# One for each way here, all of them in the long run.
@pytest.mark.parametrize(
    "number", [pytest.param(each, marks=() if each % 4 == 0 else pytest.mark.slow) for each in range(len(ATTACKS))]
)
def test_entries_that_hold_them(attacked: TestClient, home: Path, number: int) -> None:
    for address in (f"/challenges/a{number}", f"/challenges/b{number}", f"/contributors/d{number}",
                    f"/reports/e{number}", f"/views/f{number}"):  # fmt: skip
        check(attacked, home, address)
    view = attacked.get(f"/views/f{number}", headers=HTML, follow_redirects=False)
    if view.status_code == 302:
        check(attacked, home, view.headers["location"])


def test_the_attacks_were_tried_and_nothing_is_lost(attacked: TestClient, home: Path) -> None:
    page = attacked.get("/challenges.json").json()
    assert sum(len(each["challenges"]) for each in page["groups"]) + len(page["problems"]) >= len(ATTACKS)
    assert attacked.get("/explorer.json").json()["total"] == 3
    assert not (home / "pwned").exists()


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home with one result and no metrics of its own."""
    settings = Settings(tmp_path_factory.mktemp("derived"))
    put(settings, [make_row(0)])
    (settings.home / "metrics").mkdir()
    with open_store(settings):
        return settings


@pytest.mark.parametrize("text", ATTACKS)
def test_derived_metrics_are_read_or_refused_and_never_run(indexed: Settings, text: str) -> None:
    pwned = indexed.home / "pwned"
    document = {
        "name": "evil",
        "title": text[:80],
        "expression": text.replace("{path}", str(pwned)),
        "description": text[:80],
    }
    (indexed.home / "metrics" / "evil.yaml").write_text(yaml.safe_dump(document))
    with contextlib.suppress(AssayError), existing_store(indexed) as opened:
        assert opened is not None
        metrics = load_metrics(indexed)
        names = metrics.schema(load_values(indexed, metrics.asked))
        run_query(opened, Query(columns=["evil"]), names)
    assert not pwned.exists()
