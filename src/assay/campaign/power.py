"""A performance run whose power is measured: LoadGen once, or twice under a director; what was measured goes to its folder.

Under a director the run's folder gets ``performance/`` with ``power/``, ``ranging/`` and ``run_1/``, as a submission has
it. The run itself is that of the testing phase. ``spl.txt`` beside LoadGen's files is the power over its time, whatever
told it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from assay.base.files import machine_errors, read_json
from assay.base.progress import Progress
from assay.errors import AssayError, RunFailedError
from assay.harness.outcome import Ending, Outcome
from assay.loadgen.logs import read_detail
from assay.loadgen.names import DETAIL, SUMMARY
from assay.loadgen.record import Label, MeasuredPower, RunRecord
from assay.power.analysis import PowerFigures, analyse, analyzers_of, reckon
from assay.power.client import Measuring, measure
from assay.power.meters import Recorder
from assay.power.phase import Phase
from assay.power.registry import open_meter
from assay.power.samples import read_samples
from assay.power.source import PowerSource, director_of
from assay.power.window import read_window
from assay.rules.model import Round, Scenario

PERFORMANCE = "performance"
"""The folder of a run with what a director's session left, in the official layout."""

SAMPLES = "spl.txt"
CLIENT_LOG = "power-client.log"
_HANDED = "handed-to-the-client"
_INTERVAL_S = 1.0
_RATED = (Scenario.OFFLINE, Scenario.SERVER)

Load = Callable[[Path, str], Outcome]
"""Runs LoadGen once in a folder; the word says which time it is, for whoever watches."""


@dataclass(frozen=True, slots=True)
class Powered:
    """What came of a run whose power was to be measured.

    Attributes:
        power: None for a run that did not come to its end.
        labels: what its figures must not be shown without.
    """

    outcome: Outcome
    power: MeasuredPower | None = None
    labels: tuple[Label, ...] = ()

    def noted(self, record: RunRecord) -> RunRecord:
        """The record with it."""
        return replace(record, power=self.power, labels=tuple(dict.fromkeys((*record.labels, *self.labels))))


def with_power(source: PowerSource | None, load: Load, folder: Path, round_: Round, progress: Progress) -> Powered:
    """Do a run and measure its power.

    Args:
        source: what tells the power; None for a run without.
        load: runs LoadGen once.
        folder: of the run.

    Raises:
        AssayError: when the power could not be measured; what was left stays in the folder.
    """
    if source is None:
        return Powered(load(folder, ""))
    outcome = _directed(source, load, folder, progress) if source.session else _metered(source, load, folder)
    if outcome.ending is not Ending.FINISHED:
        return Powered(outcome)
    figures, session = _figures(source, folder)
    return Powered(outcome, _power(source, folder, figures, round_, session), figures.labels)


@dataclass(slots=True)
class _Work:
    """LoadGen, once in each phase: ranging in a folder of its own, testing in that of the run."""

    load: Load
    folder: Path
    outcome: Outcome | None = None

    def __call__(self, phase: Phase) -> Path:
        place = self.folder / phase.value if phase is Phase.RANGING else self.folder
        with machine_errors(place):
            place.mkdir(exist_ok=True)
        self.outcome = self.load(place, f", {phase}")
        if self.outcome.ending is not Ending.FINISHED:
            raise RunFailedError(f"the run did not come to its end while {phase}", where=place)
        return place


def _directed(source: PowerSource, load: Load, folder: Path, progress: Progress) -> Outcome:
    work = _Work(load, folder)
    try:
        with director_of(source) as place:
            _measure(source, work, Measuring(place, folder / PERFORMANCE, ntp=source.ntp, show=progress.message))
    except KeyboardInterrupt:
        # The analyzer takes its time between the phases, in which no run is under way.
        return Outcome(Ending.INTERRUPTED)
    except AssayError:
        if work.outcome is not None and work.outcome.ending is not Ending.FINISHED:
            return work.outcome
        raise
    assert work.outcome is not None
    with machine_errors(folder):
        shutil.copyfile(folder / PERFORMANCE / Phase.TESTING.folder / SAMPLES, folder / SAMPLES)
        # Its logs are with the session.
        shutil.rmtree(folder / Phase.RANGING.value)
    return work.outcome


def _measure(source: PowerSource, work: _Work, how: Measuring) -> None:
    """Let our client or the official one measure; the latter leaves nothing below the logs, and gets copies of these."""
    tools, handed = source.tools(), work.folder / _HANDED
    if tools is None:
        measure(work, how)
        return

    def handing(phase: Phase) -> Path:
        logs, place = work(phase), handed / phase.value
        with machine_errors(place):
            place.mkdir(parents=True)
            for name in (DETAIL, SUMMARY):
                shutil.copyfile(logs / name, place / name)
        return place

    tools.measure_work(handing, handed, how, work.folder / CLIENT_LOG)
    with machine_errors(handed):
        shutil.rmtree(handed)


def _metered(source: PowerSource, load: Load, folder: Path) -> Outcome:
    with Recorder(open_meter(source.text), folder / SAMPLES, _INTERVAL_S).recording():
        return load(folder, "")


def _figures(source: PowerSource, folder: Path) -> tuple[PowerFigures, str]:
    """What was measured, and the name of the session."""
    if not source.session:
        window = read_window(folder / DETAIL)
        return reckon(read_samples(folder / SAMPLES), window, (Label.UNOFFICIAL_POWER,)), ""
    client = read_json(folder / PERFORMANCE / "power" / "client.json")
    return analyse(folder / PERFORMANCE), str(client.get("session_name", ""))


def _power(source: PowerSource, folder: Path, found: PowerFigures, round_: Round, session: str) -> MeasuredPower:
    figure, unit, efficiency = official_figure(found, folder, round_)
    return MeasuredPower(
        source=_told_by(source, folder),
        watts=found.watts,
        seconds=found.seconds,
        readings=found.readings,
        joules=found.joules,
        joules_per_sample=1 / efficiency if efficiency else found.joules_per_sample,
        samples_per_joule=efficiency or found.samples_per_joule,
        figure=figure,
        unit=unit,
        problems=found.problems,
        session=session,
    )


def official_figure(found: PowerFigures, folder: Path, round_: Round) -> tuple[float | None, str, float | None]:
    """The round's power figure, its unit, and samples of a joule, as the round's own tool reckons them.

    Of Offline and Server it is the average power, and the efficiency LoadGen's rate over it. Of the streams it is the
    energy of a query, of one sample in SingleStream and of eight in MultiStream.
    """
    log = read_detail(folder / DETAIL)
    scenario = Scenario(log.text("effective_scenario") or "")
    if scenario in _RATED:
        facts = round_.scenarios[scenario]
        rate = log.number(facts.result_field)
        return found.watts, "Watts", rate / facts.divide_by / found.watts if rate else None
    units = round_.submission.power if round_.submission is not None else None
    unit, scale = (units.energy_unit, units.energy_scale) if units is not None else ("millijoules", 1000.0)
    energy = found.joules / found.queries if found.queries else None
    return energy * scale if energy is not None else None, unit, found.samples_per_joule


def _told_by(source: PowerSource, folder: Path) -> str:
    if not source.session:
        return f"{source.text}, no analyzer"
    found = analyzers_of(folder / PERFORMANCE)
    if not found:
        return "an analyzer that did not say which"
    simulated = ", SIMULATED" if any(each.simulated for each in found) else ""
    versions = ", ".join(dict.fromkeys(each.version for each in found))
    return f"{' and '.join(each.analyzer for each in found)}, PTDaemon {versions}{simulated}"
