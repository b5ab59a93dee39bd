"""Evidence: the small files that a result rests on, kept beside its row in the server's repository.

Accuracy logs and traces are left out: they are large, and what was made of them stands in ``accuracy.txt``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from assay.base.files import open_regular, sha256_bytes, write_atomic
from assay.base.settings import Settings
from assay.community.server_repository import server_path
from assay.errors import NotFoundError
from assay.loadgen.names import DETAIL, SUMMARY
from assay.loadgen.runs import RECORD_FILE

FOLDER = "evidence"
MOST_BYTES_FILE = 8 << 20
MOST_BYTES = 32 << 20
_MOST_FILES = 60
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+=-]{0,199}")
_OF_RESULT = (
    f"performance/run_1/{SUMMARY}",
    f"performance/run_1/{DETAIL}",
    "performance/run_1/spl.txt",
    "accuracy/accuracy.txt",
    f"accuracy/{SUMMARY}",
    f"accuracy/{DETAIL}",
)
_OF_RUN = (RECORD_FILE, SUMMARY, DETAIL, "accuracy.txt", "mlperf.conf", "user.conf")
_OF_MEASUREMENTS = ("*.json", "*.conf", "README.md")


@dataclass(frozen=True, slots=True)
class Evidence:
    """A file of an upload that is kept.

    Attributes:
        name: where it is kept, relative to the evidence of its result.
        source: where it lies now.
    """

    name: str
    source: Path


def of_entry(root: Path, path: str) -> tuple[Evidence, ...]:
    """Evidence of a result of a submission tree.

    Args:
        root: of the tree.
        path: of the scenario's folder, ``closed/Org/results/system/model/scenario``.
    """
    entry = root / path
    found = [Evidence(name, entry / name) for name in _OF_RESULT]
    parts = path.split("/")
    if len(parts) == 6:
        submitter, (system, model, scenario) = root.joinpath(*parts[:2]), parts[3:]
        found.append(Evidence("system.json", submitter / "systems" / f"{system}.json"))
        measurements = submitter / "measurements" / system / model / scenario
        for pattern in _OF_MEASUREMENTS:
            found += [Evidence(f"measurements/{each.name}", each) for each in sorted(measurements.glob(pattern))]
    return _there(found, root)


def of_run(folder: Path, mode: str) -> tuple[Evidence, ...]:
    """Evidence of one run of assay.

    Args:
        folder: of the run.
        mode: performance or accuracy.
    """
    return _there([Evidence(f"{mode}/{name}", folder / name) for name in _OF_RUN], folder)


def _there(files: Iterable[Evidence], root: Path) -> tuple[Evidence, ...]:
    """Files that are there, have plain names and lie in the upload."""
    inside = root.resolve()
    return tuple(
        each
        for each in files
        if all(_PLAIN.fullmatch(part) for part in each.name.split("/"))
        and each.source.is_file()
        and not each.source.is_symlink()
        and each.source.resolve().is_relative_to(inside)
    )[:_MOST_FILES]


def keep(files: Iterable[Evidence], target: Path) -> dict[str, str]:
    """Copy evidence into a folder; name to SHA-256 of what was kept. What is too large is left out.

    Raises:
        MachineError: when it cannot be written.
    """
    kept: dict[str, str] = {}
    total = 0
    for each in files:
        raw = _read(each.source)
        if raw is None or total + len(raw) > MOST_BYTES:
            continue
        total += len(raw)
        write_atomic(target / each.name, raw)
        kept[each.name] = sha256_bytes(raw)
    return kept


def _read(path: Path) -> bytes | None:
    """A whole file; None when it cannot be read or is too large."""
    try:
        with open_regular(path) as stream:
            raw = stream.read(MOST_BYTES_FILE + 1)
    except OSError:
        return None
    return raw if len(raw) <= MOST_BYTES_FILE else None


def evidence_names(settings: Settings, location: str) -> tuple[str, ...]:
    """Names of the files that are kept for an accepted result; none for a result of elsewhere.

    Args:
        settings: say where the server's repository is.
        location: of the result, as its row says it. Whether it may be seen has to be known before.
    """
    folder = _folder(settings, location)
    return tuple(sorted(_names(folder))) if folder is not None else ()


def evidence_file(settings: Settings, location: str, name: str) -> Path:
    """A file that is kept for an accepted result.

    Raises:
        NotFoundError: when there is none of that name.
    """
    folder = _folder(settings, location)
    if folder is None or name not in set(_names(folder)):
        raise NotFoundError(f"no evidence {name[:200]!r}")
    return folder / name


def _folder(settings: Settings, location: str) -> Path | None:
    parts = location.split("/")
    # experiment/ALIAS/TIME/evidence/UID, and nothing else.
    if len(parts) != 5 or parts[0] != "experiment" or parts[3] != FOLDER:
        return None
    if not all(_PLAIN.fullmatch(part) for part in parts):
        return None
    return server_path(settings).joinpath(*parts)


def _names(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink() and not path.name.startswith("."):
            yield path.relative_to(folder).as_posix()
