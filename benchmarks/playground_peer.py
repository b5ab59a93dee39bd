"""One question in Chromium: assay's explorer beside the CK playground of 2023 (Streamlit) on the same results.

The peer is started by hand, with `mlcommons/ck` (commit 96297c33, August 2023) and `mlcommons/cm_inference_results` registered in
its `CM_REPOS`, cmind 1.5.1, streamlit 1.25, mpld3 0.5.9 (a later one does not go with its matplotlib):

    streamlit run cm-mlops/script/gui/playground.py --server.port 8601 --server.headless true
    python benchmarks/playground_peer.py http://localhost:8601

Asked for are all SingleStream results of round v3.0, edge, open division, image classification. Timed is from the address to
the plot: a canvas with every point here; there the frame that the plot is put into (what draws in it comes from a CDN, and is
not waited for).
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from assay.base.settings import Settings
from assay.results.store import update
from playground import serving

PEER = "/?action=experiments&name=mlperf-inference--v3.0--edge--open--image-classification--singlestream&type=2D&x=Result&y=Accuracy"
OURS = (
    "/explorer?round=v3.0&task=image-classification&category=edge&division=open&scenario=SingleStream&include=inferred"
    "&include=refused&x=latency&y=accuracy"
)


def plotted(browser: Any, address: str, shown: str, times: int) -> list[float]:
    """Seconds from an address to its plot, each time in a new profile."""
    found = []
    for _ in range(times):
        page = browser.new_context().new_page()
        begin = time.perf_counter()
        page.goto(address, wait_until="commit")
        page.wait_for_selector(shown, timeout=180_000, state="attached")
        found.append(round(time.perf_counter() - begin, 2))
        page.context.close()
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", help="address of the CK playground")
    parser.add_argument("--times", type=int, default=5)
    given = parser.parse_args()
    from playwright.sync_api import sync_playwright

    chromium = next(path for name in ("chromium", "chromium-browser") if (path := shutil.which(name)))
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        update(Settings(home=Path(home)))
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        with serving(Path(home)) as address:
            ours = plotted(browser, address + OURS, "#plot[data-drawn=yes]", given.times)
        theirs = plotted(browser, given.peer + PEER, "iframe", given.times)
        browser.close()
    ratio = round(statistics.median(theirs) / statistics.median(ours), 1)
    print(json.dumps({"assay s": ours, "CK playground s": theirs, "times as fast": ratio}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
