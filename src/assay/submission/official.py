"""The official verdict: rows and places without a result, as the round's tool keeps book of them.

Source: ``check_results_dir``, ``log_result`` and ``main`` of submission_checker.py. Its oddities are kept: the count
of errors goes on from one scenario of a model to the next, a result of zero is none, a scenario counts as there when
its performance is valid whatever its accuracy and compliance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from assay.rules.model import Category, Round, Scenario
from assay.rules.submission import Level, SubmissionRules
from assay.submission.checks.system import notes
from assay.submission.levels import LevelTable
from assay.submission.model import EntryOutcome, ModelOutcome, Part, Seen, SystemOutcome

_STREAMS = ("SingleStream", "MultiStream")
_COLUMNS = (
    "Organization,Availability,Division,SystemType,SystemName,Platform,Model,MlperfModel,Scenario,Result,Accuracy,"
    "number_of_nodes,host_processor_model_name,host_processors_per_node,host_processor_core_count,"
    "accelerator_model_name,accelerators_per_node,Location,framework,operating_system,notes,{compliance},errors,"
    "version,inferred,has_power,Units"
)


def header(rules: SubmissionRules) -> str:
    """The first line of ``summary.csv``."""
    return _COLUMNS.format(compliance=rules.csv.compliance_column)


@dataclass(slots=True)
class OfficialBook:
    """What the tool would have kept at its end.

    Attributes:
        rows: lines of ``summary.csv``.
        taken: places with a result.
        refused: places without one.
    """

    rows: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    refused: dict[str, None] = field(default_factory=dict)


class OfficialJudge:
    """Keeps the official book of one tree."""

    def __init__(self, round_: Round, table: LevelTable, *, compliance: bool = True) -> None:
        assert round_.submission is not None
        self._round = round_
        self._rules = round_.submission
        self._table = table
        self._compliance = compliance
        self.book = OfficialBook()

    def refuse(self, path: str) -> None:
        """Keep a place as one without a result."""
        self.book.refused[path] = None

    def system(self, division: str, submitter: str, outcome: SystemOutcome) -> None:
        """Take in a system whose submitter is not refused."""
        place = f"{division}/{submitter}/results/{outcome.system}"
        if any(self._level(seen, division) is Level.REJECT for seen in outcome.seen):
            self.refuse(place)
            return
        for model in outcome.models:
            self._model(division, submitter, outcome, model)

    def _level(self, seen: Seen, division: str) -> Level:
        return self._table.official(seen.issue.code, closed=division != "open")

    def _model(self, division: str, submitter: str, system: SystemOutcome, model: ModelOutcome) -> None:
        place = f"{division}/{submitter}/results/{system.system}/{model.directory}"
        if not model.known:
            self.refuse(place)
            return
        required, allowed = scenarios(self._round, model.benchmark, system.description.get("system_type"))
        missing = set(required)
        errors = 0
        for entry in model.entries:
            valid, errors = _EntryBook(self, division, submitter, system, model, entry, errors, allowed).keep()
            if valid:
                missing.discard(entry.scenario)
        if missing and division != "open":
            self.refuse(place)

    def parts(self, entry: EntryOutcome, division: str) -> set[Part]:
        """Parts of an entry that the tool refuses."""
        return {seen.part for seen in entry.seen if self._level(seen, division) is Level.REJECT}

    def codes(self, entry: EntryOutcome) -> set[str]:
        """Codes of an entry."""
        return {seen.issue.code for seen in entry.seen}

    @property
    def rules(self) -> SubmissionRules:
        """Rules of the round."""
        return self._rules

    @property
    def judges_compliance(self) -> bool:
        """Compliance folders are looked at."""
        return self._compliance

    @property
    def version(self) -> str:
        """Name of the round."""
        return self._round.name

    def unit(self, scenario: str) -> str:
        """Official unit of a scenario's figure."""
        return next(facts.unit for each, facts in self._round.scenarios.items() if each.value == scenario)


def scenarios(round_: Round, benchmark: str, system_type: object) -> tuple[set[str], set[str]]:
    """Required and allowed scenarios of a benchmark for a system's categories."""
    kinds = str(system_type).split(",")
    entry = round_.benchmarks[benchmark]
    required: set[str] = set()
    allowed: set[str] = set()
    for category in Category:
        if category.value in kinds:
            required |= {scenario.value for scenario in entry.required.get(category, ())}
            allowed |= {scenario.value for scenario in entry.scenarios(category)}
    return required, allowed


