"""Facts of a machine, each with the place it was read from. Nothing here reads anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, is_dataclass
from typing import Any, Generic, TypeVar, cast

from assay.base.units import format_size

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Fact(Generic[T]):
    """A value and where it came from.

    Attributes:
        value: None when it could not be found out; nothing is ever guessed.
        source: file, command or library that told; for None the reason why nobody did.
    """

    value: T | None
    source: str


@dataclass(frozen=True, slots=True)
class Cache:
    """One level of processor cache: ``L1d``, ``L2``..., bytes of one instance, instances (None: not told)."""

    name: str
    size: int
    instances: int | None

    def __str__(self) -> str:
        if self.instances is None:
            return f"{self.name}: {format_binary(self.size)} each"
        total = format_binary(self.size * self.instances)
        return f"{self.name}: {total} ({self.instances} x {format_binary(self.size)})"


@dataclass(frozen=True, slots=True)
class MemoryModule:
    """One memory module: bytes, type such as ``DDR5``, configured speed in MT/s; None where not told."""

    size: int
    kind: str | None
    speed_mts: int | None

    def __str__(self) -> str:
        speed = f"-{self.speed_mts}" if self.kind and self.speed_mts else ""
        return f"{format_binary(self.size)} {self.kind or ''}{speed}".strip()


@dataclass(frozen=True, slots=True)
class Disk:
    """One disk: kernel name, bytes, what it is (``NVMe SSD``, ``HDD``, ``virtual disk``...), its model."""

    name: str
    size: int
    kind: str
    model: str | None

    def __str__(self) -> str:
        return f"{self.name}: {format_size(self.size)} {self.kind}{f' ({self.model})' if self.model else ''}"


@dataclass(frozen=True, slots=True)
class NetworkCard:
    """One network card: its interfaces, link type, fastest link in Mbit/s (None where not told)."""

    interfaces: tuple[str, ...]
    kind: str
    speed_mbit: int | None

    def __str__(self) -> str:
        speed = f" {self.speed_mbit / 1000:g} Gbit/s" if self.speed_mbit else ""
        return f"{', '.join(self.interfaces)}: {self.kind}{speed}"


@dataclass(frozen=True, slots=True)
class Accelerator:
    """One accelerator: name, bytes of memory, link to the host (``PCIe Gen5 x16``), link to the others."""

    name: str
    memory: int | None
    host_link: str | None
    peer_link: str | None
    clock_mhz: int | None

    def __str__(self) -> str:
        return f"{self.name}{f' {format_binary(self.memory)}' if self.memory else ''}"


@dataclass(frozen=True, slots=True)
class Package:
    """An installed Python distribution: title for people, distribution name, version."""

    title: str
    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.title} {self.version}"


# How a fact is called and measured where its field's name does not say it.
_LABELS = {
    "frequency_max_mhz": "Highest frequency",
    "isa": "Instruction sets",
    "numa_nodes": "NUMA nodes",
    "hostname": "Host name",
    "virtualization": "Virtual machine",
    "cpus_allowed": "CPUs allowed",
    "cpu_quota": "CPU quota",
    "packages": "Libraries",
}
_UNITS = {
    "frequency_max_mhz": "MHz",
    "cpu_quota": "CPUs",
    "total": "B",
    "memory_limit": "B",
    "capacity": "disk",
}


@dataclass(frozen=True, slots=True)
class ProcessorFacts:
    """The processors of one node."""

    model: Fact[str]
    architecture: Fact[str]
    sockets: Fact[int]
    cores_per_socket: Fact[int]
    cores: Fact[int]
    threads: Fact[int]
    frequency_max_mhz: Fact[float]
    governor: Fact[str]
    turbo: Fact[bool]
    caches: Fact[tuple[Cache, ...]]
    isa: Fact[tuple[str, ...]]
    numa_nodes: Fact[int]


@dataclass(frozen=True, slots=True)
class MemoryFacts:
    """The host memory of one node."""

    total: Fact[int]
    modules: Fact[tuple[MemoryModule, ...]]


@dataclass(frozen=True, slots=True)
class StorageFacts:
    """The disks of one node."""

    capacity: Fact[int]
    disks: Fact[tuple[Disk, ...]]


@dataclass(frozen=True, slots=True)
class NetworkFacts:
    """The network cards of one node."""

    cards: Fact[tuple[NetworkCard, ...]]


@dataclass(frozen=True, slots=True)
class AcceleratorFacts:
    """The accelerators of one node; ``count`` is 0 when it was looked for and there is none."""

    count: Fact[int]
    devices: Fact[tuple[Accelerator, ...]]
    driver: Fact[str]


@dataclass(frozen=True, slots=True)
class HostFacts:
    """The node as a product, and what stands between it and this process."""

    hostname: Fact[str]
    product: Fact[str]
    virtualization: Fact[str]
    container: Fact[str]
    cpus_allowed: Fact[int]
    cpu_quota: Fact[float]
    memory_limit: Fact[int]


@dataclass(frozen=True, slots=True)
class SoftwareFacts:
    """Operating system, Python and the libraries that results depend on."""

    operating_system: Fact[str]
    kernel: Fact[str]
    python: Fact[str]
    packages: Fact[tuple[Package, ...]]


Group = ProcessorFacts | MemoryFacts | StorageFacts | NetworkFacts | AcceleratorFacts | HostFacts | SoftwareFacts


@dataclass(frozen=True, slots=True)
class FactLine:
    """A fact as people read it."""

    name: str
    label: str
    text: str | None
    source: str


@dataclass(frozen=True, slots=True)
class SystemFacts:
    """Everything probed of one node."""

    processor: ProcessorFacts
    memory: MemoryFacts
    storage: StorageFacts
    network: NetworkFacts
    accelerators: AcceleratorFacts
    host: HostFacts
    software: SoftwareFacts

    def groups(self) -> Iterator[tuple[str, tuple[FactLine, ...]]]:
        """Every group by name with its facts as lines, in a fixed order."""
        for part in fields(self):
            yield part.name, tuple(_lines(getattr(self, part.name)))

    def to_dict(self) -> dict[str, dict[str, dict[str, Any]]]:
        """``{group: {fact: {"value": ..., "source": ...}}}`` of plain JSON values; sizes in bytes."""
        return {
            part.name: {
                name.name: {"value": _plain(fact.value), "source": fact.source}
                for name, fact in _facts(getattr(self, part.name))
            }
            for part in fields(self)
        }


def format_binary(count: float) -> str:
    """Memory in binary units, as it is sold: ``32 KiB``, ``23.5 GiB``."""
    value = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(value) < 1024:
            return f"{round(value, 1):g} {unit}"
        value /= 1024
    return f"{round(value, 2):g} TiB"


def _facts(group: Group) -> Iterator[tuple[Any, Fact[Any]]]:
    for part in fields(group):
        yield part, cast("Fact[Any]", getattr(group, part.name))


def _lines(group: Group) -> Iterator[FactLine]:
    for part, fact in _facts(group):
        text = None if fact.value is None else _text(fact.value, _UNITS.get(part.name, ""))
        label = _LABELS.get(part.name) or part.name.replace("_", " ").capitalize()
        yield FactLine(part.name, label, text, fact.source)


def _text(value: object, unit: str) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return ", ".join(str(item) for item in value) or "none"
    if unit in ("B", "disk") and isinstance(value, int):
        return format_binary(value) if unit == "B" else format_size(value)
    if isinstance(value, float):
        value = f"{value:g}"
    return f"{value} {unit}".strip()


def _plain(value: object) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return value
