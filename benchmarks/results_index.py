"""The index: rebuilt from CM repositories against orjson on the same files, and a grouped question over a million rows.

    python benchmarks/results_index.py --cm ~/cm_inference_results --times 5

The million are the real rows of the index with other uids and figures scattered around the real ones.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import orjson

from assay.base.settings import Settings
from assay.cm.registry import Registry
from assay.results.fields import schema
from assay.results.query import Query, run_query
from assay.results.store import Store, open_store, update

QUESTION = Query(
    filter='scenario == "Offline" and watts < 500 and division == "closed"',
    group=("round", "benchmark", "accelerator"),
    aggregates=("n=count()", "best=largest(samples_per_second / watts)", "mean(accuracy)"),
    sort=("-best",),
    limit=50,
)


def timed(work: Callable[[], object]) -> float:
    gc.collect()
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def rebuild(cm: Path, times: int) -> dict[str, object]:
    files = sorted(cm.glob("experiment/mlperf-inference--*/*/cm-result.json"))

    def parse() -> None:
        for path in files:
            orjson.loads(path.read_bytes())

    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home))
        Registry(settings).add(cm)
        ours, theirs = [], []
        for _ in range(times):
            theirs.append(timed(parse))
            ours.append(timed(lambda: update(settings, rebuild=True)))
        unchanged = [timed(lambda: update(settings)) for _ in range(times)]
        with open_store(settings) as store:
            results = store.status().results
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    return {
        "files": len(files),
        "bytes": sum(path.stat().st_size for path in files),
        "rows in the files": sum(len(orjson.loads(path.read_bytes())) for path in files),
        "results": results,
        "orjson s": [round(each, 3) for each in theirs],
        "rebuild s": [round(each, 3) for each in ours],
        "rebuild against orjson": round(statistics.median(ratios), 2),
        "nothing changed s": round(statistics.median(unchanged), 4),
    }


def million(cm: Path, count: int, times: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home))
        Registry(settings).add(cm)
        path = update(settings)
        big = Path(home) / "million.duckdb"
        connection = duckdb.connect(str(big))
        connection.execute(f"ATTACH '{path}' AS small (READ_ONLY)")
        connection.execute(
            "CREATE TABLE rows AS SELECT * REPLACE (md5(uid || n::VARCHAR)[:16] AS uid, "
            "samples_per_second * (0.5 + random()) AS samples_per_second, watts * (0.5 + random()) AS watts) "
            f"FROM small.rows, range({count} // (SELECT count(*) FROM small.rows) + 1) AS t(n) LIMIT {count}"
        )
        connection.execute("CREATE VIEW results AS SELECT * FROM rows WHERE NOT hidden")
        connection.close()
        with duckdb.connect(str(big), read_only=True) as reader:
            store = Store(reader, big)
            names = schema()
            len(run_query(store, QUESTION, names).rows)
            took = [timed(lambda: run_query(store, QUESTION, names).rows) for _ in range(times)]
    return {
        "rows": count,
        "question ms": [round(each * 1000, 1) for each in took],
        "median ms": round(statistics.median(took) * 1000, 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cm", type=Path, required=True, help="checkout of mlcommons/cm_inference_results")
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--rows", type=int, default=1_000_000)
    given = parser.parse_args()
    result = {"rebuild": rebuild(given.cm, given.times), "million": million(given.cm, given.rows, given.times * 3)}
    print(json.dumps(result, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
