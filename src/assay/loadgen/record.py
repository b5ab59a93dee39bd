"""The record of a run: everything that says what its figures are, as ``run.json`` (format 1)."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.errors import InvalidInputError
from assay.loadgen.settings import Deviation
from assay.loadgen.verdict import Verdict

if TYPE_CHECKING:
    from pydantic import TypeAdapter

FORMAT = 1


class RunStatus(StrEnum):
    """How far a run came."""

    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


class Label(StrEnum):
    """What a figure must never be shown without."""

    STAND_IN_MODEL = "stand-in-model"
    SMALL_DATASET = "small-dataset"
    SHORT_RUN = "short-run"
    SYNTHETIC_WEIGHTS = "synthetic-weights"
    SYNTHETIC_DATA = "synthetic-data"
    RELAXED_RULES = "relaxed-rules"
    PARTIAL_DATASET = "partial-dataset"
    SKIPPED_SAMPLES = "skipped-samples"
    CALIBRATED_ON_EVALUATION = "calibrated-on-evaluation-data"
    CUSTOM_MODEL = "custom-model"
    REMOTE_MODEL = "remote-model"
    CUSTOM_DATASET = "custom-dataset"
    AUGMENTED_COPIES = "augmented-copies"
    NO_ACCURACY = "no-accuracy"
    UNOFFICIAL_POWER = "unofficial-power"
    SIMULATED_POWER = "simulated-power"
    UNSEEN_MATERIAL = "unseen-material"

    @property
    def meaning(self) -> str:
        """The label in a sentence."""
        return _MEANINGS[self]


_MEANINGS = {
    Label.STAND_IN_MODEL: "another model than the benchmark's: not comparable with published results",
    Label.SMALL_DATASET: "a handful of samples instead of the benchmark's dataset: accuracy is a smoke test",
    Label.SHORT_RUN: "shorter than the round asks, or with fewer queries: not valid for a submission",
    Label.SYNTHETIC_WEIGHTS: "the true architecture with random weights: speed only",
    Label.SYNTHETIC_DATA: "random inputs: speed only",
    Label.RELAXED_RULES: "a limit of the round was relaxed: not valid for a submission",
    Label.PARTIAL_DATASET: "only a part of the dataset was used",
    Label.SKIPPED_SAMPLES: "samples that could not be read were left out",
    Label.CALIBRATED_ON_EVALUATION: "int8 ranges were taken from samples the accuracy is measured on: too good to be true",
    Label.CUSTOM_MODEL: "a model file given by the user: open division only",
    Label.REMOTE_MODEL: "the model is on a server: what it computes was not checked",
    Label.CUSTOM_DATASET: "a dataset given by the user: not comparable with published results",
    Label.AUGMENTED_COPIES: "most samples are changed copies of another (mirrored, turned, brighter): not independent data",
    Label.NO_ACCURACY: "no accuracy run belongs to it: nothing says that the answers were right",
    Label.UNOFFICIAL_POWER: "power not measured by the official analyzer and tool: not comparable with published results",
    Label.SIMULATED_POWER: "power of a simulated analyzer: no power was measured, its figures mean nothing",
    Label.UNSEEN_MATERIAL: "model or data were not seen by assay: they are what whoever ran it says",
}


@dataclass(frozen=True, slots=True)
class Artefact:
    """A model or a dataset that a run used.

    Attributes:
        name: of the catalogue, or the path the user gave.
        sha256: of the file, or of the folder's tree; None for synthetic inputs.
        count: samples of a dataset, 0 for a model.
    """

    name: str
    sha256: str | None
    count: int = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """What a run measured.

    Attributes:
        value: the official figure in ``unit``; None when there is none.
        latency_ns: latency percentiles by name (``p50``, ``p90``, ``p95``, ``p97``, ``p99``, ``p99.9``), mean, min, max.
        queries: queries completed.
        samples: samples completed.
        duration_s: length of the test.
        accuracy: metric to value, in the metric's unit.
        accuracy_units: metric to unit.
        samples_scored: samples the accuracy was computed over.
        measured: what the task measured of its own in the timed part, the unit at the end of the name (``tokens``,
            ``first_token_p99_ns``).
        tokens: what LoadGen measured of tokens, where it times them, by the same names.
    """

    value: float | None = None
    unit: str | None = None
    lower_is_better: bool = False
    samples_per_second: float | None = None
    latency_ns: Mapping[str, float] = field(default_factory=dict)
    queries: int | None = None
    samples: int | None = None
    duration_s: float | None = None
    accuracy: Mapping[str, float] = field(default_factory=dict)
    accuracy_units: Mapping[str, str] = field(default_factory=dict)
    accuracy_details: Mapping[str, float] = field(default_factory=dict)
    samples_scored: int | None = None
    measured: Mapping[str, float] = field(default_factory=dict)
    tokens: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MeasuredPower:
    """Power while LoadGen measured; the run's labels say what kind of power it is.

    Attributes:
        source: what told it, in words.
        watts: average power in W.
        seconds: length of LoadGen's window.
        readings: samples of power in it.
        joules: energy of the whole window in J.
        joules_per_sample: energy of a sample of the benchmark in J.
        samples_per_joule: efficiency; more is better.
        figure: what the round asks for, in ``unit``: average power, or for the streams the energy of a query.
        unit: official unit of ``figure``, such as ``Watts`` or ``millijoules``.
        problems: what speaks against the measurement, in sentences.
        session: name of the director's session; empty without a director.
    """

    source: str
    watts: float
    seconds: float
    readings: int
    joules: float
    joules_per_sample: float | None = None
    samples_per_joule: float | None = None
    figure: float | None = None
    unit: str | None = None
    problems: tuple[str, ...] = ()
    session: str = ""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One LoadGen execution: what was run, on what, how, what came of it, and whether it counts.

    Attributes:
        id: name of the run's folder.
        group: shared by the runs of one command.
        created: ISO time, UTC.
        failure: why it did not finish.
        backend: the engine's own description.
        settings: every LoadGen setting as used.
        versions: library to version.
        host: facts of the machine by official field.
        timings_s: seconds of each phase.
        failed_queries: queries with samples that could not be answered; the run failed then.
        failed_samples: those samples.
        logs: LoadGen's files and their SHA-256.
        command: the command that reproduces the run.
        compliance: name of the compliance test that the run is; empty for a plain run.
        judged_against: ids of the runs that a compliance test was compared with.
        power: what was measured of the power; None where none was.
        extra: fields of a later version of the same format, kept as they were read.
    """

    id: str
    group: str
    created: str
    status: RunStatus
    round: str
    benchmark: str
    task: str
    scenario: str
    mode: str
    category: str
    division: str
    model: Artefact
    dataset: Artefact
    backend_name: str
    precision: str
    batch_size: int
    streams: int
    threads: int
    command: str
    labels: tuple[Label, ...] = ()
    deviations: tuple[Deviation, ...] = ()
    failure: str | None = None
    backend: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, int | float | bool | str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    host: Mapping[str, str | int | float | None] = field(default_factory=dict)
    timings_s: Mapping[str, float] = field(default_factory=dict)
    peak_memory: int = 0
    skipped: Mapping[str, str] = field(default_factory=dict)
    failed_queries: int = 0
    failed_samples: int = 0
    figures: Figures = field(default_factory=Figures)
    verdict: Verdict | None = None
    logs: Mapping[str, str] = field(default_factory=dict)
    compliance: str = ""
    judged_against: tuple[str, ...] = ()
    power: MeasuredPower | None = None
    format: int = FORMAT
    extra: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values."""
        values = asdict(self)
        return {**values.pop("extra"), **values}

    @classmethod
    def from_dict(cls, raw: Any, *, where: Path | str) -> RunRecord:
        """Read a record; fields of later versions of the same format are kept in ``extra``.

        Raises:
            InvalidInputError: naming the key that is wrong.
        """
        # pydantic is needed only where a record is read back.
        from pydantic import ValidationError

        if not isinstance(raw, dict) or raw.get("format") != FORMAT:
            found = raw.get("format") if isinstance(raw, dict) else type(raw).__name__
            raise InvalidInputError(
                "not a run record of this version", where=where, expected=f"format {FORMAT}", found=repr(found)
            )
        known = {item.name for item in fields(cls)} - {"extra"}
        own = {key: value for key, value in raw.items() if key in known}
        extra = {key: value for key, value in raw.items() if key not in known}
        try:
            # Strict, and so from JSON, where lists stand for tuples and text for the enums.
            record = _adapter().validate_json(json.dumps(own, allow_nan=True), strict=True)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            raise InvalidInputError(f"not a run record: {first['msg']}", where=f"{where}: {key}") from error
        except (ValueError, RecursionError) as error:
            raise InvalidInputError(f"not a run record: {error}", where=where) from error
        return replace(record, extra=extra)


@functools.cache
def _adapter() -> TypeAdapter[RunRecord]:
    from pydantic import TypeAdapter

    return TypeAdapter(RunRecord)
