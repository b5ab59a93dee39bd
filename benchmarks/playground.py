"""The playground: how long pages take, how much they weigh, and how many a second one core gives.

Everything is asked of `assay serve` in a process of its own. `--million` makes an index of a million rows: the real ones,
with other uids and figures scattered around the real ones.

    python benchmarks/playground.py                      # pages, cold start, weight, first paint
    python benchmarks/playground.py --million
    python benchmarks/playground.py --load 300           # 200 requests a second for five minutes on one core
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import duckdb
import httpx2

from assay.base.settings import Settings
from assay.results.fields import FIELDS
from assay.results.store import update

ROUNDS = ("v2.0", "v2.1", "v3.0")
BENCHMARKS = ("resnet", "bert-99", "bert-99.9", "retinanet", "rnnt", "3d-unet-99", "dlrm-99")
SCENARIOS = ("Offline", "Server", "SingleStream", "MultiStream")
CHOICES = (("round", ROUNDS), ("benchmark", BENCHMARKS), ("scenario", SCENARIOS))
FIGURES = ("samples_per_second", "samples_per_joule", "watts", "accuracy", "samples_per_second_per_accelerator")
FILTERS = (
    "",
    "watts < 500",
    'accelerator like "%A100%"',
    "accuracy_met",
    "nodes == 1",
    "rank(samples_per_second) <= 5",
)
WARM_UP_S = 30
ASSAY = Path(sys.executable).parent / "assay"


def views(count: int, seed: int) -> list[str]:
    """Addresses of the explorer, no two alike, of all kinds."""
    lot = random.Random(seed)
    found: dict[str, None] = {}
    while len(found) < count:
        parts = [f"{name}={lot.choice(values)}" for name, values in CHOICES if lot.random() < 0.6]
        if lot.random() < 0.5:
            parts.append(f"category={lot.choice(('edge', 'datacenter'))}")
        parts.append(f"y={lot.choice(FIGURES)}")
        parts.append(
            f"x={lot.choice(('watts', 'accuracy', 'round'))}"
            if lot.random() < 0.5
            else f"mark={lot.choice(('bar', 'line', 'box'))}"
        )
        if condition := lot.choice(FILTERS):
            parts.append(f"filter={quote(condition)}")
        if lot.random() < 0.4:
            parts.append(f"color={lot.choice(('organisation', 'accelerator', 'scenario'))}")
        if lot.random() < 0.3:
            parts.append("include=inferred")
        if lot.random() < 0.3:
            parts.append("best=1")
        found["/explorer?" + "&".join(parts)] = None
    return list(found)


def million(home: Path, rows: int) -> None:
    """An index with so many rows in a home."""
    path = update(Settings(home=home))
    big = home / "big.duckdb"
    shutil.copyfile(path, big)
    names = {field.name for field in FIELDS}
    scattered = [name for name in ("value", "samples_per_second", "watts", "joules_per_sample") if name in names]
    with duckdb.connect(str(big)) as connection:
        ((there,),) = connection.execute("SELECT count(*) FROM rows").fetchall()
        times = rows // there
        changed = ", ".join(f"{name} * (0.7 + 0.6 * random()) AS {name}" for name in scattered)
        connection.execute(
            f"INSERT INTO rows BY NAME SELECT r.* EXCLUDE (i) REPLACE (substr(sha256(r.uid || i), 1, 16) AS uid, {changed}, "
            f"r.system || '-' || (i % 5) AS system, location || '/' || i AS location) "
            f"FROM (SELECT rows.*, i FROM rows, range(1, {times}) t(i)) r"
        )
        connection.execute("CHECKPOINT")
    big.replace(path)


@contextmanager
def serving(home: Path, *, core: int | None = None) -> Iterator[str]:
    """A playground in a process of its own; its address."""
    command = [str(ASSAY), "serve", "--port", "0", "--json"]
    if core is not None:
        command = ["taskset", "-c", str(core), *command]
    # As it is installed: with its modules compiled, whatever this shell says of that.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**env, "ASSAY_HOME": str(home)})
    try:
        assert process.stdout is not None
        text = ""
        while not text.rstrip().endswith("}"):
            text += process.stdout.readline()
        yield json.loads(text)["address"]
    finally:
        process.terminate()
        process.wait(timeout=30)


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def told(values: list[float]) -> dict[str, float]:
    return {
        "count": len(values),
        "median ms": round(statistics.median(values), 1),
        "p95 ms": round(percentile(values, 0.95), 1),
        "p99 ms": round(percentile(values, 0.99), 1),
        "longest ms": round(max(values), 1),
    }


def pages(address: str, count: int) -> dict[str, object]:
    """Time to answer, none of the answers kept from before: no address is asked twice."""
    found: dict[str, list[float]] = {"page": [], "plot": [], "json": []}
    with httpx2.Client(base_url=address, timeout=60) as client:
        for warm in views(8, 0):
            client.get(warm + "&title=warm", headers={"accept": "text/html"}).raise_for_status()
        for view in views(count, 1):
            for kind, path in (
                ("page", view),
                ("plot", view.replace("/explorer", "/explorer/chart.json")),
                ("json", view.replace("/explorer", "/explorer.json")),
            ):
                begin = time.perf_counter()
                answer = client.get(path, headers={"accept": "text/html" if kind == "page" else "application/json"})
                found[kind].append((time.perf_counter() - begin) * 1000)
                if answer.status_code != 200:
                    raise SystemExit(f"{path}: {answer.status_code} {answer.text[:500]}")
    return {kind: told(values) for kind, values in found.items()}


def others(address: str) -> dict[str, object]:
    """Other pages, the first time and when they are kept."""
    found: dict[str, object] = {}
    with httpx2.Client(base_url=address, timeout=60) as client:
        uid = client.get("/explorer.json").json()["rows"][0]["uid"]
        for path in (
            "/",
            "/benchmarks",
            "/benchmarks/resnet",
            "/systems",
            "/organisations/NVIDIA",
            "/rounds/v3.0",
            f"/results/{uid}",
            "/challenges",
            "/search?q=orin",
            "/search/suggest.json?q=h100",
        ):
            took = []
            for _ in range(3):
                begin = time.perf_counter()
                client.get(path, headers={"accept": "text/html"}).raise_for_status()
                took.append((time.perf_counter() - begin) * 1000)
            found[path] = {"first ms": round(took[0], 1), "again ms": round(min(took[1:]), 1)}
    return found


def cold(times: int) -> dict[str, object]:
    """From starting the command to a whole first page: in a new home, where the index is made, and in a used one."""
    found: dict[str, list[float]] = {"new home s": [], "used home s": []}
    for _ in range(times):
        with tempfile.TemporaryDirectory() as home:
            for values in found.values():
                begin = time.perf_counter()
                with serving(Path(home)) as address:
                    httpx2.get(address, headers={"accept": "text/html"}, timeout=60).raise_for_status()
                    values.append(time.perf_counter() - begin)
    return {kind: [round(value, 2) for value in values] for kind, values in found.items()}


def browser(address: str) -> dict[str, object]:
    """First paint and weight in Chromium, with nothing kept; what the points weigh is told apart."""
    from playwright.sync_api import sync_playwright

    found: dict[str, object] = {}
    chromium = next(path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name)))
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for path in (
            "/",
            "/explorer",
            "/explorer?include=inferred&include=refused&x=accuracy",
            "/rounds/v3.0",
            "/benchmarks/resnet",
        ):
            paints, weights, points, drawn = [], [], [], []
            for _ in range(5):
                page = started.new_context().new_page()
                sizes: list[tuple[str, int]] = []
                page.on(
                    "requestfinished",
                    lambda request, sizes=sizes: sizes.append((request.url, request.sizes()["responseBodySize"])),
                )
                begin = time.perf_counter()
                page.goto(address + path)
                if "explorer" in path:
                    page.wait_for_selector("#plot[data-drawn=yes]")
                    drawn.append((time.perf_counter() - begin) * 1000)
                page.wait_for_load_state("networkidle")
                paints.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
                weights.append(sum(size for url, size in sizes if "chart.json" not in url))
                points.append(sum(size for url, size in sizes if "chart.json" in url))
                page.context.close()
            found[path] = {
                "first paint ms": round(statistics.median(paints)),
                "plot drawn ms": round(statistics.median(drawn)) if drawn else None,
                "weight kB": round(statistics.median(weights) / 1000),
                "points kB": round(statistics.median(points) / 1000),
            }
        started.close()
    return found


NEW_VIEWS = 0.1
NEW_VISITORS = 1 / 3


def visits(seed: int, fixed: list[str]) -> Iterator[list[str]]:
    """What browsers ask for, visit by visit: a page, its plot, and of a third of them the files that all pages share.

    Three quarters of the visits are to one of 300 views or of the other pages; a tenth is to a view that nobody has asked for.
    """
    lot = random.Random(seed)
    known = views(300, 2)
    others = ["/", "/benchmarks", "/benchmarks/resnet", "/systems", "/rounds/v3.0", "/challenges", "/search?q=orin"]
    fresh = iter(view for view in views(6_000, 4) if view not in set(known))
    for number in itertools.count():
        asked = list(fixed) if lot.random() < NEW_VISITORS else []
        chance = lot.random()
        if chance < NEW_VIEWS:
            view = next(fresh, None) or f"{lot.choice(known)}&title=view%20{number}"
        elif chance < 0.5:
            yield [lot.choice(others), *asked]
            continue
        else:
            view = lot.choice(known)
        yield [view, *asked, view.replace("/explorer", "/explorer/chart.json")]


async def load(address: str, seconds: float, rate: float) -> dict[str, object]:
    """Requests at a fixed rate, whether or not earlier ones have been answered; times from when each was due."""
    took: list[float] = []
    errors: dict[str, int] = {}

    async def one(client: httpx2.AsyncClient, path: str, due: float) -> None:
        try:
            kind = "application/json" if "chart.json" in path else "text/html"
            answer = await client.get(path, headers={"accept": kind, "accept-encoding": "gzip"})
            if answer.status_code != 200:
                errors[str(answer.status_code)] = errors.get(str(answer.status_code), 0) + 1
        except httpx2.HTTPError as error:
            errors[type(error).__name__] = errors.get(type(error).__name__, 0) + 1
        took.append((time.perf_counter() - due) * 1000)

    limits = httpx2.Limits(max_connections=200, max_keepalive_connections=200)
    async with httpx2.AsyncClient(base_url=address, timeout=60, limits=limits) as client:
        home = (await client.get("/", headers={"accept": "text/html"})).text
        fixed = sorted(set(re.findall(r"/static/[^\"' ]+\.(?:css|js)", home)))
        asked = itertools.chain.from_iterable(visits(3, fixed))
        for path in itertools.islice(asked, int(WARM_UP_S * rate)):
            await one(client, path, time.perf_counter())
        took.clear()
        async with asyncio.TaskGroup() as group:
            begin = time.perf_counter()
            for number, path in enumerate(itertools.islice(asked, int(seconds * rate))):
                due = begin + number / rate
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                group.create_task(one(client, path, due))
    return {"rate": rate, "seconds": seconds, "errors": errors, **told(took)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200, help="views that are asked for")
    parser.add_argument("--million", action="store_true", help="over a million rows")
    parser.add_argument("--load", type=float, help="only this: seconds of requests at a fixed rate")
    parser.add_argument("--rate", type=float, default=200)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        if given.million:
            million(home, 1_000_000)
        else:
            update(Settings(home=home))
        if given.load:
            if hasattr(os, "sched_setaffinity"):
                os.sched_setaffinity(0, {1})
            with serving(home, core=0) as address:
                result: dict[str, object] = {"load": asyncio.run(load(address, given.load, given.rate))}
        else:
            with serving(home) as address:
                result = {"explorer": pages(address, given.count), "others": others(address)}
                if not given.million:
                    result["browser"] = browser(address)
            if not given.million:
                result["cold start"] = cold(5)
    print(json.dumps(result, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
