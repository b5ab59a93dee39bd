"""Whether a run fits into memory, told before anything large is loaded."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import psutil

from assay.base.units import format_count, format_size
from assay.errors import MachineError

_CGROUPS = Path("/sys/fs/cgroup")
_OWN_GROUP = Path("/proc/self/cgroup")


@dataclass(frozen=True, slots=True)
class _Form:
    """Files of a control group. Source: Linux, admin-guide/cgroup-v2 and cgroup-v1/memory."""

    folder: str
    limit: str
    used: str
    cached: tuple[str, str]


_V2 = _Form("", "memory.max", "memory.current", ("inactive_file", "active_file"))
_V1 = _Form("memory", "memory.limit_in_bytes", "memory.usage_in_bytes", ("total_inactive_file", "total_active_file"))


@dataclass(frozen=True, slots=True)
class Need:
    """Memory a run takes, estimated, in bytes.

    Attributes:
        model: the model's files; an engine keeps at least that much.
        samples: what LoadGen has loaded at once.
        count: how many samples that are.
        extra: what the task says its streams need besides.
    """

    model: int
    samples: int
    count: int
    extra: int = 0

    @property
    def total(self) -> int:
        """All of it."""
        return self.model + self.samples + self.extra

    def words(self) -> str:
        """The estimate for a person."""
        parts = [f"model {format_size(self.model)}", f"{format_count(self.count)} samples {format_size(self.samples)}"]
        parts += [f"working memory {format_size(self.extra)}"] if self.extra else []
        return f"about {format_size(self.total)} ({', '.join(parts)})"


def require_memory(need: Need, available: int | None = None) -> None:
    """Refuse a run that is larger than the memory left.

    Args:
        need: what it takes.
        available: bytes there are; measured unless given.

    Raises:
        MachineError: with both figures.
    """
    left = available_memory() if available is None else available
    if need.total > left:
        raise MachineError(
            "too little memory for this run",
            expected=need.words(),
            found=f"{format_size(left)} available",
            hint="end other programs, raise the container's limit, or take a smaller model, --batch-size or --streams",
        )


def model_bytes(model: Path) -> int:
    """Size of a model: of its file with the files of its name beside it (external data), or of its folder."""
    if model == Path() or not model.exists():
        return 0
    if model.is_file():
        beside = (path for path in model.parent.glob(f"{_literal(model.name)}*") if path.is_file())
        return sum(path.stat().st_size for path in beside)
    total = 0
    for folder, _, names in os.walk(model):
        total += sum(path.stat().st_size for path in (Path(folder, name) for name in names) if path.is_file())
    return total


def available_memory(groups: Path = _CGROUPS, own: Path = _OWN_GROUP) -> int:
    """Bytes that can be had without swapping: the machine's, or what the control groups leave of them."""
    free = int(psutil.virtual_memory().available)
    try:
        lines = own.read_text("ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return free
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, name = rest.partition(":")
        form = _V2 if line.startswith("0::") else _V1 if "memory" in controllers.split(",") else None
        if form is None:
            continue
        parts = [part for part in PurePosixPath(name).parts if part not in ("/", "..")]
        for depth in range(len(parts) + 1):
            left = _left((groups / form.folder).joinpath(*parts[:depth]), form)
            free = free if left is None else min(free, left)
    return free


def _left(group: Path, form: _Form) -> int | None:
    """What a group leaves: its limit less what it uses, cached files that the kernel gives up not counted."""
    try:
        limit = (group / form.limit).read_text("ascii").strip()
        used = int((group / form.used).read_text("ascii"))
        lines = [line.split() for line in (group / "memory.stat").read_text("ascii").splitlines()]
        cached = sum(int(value) for name, value in lines if name in form.cached)
        return None if limit == "max" else max(int(limit) - used + cached, 0)
    except (OSError, ValueError):
        return None


def _literal(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)
