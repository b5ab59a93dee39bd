"""What an earlier call has done of compliance tests beside the same plain runs: an interrupted one goes on from there."""

from __future__ import annotations

from collections.abc import Iterator

from assay.campaign.compliance_folder import FOLDER
from assay.loadgen.audit import FIRST_PART, SECOND_PART
from assay.loadgen.compliance import passed
from assay.loadgen.record import RunRecord, RunStatus
from assay.loadgen.runs import RunCatalogue


def done_before(
    tests: tuple[str, ...], performance: RunRecord, accuracy: RunRecord | None, catalogue: RunCatalogue
) -> dict[str, RunRecord]:
    """Tests that were passed beside these runs, and whose folders are there; what was not passed is run again.

    Args:
        tests: that are asked for.
        performance: the plain run.
        accuracy: the accuracy run, for TEST01.
        catalogue: all runs.
    """
    records = [record for record in catalogue.records() if record.compliance]
    found: dict[str, RunRecord] = {}
    for test in tests:
        for record in _beside(test, records, performance, accuracy):
            if passed(record.verdict) and (catalogue.folder / record.id / FOLDER / test).is_dir():
                found[test] = record
                break
    first, second = found.get(FIRST_PART), found.get(SECOND_PART)
    together = first is not None and second is not None and second.id in first.judged_against
    if not together:
        # The parts of a test are judged by one another, and so are done together.
        found = {test: record for test, record in found.items() if test not in (FIRST_PART, SECOND_PART)}
    return found


def unjudged(
    test: str, performance: RunRecord, accuracy: RunRecord | None, catalogue: RunCatalogue
) -> RunRecord | None:
    """A run of a test beside these runs that came to its end before assay was ended; its logs are all that is needed."""
    records = [record for record in catalogue.records() if record.compliance]
    return next(
        (record for record in _beside(test, records, performance, accuracy) if passed(record.verdict) is None), None
    )


def _beside(
    test: str, records: list[RunRecord], performance: RunRecord, accuracy: RunRecord | None
) -> Iterator[RunRecord]:
    """Finished runs of a test beside these runs, newest first."""
    for record in records:
        if record.compliance != test or record.status is not RunStatus.FINISHED or record.verdict is None:
            continue
        if record.judged_against[:1] != (performance.id,):
            continue
        if test == "TEST01" and (accuracy is None or record.judged_against != (performance.id, accuracy.id)):
            continue
        yield record
