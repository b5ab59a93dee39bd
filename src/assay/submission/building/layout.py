"""The files of a tree: where each goes, and what is in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from assay.assets.catalogue import Catalogue
from assay.base.files import sha256_file
from assay.loadgen.conf import mlperf_conf
from assay.loadgen.names import ACCURACY, DETAIL, SUMMARY
from assay.loadgen.record import RunRecord
from assay.rules.model import Round
from assay.submission.building.described import system_fields, system_missing, system_notes, system_text
from assay.submission.building.facts import Implementation, ModelFacts, calibration_text, model_facts
from assay.submission.building.model import Entry, Missing, Piece, Taken, Wish
from assay.submission.building.power import document_text, has_session, session_files, settings_missing
from assay.submission.building.readme import (
    MANIFEST,
    calibration_page,
    code_readme,
    measurements_readme,
    rehearsal_line,
)
from assay.submission.truncate.cut import TEXT, recorded_hash, shortened, with_hash

Part = tuple[list[Entry], Wish]
"""The scenarios of one system, and what is wished of them."""
REHEARSAL = "rehearsal-not-to-be-submitted"
_FP32 = "fp32"


@dataclass(slots=True)
class Layout:
    """The files, in the order of their paths, and what keeps some of them from being written."""

    pieces: dict[str, Piece] = field(default_factory=dict)
    missing: list[Missing] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, path: str, data: str | bytes) -> None:
        """A file that is written."""
        raw = data.encode("utf-8") if isinstance(data, str) else data
        self.pieces[path] = Piece(path, raw)

    def copy(self, path: str, source: Path) -> None:
        """A file that is copied."""
        self.pieces[path] = Piece(path, None, source)

    def sorted(self) -> list[Piece]:
        """All files by path."""
        return [self.pieces[path] for path in sorted(self.pieces)]


def lay_out(parts: Sequence[Part], round_: Round, catalogue: Catalogue) -> Layout:
    """Make the layout of a tree; reads records and logs, and writes nothing.

    Args:
        parts: what is chosen of each system.
    """
    layout = Layout()
    builders = [_Builder(entries, round_, wish, catalogue, layout) for entries, wish in parts]
    for each in builders:
        each.make()
    _shared(builders, layout)
    layout.missing = list(dict.fromkeys(layout.missing))
    return layout


def _shared(builders: Sequence[_Builder], layout: Layout) -> None:
    """The pages that are not of one system: how the code is run, and how models were calibrated."""
    wish, groups = builders[0].wish, dict[tuple[str, str], list[Entry]]()
    for builder in builders:
        for entry in builder.entries:
            groups.setdefault((entry.benchmark.name, builder.implementation(entry)), []).append(entry)
    for (benchmark, name), entries in groups.items():
        readme = code_readme(benchmark, name, entries, wish)
        layout.add(f"{wish.top}/code/{benchmark}/{name}/README.md", readme)
        manifest = entries[0].performance.folder / MANIFEST
        if manifest.is_file() and not manifest.is_symlink():
            layout.copy(f"{wish.top}/code/{benchmark}/{name}/{MANIFEST}", manifest)
    texts = [text for builder in builders for text in builder.calibration.values()]
    labels = [label for builder in builders for entry in builder.entries for label in entry.labels]
    page = calibration_page(texts, dict.fromkeys(labels), wish)
    layout.add(f"{wish.top}/documentation/calibration.md", page)


class _Builder:
    """Lays out what is of one system."""

    def __init__(self, entries: list[Entry], round_: Round, wish: Wish, catalogue: Catalogue, layout: Layout) -> None:
        rules = round_.submission
        assert rules is not None
        self.entries = entries
        self._round = round_
        self._rules = rules
        self.wish = wish
        self._catalogue = catalogue
        self._layout = layout
        self._labels = list(dict.fromkeys(label for entry in entries for label in entry.labels))
        self._models: dict[str, ModelFacts] = {}
        self.calibration: dict[str, str] = {}

    def make(self) -> None:
        """Lay out every file but those that systems share."""
        layout, wish = self._layout, self.wish
        fields = system_fields(wish, self._round, self._labels)
        layout.missing += system_missing(fields, wish, self._round)
        layout.notes += system_notes(self.entries, fields)
        layout.add(f"{wish.top}/systems/{wish.system}.json", system_text(fields))
        for entry in self.entries:
            self._results(entry)
            self._measurements(entry)
            self._compliance(entry)
        self._power(fields)

    def _place(self, kind: str, entry: Entry) -> str:
        return f"{self.wish.top}/{kind}/{self.wish.system}/{entry.benchmark.name}/{entry.scenario.value}"

    def implementation(self, entry: Entry) -> str:
        """The name of what ran an entry."""
        name = self.wish.implementation or entry.performance.record.backend_name
        return f"{name}-{REHEARSAL}" if self.wish.rehearsal else name

    # ---- results

    def _results(self, entry: Entry) -> None:
        place = self._place("results", entry)
        for name in (SUMMARY, DETAIL):
            self._log(entry, entry.performance, name, f"{place}/performance/run_1/{name}")
        session = session_files(entry, self._rules, self.wish)
        self._layout.missing += session.missing
        for name, path in session.files.items():
            self._layout.copy(f"{place}/performance/{name}", path)
        if entry.accuracy is None:
            return
        for name in (SUMMARY, DETAIL):
            self._log(entry, entry.accuracy, name, f"{place}/accuracy/{name}")
        self._accuracy(entry, entry.accuracy, f"{place}/accuracy")

    def _log(self, entry: Entry, run: Taken, name: str, target: str) -> None:
        if self._whole(entry, run, name):
            self._layout.copy(target, run.folder / name)

    def _whole(self, entry: Entry, run: Taken, name: str) -> bool:
        """Whether a log is there and still the one that LoadGen wrote."""
        path, digest = run.folder / name, run.record.logs.get(name)
        there = path.is_file()
        if there and digest is not None and sha256_file(path) == digest:
            return True
        what = f"{name} of {run.record.id} {'is not what LoadGen wrote' if there else 'is not there'}"
        self._layout.missing.append(Missing(entry.name, what, f"run it again: {run.record.command}"))
        return False

    def _accuracy(self, entry: Entry, run: Taken, place: str) -> None:
        """The accuracy log as the truncation tool of the round leaves it, its hash beside it."""
        text = run.folder / TEXT
        if not text.is_file():
            what = f"{TEXT} of {run.record.id} is not there"
            self._layout.missing.append(Missing(entry.name, what, f"run it again: {run.record.command}"))
        elif self._whole(entry, run, ACCURACY):
            self._cut(run.folder / ACCURACY, text.read_bytes(), run.record.logs[ACCURACY], place)

    def _cut(self, log: Path, text: bytes, digest: str, place: str) -> None:
        said = recorded_hash(text)
        self._layout.add(f"{place}/{TEXT}", text if said is not None else with_hash(text, digest))
        limit = self._rules.files.accuracy_log_max_bytes
        # The tool leaves alone what has its hash and is short enough.
        short = said is not None and log.stat().st_size < limit
        content = None if short else shortened(str(log))
        if content is None:
            self._layout.copy(f"{place}/{ACCURACY}", log)
        else:
            self._layout.add(f"{place}/{ACCURACY}", content)

    # ---- measurements and code

    def _measurements(self, entry: Entry) -> None:
        place, layout, record = self._place("measurements", entry), self._layout, entry.performance.record
        known = self._facts(record, entry)
        told = Implementation(entry, known, self._catalogue, self.wish.fields)
        names, name = self._rules.measurements.fields, self.implementation(entry)
        layout.missing += told.missing(names)
        layout.add(f"{place}/{self.wish.system}_{name}_{entry.scenario.value}.json", told.text(names))
        readme = measurements_readme(entry, self.wish, name, told.fields(names))
        layout.add(f"{place}/README.md", readme)
        self._settings(entry, place)
        self._calibrated(entry, known, place)

    def _facts(self, record: RunRecord, entry: Entry) -> ModelFacts:
        key = f"{record.model.name} {record.model.sha256}"
        if key not in self._models:
            self._models[key] = model_facts(entry, self._catalogue)
        return self._models[key]

    def _settings(self, entry: Entry, place: str) -> None:
        """The two files that LoadGen was set by; the round's own where the run used no other."""
        run, layout = entry.performance, self._layout
        if (run.folder / "mlperf.conf").is_file():
            layout.copy(f"{place}/mlperf.conf", run.folder / "mlperf.conf")
        else:
            layout.add(f"{place}/mlperf.conf", mlperf_conf(self._round))
        source = run.folder / "user.conf"
        if source.is_file():
            layout.copy(f"{place}/user.conf", source)
        else:
            what = f"user.conf of {run.record.id} is not there"
            layout.missing.append(Missing(entry.name, what, f"run it again: {run.record.command}"))

    def _calibrated(self, entry: Entry, known: ModelFacts, place: str) -> None:
        record, wish = entry.performance.record, self.wish
        text = calibration_text(entry, known, wish.calibration)
        if text is None:
            what = f"how {record.model.name} came to {record.precision}"
            self._layout.missing.append(Missing(entry.benchmark.name, what, "--calibration FILE.md"))
            return
        self.calibration[f"{entry.benchmark.name} {record.model.name} {record.precision}"] = text
        if record.precision != _FP32:
            page = calibration_page([text], entry.labels, wish, f"Calibration of {entry.benchmark.name}")
            self._layout.add(f"{place}/calibration.md", page)

    def _power(self, fields: Mapping[str, object]) -> None:
        """What the round asks to be told of analyzer and machine, once for the system."""
        measured = [entry for entry in self.entries if has_session(entry.performance)]
        wish, names = self.wish, self._rules.measurements.power_documents
        if not measured or not names:
            return
        self._layout.missing += settings_missing(measured, wish)
        warning = rehearsal_line(self._labels) if wish.rehearsal else ""
        for name in names:
            text = document_text(name, measured, fields, wish, warning)
            self._layout.add(f"{wish.top}/measurements/{wish.system}/{name}.md", text)

    # ---- compliance

    def _compliance(self, entry: Entry) -> None:
        for test, folder in entry.compliance.items():
            place = f"{self._place('compliance', entry)}/{test}"
            log = folder / "accuracy" / ACCURACY
            for path in _files_below(folder):
                within = path.relative_to(folder).as_posix()
                if path != log and not (path.parent == log.parent and path.name == TEXT and log.is_file()):
                    self._layout.copy(f"{place}/{within}", path)
            if log.is_file():
                text = log.parent / TEXT
                self._cut(log, text.read_bytes() if text.is_file() else b"", sha256_file(log), f"{place}/accuracy")


def _files_below(folder: Path) -> Iterator[Path]:
    """Regular files, sorted; links are not followed, they may lead anywhere."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path
