"""What speaks against the samples of the testing run, though every official tool counts or leaves them out in silence.

Source: the server asks the daemon for a sample a second (``Go,1000`` in power-dev, ptd_client_server/lib/server.py);
submission_checker.py takes the average of whatever it finds in LoadGen's window.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from assay.rules.power import PowerFacts
from assay.submission.issue import Issue
from assay.submission.power import spl
from assay.submission.power.evidence import SPL, TESTING, Evidence
from assay.submission.power.record import MalformedError

_FEW = 0.9


def check_samples(evidence: Evidence, facts: PowerFacts) -> Iterator[Issue]:
    """There is a sample a second in LoadGen's window, and each is above 0 W.

    Says nothing of samples that cannot be read, or of a window that is not known: other checks do.
    """
    name = f"{TESTING}/{SPL}"
    try:
        window = evidence.window(TESTING)
        begin, end = (datetime.fromtimestamp(each, UTC).replace(tzinfo=None) for each in (window.begin, window.end))
        watts = spl.samples(evidence.raw(name), begin, end, passes_other_lines=facts.log.passes_other_lines).watts
    except (MalformedError, spl.SplError):
        return
    strange = [each for each in watts if not 0 < each < float("inf")]
    if strange:
        detail = f"{len(strange)} of {len(watts)} samples in the window"
        yield Issue("power-sample-strange", evidence.place(name), detail, "Watts", f"{strange[0]:g}", "above 0")
    seconds = (end - begin).total_seconds()
    if len(watts) < _FEW * seconds - 1:
        expected = f"one a second, {int(seconds)} in all"
        yield Issue("power-samples-few", evidence.place(name), found=str(len(watts)), expected=expected)
