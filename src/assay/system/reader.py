"""Small files of ``/proc`` and ``/sys`` under a root that tests replace, and one way to run a command."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

_LIMIT = 8 << 20
_COMMAND_SECONDS = 5.0
# What mainboard makers leave in the firmware tables where a name should be.
_FILLER = re.compile(
    r"(to be filled.*|default string|system (product|manufacturer|version).*"
    r"|not (specified|applicable|present)|o\.?e\.?m\.?|none|unknown|n/?a|invalid|0+|x+)",
    re.IGNORECASE,
)

Runner = Callable[[Sequence[str]], str | None]


def run_command(command: Sequence[str]) -> str | None:
    """Standard output of a command, or None when it is not there, fails or takes longer than 5 s."""
    try:
        done = subprocess.run(list(command), capture_output=True, text=True, timeout=_COMMAND_SECONDS, check=False)
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    return done.stdout if done.returncode == 0 else None


class Reader:
    """Reads what a machine tells about itself; whatever cannot be read is None.

    Args:
        root: folder that holds ``proc``, ``sys`` and ``etc``; the real machine's is ``/``.
        platform: as ``sys.platform``.
        run: runs a command (macOS only).
    """

    def __init__(self, root: Path = Path("/"), *, platform: str = sys.platform, run: Runner = run_command) -> None:
        self.root = root
        self.platform = platform
        self.run = run

    def data(self, path: str) -> bytes | None:
        """The first 8 MiB of a file."""
        try:
            with (self.root / path).open("rb") as stream:
                return stream.read(_LIMIT)
        except (OSError, ValueError):
            return None

    def text(self, path: str) -> str | None:
        """A file as text, NUL bytes and surrounding space removed; None when empty."""
        raw = self.data(path)
        if raw is None:
            return None
        return raw.decode("utf-8", errors="replace").replace("\0", "").strip() or None

    def number(self, path: str) -> int | None:
        """A file that holds one whole number."""
        text = self.text(path)
        try:
            return int(text) if text is not None else None
        except ValueError:
            return None

    def name(self, path: str) -> str | None:
        """A file that holds a name; fillers that firmware is shipped with count as nothing."""
        text = self.text(path)
        if text is None or _FILLER.fullmatch(text):
            return None
        return " ".join(text.split())

    def children(self, folder: str, pattern: str = r".*") -> list[str]:
        """Paths (relative to the root) of a folder's entries whose name matches, digits sorted as numbers."""
        try:
            names = [entry.name for entry in (self.root / folder).iterdir()]
        except OSError:
            return []
        wanted = re.compile(pattern)
        return [f"{folder}/{name}" for name in sorted(names, key=_natural) if wanted.fullmatch(name)]

    def exists(self, path: str) -> bool:
        """Whether a path is there."""
        try:
            return (self.root / path).exists()
        except OSError:
            return False

    def link_target(self, path: str) -> str | None:
        """Where a symbolic link leads in the end, None when there is none."""
        try:
            return str((self.root / path).resolve(strict=True))
        except (OSError, RuntimeError):
            return None


def parse_cpu_list(text: str) -> int | None:
    """How many CPUs a kernel list such as ``0-3,8,10-11`` names; None when it is no such list."""
    total = 0
    for part in text.strip().split(","):
        match = re.fullmatch(r"\s*(\d{1,7})(?:-(\d{1,7}))?\s*", part)
        if match is None:
            return None
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            return None
        total += last - first + 1
    return total


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)]
