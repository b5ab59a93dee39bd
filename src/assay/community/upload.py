"""What an upload is: a submission tree, or folders of runs; told from its folders, whatever it is wrapped in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from assay.community.outcome import UploadKind
from assay.errors import InvalidInputError, NotFoundError
from assay.loadgen.names import DETAIL
from assay.loadgen.runs import RECORD_FILE

_DIVISIONS = ("closed", "open", "network")
_WRAPPINGS = 3
_MOST_RUNS = 500
_MOST_LOOKED_AT = 20_000


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload, sniffed.

    Attributes:
        kind: what it holds.
        root: of the tree, or of the folder that runs lie in.
        runs: folders of runs, in the order of their names; none for a tree.
    """

    kind: UploadKind
    root: Path
    runs: tuple[Path, ...] = ()


def sniff(folder: Path) -> Upload:
    """Tell what an upload holds.

    Raises:
        NotFoundError: when it is not there.
        InvalidInputError: when it is neither a tree nor runs, or more runs than are taken at once.
    """
    if not folder.is_dir():
        raise NotFoundError("the upload is not there", where=folder.name)
    root = folder
    for _ in range(_WRAPPINGS):
        if any(_is_division(root / name) for name in _DIVISIONS):
            return Upload(UploadKind.TREE, root)
        inner = _folders(root)
        if len(inner) != 1 or _is_run(root):
            break
        root = inner[0]
    runs = _runs(folder)
    if runs:
        return Upload(UploadKind.RUNS, folder, runs)
    inside = sorted(each.name for each in folder.iterdir())[:8]
    raise InvalidInputError(
        "nothing in it can be taken",
        expected=f"a submission tree (closed/, open/ or network/ with submitters in it), or a run of assay ({RECORD_FILE} "
        f"and {DETAIL})",
        found=", ".join(inside) or "an empty folder",
    )


def _is_division(folder: Path) -> bool:
    """Whether a folder holds submitters: folders with results or systems in them."""
    return not folder.is_symlink() and any(
        (each / name).is_dir() for each in _folders(folder) for name in ("results", "systems", "measurements")
    )


def _runs(folder: Path) -> tuple[Path, ...]:
    """Folders of runs: the folder, those in it, and those in these."""
    found: list[Path] = []
    level, looked = [folder], 0
    for _ in range(_WRAPPINGS + 1):
        below: list[Path] = []
        for each in level:
            looked += 1
            if _is_run(each):
                found.append(each)
            elif looked < _MOST_LOOKED_AT:
                below += _folders(each)
        level = below
    if len(found) > _MOST_RUNS:
        raise InvalidInputError("too many runs at once", expected=f"at most {_MOST_RUNS}", found=str(len(found)))
    return tuple(sorted(found))


def _is_run(folder: Path) -> bool:
    return (folder / RECORD_FILE).is_file()


def _folders(folder: Path) -> list[Path]:
    try:
        inside = sorted(folder.iterdir())
    except OSError:
        return []
    return [each for each in inside if not each.name.startswith(".") and not each.is_symlink() and each.is_dir()]
