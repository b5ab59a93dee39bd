"""Where the originals go: a folder outside the tree, laid out like it.

The log and its ``accuracy.txt`` are both kept, so that an interrupted run can tell by their content how far it came:
nothing else has to be written down.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from assay.base.files import machine_errors, read_json
from assay.errors import AssayError, UsageError
from assay.submission.truncate.copying import Identity, part_of, put
from assay.submission.truncate.cut import LOG, TEXT
from assay.submission.truncate.places import require_outside

_ABOUT = "assay-truncate.json"
_TOOL = "assay truncate"


class Backup:
    """A folder of originals.

    Args:
        folder: the folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = os.path.abspath(folder)

    @property
    def exists(self) -> bool:
        """Something is in it, other than what a run that was killed at its very beginning left."""
        begun = os.path.basename(part_of(os.path.join(self.folder, _ABOUT)))
        return os.path.isdir(self.folder) and any(name != begun for name in os.listdir(self.folder))

    @property
    def is_ours(self) -> bool:
        """It was made here, and holds ``accuracy.txt`` of every log that had one."""
        return self._about() is not None

    def is_of(self, tree: str) -> bool:
        """It was made by runs on this tree."""
        return self._about() == {"tool": _TOOL, "tree": os.path.realpath(tree)}

    def claim(self, tree: str) -> None:
        """Make the folder, or go on with one that an earlier run on this tree made.

        Raises:
            UsageError: when it is inside the tree, or holds anything else.
            MachineError: when the machine refuses.
        """
        require_outside(Path(self.folder), tree, "the backup")
        if os.path.lexists(self.folder) and not os.path.isdir(self.folder):
            raise UsageError("a file stands where the backup is to go", where=self.folder)
        if self.exists and not self.is_of(tree):
            raise UsageError(
                "the backup folder holds something else",
                where=self.folder,
                expected="a folder that is not there, or the backup of an interrupted run on this tree",
                hint="name a new folder",
            )
        with machine_errors(Path(self.folder)):
            os.makedirs(self.folder, exist_ok=True)
        about = json.dumps({"tool": _TOOL, "tree": os.path.realpath(tree)})
        put(os.path.join(self.folder, _ABOUT), about.encode(), 0o644)

    def log(self, path: str) -> str:
        """Where the original of a log is, by the log's path relative to the root of the tree."""
        return os.path.join(self.folder, path)

    def text(self, path: str) -> str:
        """Where ``accuracy.txt`` of a log is as it was before."""
        return os.path.join(self.folder, os.path.dirname(path), TEXT)

    def holds(self, path: str, size: int) -> bool:
        """An original of this size is there."""
        try:
            return Identity.of(self.log(path)).size == size
        except OSError:
            return False

    def logs(self) -> Iterator[str]:
        """Paths of all logs in it, in order; links are not followed."""
        for folder, folders, names in os.walk(self.folder):
            folders.sort()
            full = os.path.join(folder, LOG)
            if LOG in names and not os.path.islink(full):
                yield os.path.relpath(full, self.folder).replace(os.sep, "/")

    def _about(self) -> object:
        try:
            return read_json(Path(self.folder, _ABOUT), max_bytes=1 << 20)
        except AssayError:
            return None
