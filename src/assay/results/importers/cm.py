"""Rows of CM's ``cm-result.json`` files as rows of ours: both encodings of power, every word for missing.

Source of the form: mlcommons/cm_inference_results and mlcommons/cm4mlperf-results. Rounds v2.0 to v3.1 keep each
power result twice under one uid, with the power figure beside the result; v4.0 and later keep power as a row of its
own, without a result, that belongs to the row of the same location, benchmark and scenario.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from assay.results import clean
from assay.results.importers.source import Source
from assay.results.importers.system import SystemFields, system_fields
from assay.results.model import Method, Origin
from assay.results.names import name_tables
from assay.results.quantities import quantities
from assay.results.row import Accuracy, Row, uid_of
from assay.rules.load import load_round, round_names
from assay.rules.model import Round

KIND = "cm"
_POWER_UNITS = frozenset({"Watts", "millijoules", "Joules"})
_UNITS = {
    "Offline": ("Samples/s", False),
    "Server": ("Queries/s", False),
    "SingleStream": ("Latency (ms)", True),
    "MultiStream": ("Latency (ms)", True),
}


# Raw has no room for None beside it.
_NOTHING = msgspec.Raw(b"")


class CmPlace(msgspec.Struct, gc=False):
    """What says which result a row is, and whether it is one of ours; a fifth of the time of a whole row."""

    uid: Any = None
    version: Any = None
    Location: Any = None
    MlperfModel: Any = None
    Scenario: Any = None
    assay: msgspec.Raw = _NOTHING
    assay_row: msgspec.Raw = _NOTHING


class CmRow(msgspec.Struct, gc=False):
    """The fields of an inference row that are read, of whatever type they are; all others are passed over."""

    uid: Any = None
    version: Any = None
    Organization: Any = None
    Platform: Any = None
    SystemName: Any = None
    SystemType: Any = None
    Division: Any = None
    Availability: Any = None
    Model: Any = None
    MlperfModel: Any = None
    Scenario: Any = None
    Result: Any = None
    Units: Any = None
    Accuracy: Any = None
    accelerator_model_name: Any = None
    accelerators_per_node: Any = None
    host_processor_core_count: Any = None
    host_processor_model_name: Any = None
    host_processors_per_node: Any = None
    number_of_nodes: Any = None
    operating_system: Any = None
    framework: Any = None
    notes: Any = None
    has_power: Any = None
    inferred: Any = None
    compliance: Any = None
    Result_Power: Any = None
    Result_Power_Units: Any = None
    Location: Any = None
    git_url: Any = None
    url: Any = None
    assay: msgspec.Raw = _NOTHING
    assay_row: Row | None = None


class CmImporter:
    """Makes rows; what repeats (rounds, systems) is made once.

    Args:
        kind: of the source.
        source: of all rows; None takes the repository that each row names.
        known: uids of results that somebody else knows better; their rows are not made.

    Attributes:
        passed_over: uid, round and CM's uid of each result that no row was made of.
    """

    def __init__(self, kind: str = KIND, source: Source | None = None, known: Collection[str] = frozenset()) -> None:
        self._kind = kind
        self._source = source
        self._known = known
        self.passed_over: list[tuple[str, str, str | None]] = []
        self._rounds: dict[str, Round | None] = {}
        self._systems: dict[tuple[object, ...], SystemFields] = {}
        self._tasks: dict[str, str | None] = {}

    def rows(self, given: Iterable[CmRow]) -> list[Row]:
        """Rows of one file: copies made one, power rows joined with the rows that they belong to.

        A row without round, benchmark, scenario or place is none of inference and is passed over.
        """
        kept: dict[str, CmRow] = {}
        power: dict[str, CmRow] = {}
        for each in given:
            if not all(isinstance(part, str) and part for part in _identity(each)):
                continue
            uid = uid_of(*_identity(each))
            alone = each.Result is None or clean.text(each.Units) in _POWER_UNITS
            if uid not in self._known:
                (power if alone else kept).setdefault(uid, each)
            elif not alone:
                self.passed_over.append((uid, each.version, clean.text(each.uid)))
        return [self._row(uid, each, power.get(uid)) for uid, each in kept.items()]

    @property
    def knows_any(self) -> bool:
        """Whether there are results that somebody else knows better at all."""
        return bool(self._known)

    def knows_all(self, places: Sequence[CmPlace]) -> bool:
        """Whether all rows of a file are known better elsewhere; then they are passed over, and nothing is left of it."""
        found: list[tuple[str, str, str | None]] = []
        for each in places:
            identity = (each.version, each.Location, each.MlperfModel, each.Scenario)
            if (
                bytes(each.assay)
                or bytes(each.assay_row)
                or not all(isinstance(part, str) and part for part in identity)
            ):
                return False
            uid = uid_of(*identity)
            if uid not in self._known:
                return False
            found.append((uid, each.version, clean.text(each.uid)))
        self.passed_over += found
        return bool(found)

    def _row(self, uid: str, given: CmRow, power: CmRow | None) -> Row:
        scenario, division = given.Scenario, clean.text(given.Division) or ""
        unit, lower = _UNITS.get(scenario, (clean.text(given.Units), None))
        value = clean.number(given.Result)
        power_value, power_unit = _power(given, power)
        figures = quantities(scenario, value, power_value=power_value, power_unit=power_unit)
        accuracy = self._accuracy(given)
        source = self._source or _source(given.git_url)
        return Row(
            uid=uid,
            round=given.version,
            benchmark=given.MlperfModel,
            scenario=scenario,
            division=division,
            location=given.Location,
            origin=Origin.OFFICIAL if source.official else Origin.LOCAL,
            method=Method.INFERRED if given.inferred in (1, True, "1") else Method.MEASURED,
            cm_uid=clean.text(given.uid),
            task=self._task(given),
            organisation_given=clean.text(given.Organization),
            system=clean.text(given.Platform),
            model=clean.text(given.Model),
            value=value,
            unit=unit,
            lower_is_better=lower,
            samples_per_second=figures.samples_per_second,
            latency=figures.latency,
            accuracy=accuracy.value if accuracy else None,
            accuracy_metric=accuracy.metric if accuracy else None,
            accuracy_unit=accuracy.unit if accuracy else None,
            accuracy_target=accuracy.target if accuracy else None,
            accuracy_met=accuracy.met if accuracy else None,
            accuracies=(accuracy,) if accuracy else (),
            power=power_value is not None or given.has_power is True,
            watts=figures.watts,
            joules_per_query=figures.joules_per_query,
            joules_per_sample=figures.joules_per_sample,
            power_value=power_value,
            power_unit=power_unit,
            **self._system(given).row,
            official=True,
            compliance=bool(given.compliance) if given.compliance in (0, 1) and division != "open" else None,
            source=source.name or None,
            source_kind=self._kind,
            commit=source.commit,
            url=source.url(given.Location),
        )

    def _system(self, given: CmRow) -> SystemFields:
        key = (
            given.Organization, given.SystemType, given.Availability, given.SystemName,
            given.accelerator_model_name, given.accelerators_per_node, given.host_processor_model_name,
            given.host_processors_per_node, given.host_processor_core_count, given.number_of_nodes,
            given.operating_system, given.framework, given.notes,
        )  # fmt: skip
        try:
            found = self._systems.get(key)
        except TypeError:  # a list or mapping where a word should be
            return _system(given)
        if found is None:
            found = self._systems[key] = _system(given)
        return found

    def _task(self, given: CmRow) -> str | None:
        name = given.MlperfModel
        if name not in self._tasks:
            tasks = name_tables().tasks
            fits = [key for key in tasks if name.startswith(key)]
            self._tasks[name] = tasks[max(fits, key=len)] if fits else None
        round_ = self._round(given.version)
        benchmark = round_.benchmarks.get(name) if round_ is not None else None
        return benchmark.task if benchmark is not None else self._tasks[name]

    def _accuracy(self, given: CmRow) -> Accuracy | None:
        value, round_ = clean.number(given.Accuracy), self._round(given.version)
        if value is None:
            return None
        benchmark = round_.benchmarks.get(given.MlperfModel) if round_ is not None else None
        if benchmark is None:
            return Accuracy("accuracy", value)
        target = benchmark.quality[0]
        met = value >= target.target and (target.upper_limit is None or value <= target.upper_limit)
        return Accuracy(target.metric, value, target.unit, target.target, met)

    def _round(self, name: str) -> Round | None:
        if name not in self._rounds:
            self._rounds[name] = load_round(name) if name in round_names() else None
        return self._rounds[name]


def _identity(row: CmRow) -> tuple[Any, Any, Any, Any]:
    return row.version, row.Location, row.MlperfModel, row.Scenario


def _power(given: CmRow, power: CmRow | None) -> tuple[float | None, str | None]:
    """Figure and unit of power, from the row itself or from the power row that belongs to it."""
    value, unit = clean.number(given.Result_Power), clean.text(given.Result_Power_Units)
    if value is None and power is not None:
        value = clean.number(power.Result_Power if power.Result_Power is not None else power.Result)
        unit = clean.text(power.Units)
    if value is None or value <= 0:
        return None, None
    if unit not in _POWER_UNITS:
        unit = "millijoules" if "Stream" in given.Scenario else "Watts"
    return value, unit


def _system(given: CmRow) -> SystemFields:
    fields: Mapping[str, object] = {
        "system_type": given.SystemType,
        "status": given.Availability,
        "system_name": given.SystemName,
        "accelerator_model_name": given.accelerator_model_name,
        "accelerators_per_node": given.accelerators_per_node,
        "host_processor_model_name": given.host_processor_model_name,
        "host_processors_per_node": given.host_processors_per_node,
        "host_processor_core_count": given.host_processor_core_count,
        "number_of_nodes": given.number_of_nodes,
        "operating_system": given.operating_system,
        "framework": given.framework,
        "notes": given.notes,
    }
    return system_fields(fields, organisation=given.Organization)


@functools.lru_cache(256)
def _known_source(address: str) -> Source:
    repository = address.rstrip("/")
    if not repository.startswith("https://") or any(each in repository for each in " <>\"'\\"):
        return Source("")
    return Source(repository.rsplit("/", 1)[-1], repository, official=True)


def _source(value: object) -> Source:
    """The source of a row; every row of CM's repositories names the official one that it was taken from."""
    words = clean.text(value)
    return Source("") if words is None else _known_source(words)
