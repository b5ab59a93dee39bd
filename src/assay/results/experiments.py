"""Rows into a CM repository: experiments named as CM's own, one file of rows for each import of each.

``experiment/mlperf-inference--v3.0--edge--closed--image-classification--offline/<time>/cm-result.json`` holds the rows,
``cm-input.json`` beside it says which import they came from. The same import again replaces what it wrote, writes only
what changed, and takes away what it does not give any more; whatever else lies in the repository stays as it is.
"""

from __future__ import annotations

import functools
import hashlib
import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from assay.base.files import machine_errors, read_json, write_atomic
from assay.base.progress import SILENT, Progress
from assay.cm.artifact import EXPERIMENT, Artifact
from assay.cm.editor import Editor
from assay.cm.repository import Repository
from assay.errors import AssayError
from assay.results.cm_row import ROW, cm_fields
from assay.results.importers.source import Source
from assay.results.model import Origin
from assay.results.row import Row

RESULT_FILE, INPUT_FILE = "cm-result.json", "cm-input.json"
_IMPORT = "assay_import"


@dataclass(frozen=True, slots=True)
class Written:
    """What writing rows changed.

    Attributes:
        rows: rows that are there now.
        experiments: files that hold them.
        changed: files that were written; the others were as they should be.
        removed: files of an earlier import of the same source that have no rows any more.
    """

    rows: int
    experiments: int
    changed: int
    removed: int


def write_rows(
    repository: Repository, rows: Sequence[Row], source: Source, round_: str, *, progress: Progress = SILENT
) -> Written:
    """Write the rows of an import.

    Args:
        repository: to write to.
        rows: all rows that the source has of the round.
        source: where they came from; with the round it names the import.

    Raises:
        MachineError: when another process keeps the repository's lock, or nothing can be written.
    """
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[alias_of(row)].append(row)
    key = import_key(source, round_)
    changed = 0
    step = progress.start("write", total=len(groups), unit="experiments")
    try:
        with repository.editing(timeout_s=600) as edit:
            old = _of_import(repository, key)
            there = {artifact.alias: artifact for artifact in repository.find(EXPERIMENT)}
            for alias, group in sorted(groups.items()):
                artifact = edit.ensure(EXPERIMENT, alias, tags=tags_of(group), among=there)
                folder = artifact.path / (old.pop(alias, "") or _folder_name(artifact, key))
                changed += _write(folder, group, key, source, round_)
                step.advance()
            for alias, name in old.items():
                _take_away(edit, alias, name)
    finally:
        step.finish()
    return Written(len(rows), len(groups), changed, len(old))


def import_key(source: Source, round_: str) -> str:
    """What names an import: the same source and round replace each other."""
    place = source.place or source.repository or source.name
    return hashlib.sha256(f"{place}\0{round_}".encode("utf-8", "replace")).hexdigest()[:16]


def alias_of(row: Row) -> str:
    """Name of the experiment that a row belongs to, as CM's importer makes it; ``local--`` keeps own ones apart."""
    local = row.origin is not Origin.OFFICIAL
    return _alias(local, row.round, row.category[:1], row.division, row.power, row.task or row.benchmark, row.scenario)


@functools.lru_cache(4096)
def _alias(
    local: bool, round_: str, category: tuple[str, ...], division: str, power: bool | None, task: str, scenario: str
) -> str:
    name = "--".join(
        (
            f"{'local--' if local else ''}mlperf-inference",
            round_,
            *(category or ("unknown",)),
            f"{division}{'-power' if power else ''}",
            task,
            scenario.lower(),
        )
    )
    plain = "".join(each if (each.isascii() and each.isalnum()) or each in "_.@+=-" else "_" for each in name)[:200]
    # No folder's name ends with a point everywhere.
    return f"{plain[:-1]}_" if plain.endswith(".") else plain


def tags_of(rows: Iterable[Row]) -> tuple[str, ...]:
    """Tags of an experiment: what its rows have in common."""
    first = next(iter(rows))
    plain = ["mlperf", "inference", "mlperf-inference", first.round, *first.category[:1], first.division]
    plain += ["power"] if first.power else []
    plain += [first.task or first.benchmark, first.scenario.lower()]
    plain += ["local"] if first.origin is Origin.LOCAL else []
    return tuple(dict.fromkeys(tag.replace(",", "_").replace(" ", "-") for tag in plain if tag))


def _of_import(repository: Repository, key: str) -> dict[str, str]:
    """Experiments that an import wrote before: their alias and the folder in each."""
    found: dict[str, str] = {}
    for path in (repository.root / EXPERIMENT.alias).glob(f"*/*/{INPUT_FILE}"):
        try:
            said = read_json(path, max_bytes=1 << 20)
        except AssayError:
            continue
        if isinstance(said, dict) and isinstance(own := said.get(_IMPORT), dict) and own.get("key") == key:
            found[path.parent.parent.name] = path.parent.name
    return found


def _write(folder: Path, rows: Sequence[Row], key: str, source: Source, round_: str) -> bool:
    """Write one experiment's rows; whether anything changed."""
    ordered = sorted(rows, key=lambda row: (row.location, row.benchmark, row.scenario))
    said: Mapping[str, Any] = {
        "action": "import",
        "automation": "experiment",
        _IMPORT: {
            "key": key,
            "round": round_,
            "source": source.name,
            "repository": source.repository,
            "commit": source.commit,
        },
    }
    contents = {
        # What tells whose folder it is goes first: a process that dies in between leaves nothing that is nobody's.
        INPUT_FILE: _json(said),
        RESULT_FILE: _json([{**cm_fields(row), ROW: row} for row in ordered]),
    }
    changed = False
    for name, raw in contents.items():
        target = folder / name
        if not _holds(target, raw):
            write_atomic(target, raw)
            changed = True
    return changed


def _json(value: object) -> bytes:
    """JSON as CM writes it: sorted keys, two spaces, a line end."""
    return msgspec.json.format(msgspec.json.encode(value, order="sorted"), indent=2) + b"\n"


def _holds(path: Path, raw: bytes) -> bool:
    try:
        return path.stat().st_size == len(raw) and path.read_bytes() == raw
    except OSError:
        return False


def _folder_name(artifact: Artifact, key: str) -> str:
    """CM's name for a set of results, the time; its microseconds come from the import's key, so that two differ."""
    now = datetime.now(UTC).strftime("%Y-%m-%d.%H-%M-%S")
    name = f"{now}.{int(key, 16) % 10**6:06d}"
    return name if not (artifact.path / name).exists() else f"{name}.{key[:4]}"


def _take_away(edit: Editor, alias: str, name: str) -> None:
    """Remove a set of rows that its import does not give any more, and the experiment when that was all."""
    experiment = edit.repository.root / EXPERIMENT.alias / alias
    with machine_errors(experiment):
        if not any(each.name != name and not each.name.startswith("_cm.") for each in experiment.iterdir()):
            edit.remove(Artifact(experiment, {}))
            return
        # Rows go before what tells whose they are: whoever is interrupted here can do it again.
        (experiment / name / RESULT_FILE).unlink(missing_ok=True)
        shutil.rmtree(experiment / name)
