"""Meters by name: assay's own, and those of plugins (entry point ``assay.power_meters``)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from assay.base.plugins import Registry
from assay.errors import (
    AssayError,
    InvalidInputError,
    MachineError,
    MissingDependencyError,
    NotFoundError,
    UsageError,
    unknown,
)
from assay.power.meters import Meter, NvmlMeter, RaplMeter, ReplayMeter
from assay.power.samples import read_samples

MeterFactory = Callable[[str], Meter]
"""Opens a meter; is given what stands behind the colon of ``name:...``, or an empty text."""

GROUP = "assay.power_meters"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")


def meters() -> Registry[MeterFactory]:
    """The meters of plugins, each imported when it is asked for."""
    return Registry(GROUP, "power meter")


def meter_names() -> list[str]:
    """The names of all meters: no plugin takes one of ours."""
    return sorted({*_OWN, *filter(_NAME.fullmatch, meters().names())})


def open_meter(text: str) -> Meter:
    """A meter by its name: ``rapl``, ``nvml``, ``replay:FILE``, or that of a plugin, with or without a word for it.

    Raises:
        NotFoundError: when this machine has none such, or the name is none.
        MissingDependencyError: when a library is not installed.
        UsageError: for a word that the meter has no use for, or the lack of one.
        InvalidInputError: when a plugin breaks.
    """
    name, _, word = text.partition(":")
    if name in _OWN:
        return _OWN[name](word)
    if name not in meter_names():
        raise unknown("power meter", name, meter_names(), hint="rapl, nvml, replay:FILE, or one of a plugin")
    factory = meters().get(name)
    try:
        return Guarded(name, factory(word))
    except AssayError:
        raise
    except Exception as error:  # the plugin door: a stranger's meter may raise anything
        raise InvalidInputError(
            f"power meter {name!r} cannot be opened: {type(error).__name__}: {error}",
            hint="update or uninstall the package it comes from",
        ) from error


@dataclass(slots=True)
class Guarded:
    """A stranger's meter: what it raises, or gives in place of watts, is told as a failure of the machine."""

    name: str
    meter: Meter

    def watts(self) -> float | None:
        """Average power since it was asked last; None where nothing can be said yet.

        Raises:
            MachineError: when it cannot be read, or gives no number.
        """
        try:
            value = self.meter.watts()
            watts = None if value is None else float(value)
        except AssayError:
            raise
        except Exception as error:  # the plugin door: a stranger's meter may raise anything
            problem = f"power meter {self.name!r} cannot be read: {type(error).__name__}: {error}"
            raise MachineError(problem) from error
        if watts is not None and not math.isfinite(watts):
            raise MachineError(f"power meter {self.name!r} tells no power", expected="watts", found=str(watts))
        return watts


def _rapl(word: str) -> Meter:
    _no_word("rapl", word)
    return RaplMeter()


def _nvml(word: str) -> Meter:
    _no_word("nvml", word)
    try:
        import pynvml
    except ImportError as error:
        raise MissingDependencyError("NVML needs the package nvidia-ml-py", hint="pip install nvidia-ml-py") from error
    return NvmlMeter(pynvml)


def _replay(word: str) -> Meter:
    if not word:
        raise NotFoundError("no log to play again", expected="replay:FILE", found="replay")
    return ReplayMeter(read_samples(Path(word)))


def _no_word(name: str, word: str) -> None:
    if word:
        raise UsageError(f"the meter {name} takes no word", expected=name, found=f"{name}:{word}")


_OWN: dict[str, MeterFactory] = {"rapl": _rapl, "nvml": _nvml, "replay": _replay}