class _EntryBook:
    """One scenario directory in the official book."""

    def __init__(
        self,
        judge: OfficialJudge,
        division: str,
        submitter: str,
        system: SystemOutcome,
        model: ModelOutcome,
        entry: EntryOutcome,
        errors: int,
        allowed: set[str],
    ) -> None:
        self._judge = judge
        self._division = division
        self._submitter = submitter
        self._system = system
        self._model = model
        self._entry = entry
        self._errors = errors
        self._allowed = allowed
        self._place = f"{division}/{submitter}/results/{system.system}/{model.directory}/{entry.directory}"
        self._closed = division != "open"

    def keep(self) -> tuple[bool, int]:
        """Write the entry down; whether its performance is valid, and the count of errors after it."""
        judge, entry = self._judge, self._entry
        if Part.ENTRY in judge.parts(entry, self._division):
            self._errors += judge.rules.unexpected_counts
            judge.refuse(self._place)
            return False, self._errors
        parts = judge.parts(entry, self._division)
        if not self._measurements(parts):
            judge.refuse(self._place)
            return False, self._errors
        accuracy_ok = Part.ACCURACY not in parts
        # The tool counts no error for a folder without accuracy.txt.
        self._errors += not accuracy_ok and "accuracy-missing" not in judge.codes(entry)
        valid = self._performance(parts)
        taken = valid and self._truthy() and self._compliance() and accuracy_ok
        if taken:
            judge.book.taken.append(self._place)
            self._rows()
        else:
            judge.refuse(self._place)
        return valid, self._errors

    def _measurements(self, parts: set[Part]) -> bool:
        """Whether the tool goes on after the measurements."""
        codes = {seen.issue.code for seen in self._entry.seen if seen.part is Part.MEASUREMENTS}
        looked_at = {code for code in codes if self._level(code) is not Level.IGNORE}
        if not looked_at:
            return True
        self._errors += 1
        stops = self._judge.rules.measurements.stops_entry
        if "measurements-missing" in looked_at or stops:
            head = f"{self._division}/{self._submitter}/measurements/{self._system.system}"
            self._judge.refuse(f"{head}/{self._model.directory}/{self._entry.directory}")
        return not stops and Part.MEASUREMENTS not in parts

    def _level(self, code: str) -> Level:
        return self._judge._table.official(code, closed=self._closed)

    def _performance(self, parts: set[Part]) -> bool:
        if not self._entry.performance_there:
            return False
        refused = {
            seen.issue.code
            for seen in self._entry.seen
            if seen.part in (Part.PERFORMANCE, Part.POWER) and self._level(seen.issue.code) is Level.REJECT
        } - {"result-absent", "result-zero"}
        # A folder with other files than asked for is passed over without counting an error.
        self._errors += bool(refused - {"performance-files"}) and "performance-files" not in refused
        return not refused

    def _truthy(self) -> bool:
        """Python's truth of what the tool keeps: a text with the power figure, or the bare number."""
        return bool(self._entry.power) or bool(self._entry.value)

    def _compliance(self) -> bool:
        rejects = self._judge.rules.compliance.judges_runs
        return not (self._closed and self._judge.judges_compliance and rejects and not self._entry.compliance_passed)

    def _rows(self) -> None:
        entry = self._entry
        compliance = int(not self._closed or bool(self._judge.judges_compliance and entry.compliance_passed))
        power = entry.power or 0
        unit = self._judge.unit(entry.scenario)
        self._judge.book.rows.append(self._row(entry.value_text, compliance, power > 0, unit))
        if power > 0:
            energy = self._judge.rules.power.energy_unit
            power_unit = energy if entry.scenario in _STREAMS else "Watts"
            self._judge.book.rows.append(self._row(str(power), compliance, True, power_unit))

    def _row(self, result: str, compliance: int, has_power: bool, unit: str) -> str:
        fields: Mapping[str, Any] = self._system.description
        rules, entry = self._judge.rules, self._entry
        accelerators = str(fields.get("accelerators_per_node"))
        columns = (
            self._submitter,
            str(fields.get("status")).lower(),
            self._division,
            f'"{fields.get("system_type")}"',
            f'"{fields.get("system_name")}"',
            self._system.system,
            self._model.directory,
            self._model.benchmark,
            entry.scenario,
            result,
            entry.accuracy,
            fields.get("number_of_nodes"),
            f'"{fields.get("host_processor_model_name")}"',
            fields.get("host_processors_per_node"),
            fields.get("host_processor_core_count"),
            f'"{fields.get("accelerator_model_name")}"',
            f'"{accelerators}"' if rules.csv.quotes_accelerators else accelerators,
            self._place.replace("\\", "/"),
            f'"{fields.get("framework", "")}"',
            f'"{fields.get("operating_system", "")}"',
            f'"{notes(fields, joins_empty=rules.csv.joins_empty_notes)}"',
            compliance,
            self._errors,
            self._judge.version,
            int(entry.inferred),
            has_power,
            unit,
        )
        return ",".join(str(column) for column in columns)


def known_scenario(name: str) -> bool:
    """Whether a name is a scenario's official one."""
    return any(scenario.value == name for scenario in Scenario)
