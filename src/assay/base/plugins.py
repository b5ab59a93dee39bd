"""Extension points: named objects that are imported only when asked for.

Built-ins come through the same entry points as anybody's plugins. A plugin that fails to import is named with its
reason and stops nothing else.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from typing import Generic, TypeVar

from assay.errors import AssayError, InvalidInputError, MissingDependencyError, unknown

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Broken:
    """A plugin that could not be loaded."""

    name: str
    origin: str
    reason: str


class Registry(Generic[T]):
    """The plugins of one entry-point group, by name.

    Args:
        group: the entry-point group, such as ``assay.backends``.
        kind: the noun used in messages, such as ``backend``.
    """

    def __init__(self, group: str, kind: str) -> None:
        self.group = group
        self.kind = kind

    def names(self) -> list[str]:
        """All names, sorted, whether or not they can be loaded."""
        return sorted(self._points())

    def get(self, name: str) -> T:
        """Load one plugin.

        Raises:
            NotFoundError: for an unknown name (with the closest ones).
            MissingDependencyError: when the plugin is there and a library that it needs is not.
            InvalidInputError: when the plugin breaks while it is loaded.
        """
        points = self._points()
        point = points.get(name)
        if point is None:
            raise unknown(self.kind, name, points)
        try:
            loaded: T = point.load()
        except ImportError as error:
            raise MissingDependencyError(
                f"{self.kind} {name!r} cannot be loaded: {error}", hint=f'pip install "assay[{name}]"'
            ) from error
        except AssayError:
            raise
        except Exception as error:  # the plugin door: a stranger's module may raise anything
            raise InvalidInputError(
                f"{self.kind} {name!r} cannot be loaded: {type(error).__name__}: {error}",
                where=point.value,
                hint="update or uninstall the package it comes from",
            ) from error
        return loaded

    def load_all(self) -> tuple[dict[str, T], list[Broken]]:
        """Every plugin that loads, and those that do not with the reason."""
        loaded: dict[str, T] = {}
        broken: list[Broken] = []
        for name, point in sorted(self._points().items()):
            try:
                loaded[name] = point.load()
            except AssayError as error:
                broken.append(Broken(name, point.value, str(error)))
            except Exception as error:  # noqa: BLE001 - the plugin door: a stranger's module may raise anything
                broken.append(Broken(name, point.value, f"{type(error).__name__}: {error}"))
        return loaded, broken

    def _points(self) -> Mapping[str, EntryPoint]:
        return _installed(entry_points, self.group, tuple(sys.path))


@functools.cache
def _installed(look_up: Callable[..., EntryPoints], group: str, path: tuple[str, ...]) -> Mapping[str, EntryPoint]:
    """The plugins of a group on Python's path: all packages are gone through for it, which takes milliseconds."""
    del path
    return {point.name: point for point in look_up(group=group)}
