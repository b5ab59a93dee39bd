"""Option types shared by commands: names in any spelling, durations with units."""

from __future__ import annotations

from typing import Any

import click
from click.shell_completion import CompletionItem

from assay.base.units import parse_duration, parse_size
from assay.errors import UsageError
from assay.rules.model import Category, Division, Scenario


class NameType(click.ParamType[Any]):
    """A member of one of the rules' enums, by any spelling; completed by the shell."""

    def __init__(self, enum: type[Scenario | Category | Division]) -> None:
        self._enum = enum
        self.name = enum.__name__.lower()

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Parse, or fail with the closest names."""
        if isinstance(value, self._enum):
            return value
        try:
            return self._enum.parse(str(value))
        except UsageError as error:
            self.fail(str(error), param, ctx)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """The choices, for ``--help``."""
        del param, ctx
        return "|".join(member.value for member in self._enum)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The members that begin with what is typed."""
        del ctx, param
        low = incomplete.casefold()
        return [CompletionItem(member.value) for member in self._enum if member.value.casefold().startswith(low)]


class DurationType(click.ParamType[int]):
    """A duration with its unit, in nanoseconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Parse, or fail saying what a duration looks like."""
        if isinstance(value, int):
            return value
        try:
            return parse_duration(str(value))
        except UsageError as error:
            self.fail(str(error), param, ctx)


class SizeType(click.ParamType[int]):
    """A size with its unit, in bytes."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Parse, or fail saying what a size looks like."""
        if isinstance(value, int):
            return value
        try:
            return parse_size(str(value))
        except UsageError as error:
            self.fail(str(error), param, ctx)


class ShareType(click.ParamType[float]):
    """A share, in percent or as a fraction."""

    name = "percent"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Parse, or fail saying what a share looks like."""
        if isinstance(value, float):
            return value
        text = str(value).strip()
        try:
            return float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        except ValueError:
            self.fail(f"{value!r} is not a share, such as 2% or 0.02", param, ctx)


SCENARIO = NameType(Scenario)
CATEGORY = NameType(Category)
DIVISION = NameType(Division)
DURATION = DurationType()
SIZE = SizeType()
SHARE = ShareType()


def complete_runnable(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Models of the catalogue and benchmarks of the round that begin with what is typed."""
    del ctx, param
    # Imported when the shell asks: a catalogue takes longer to read than a command line to parse.
    from assay.assets.catalogue import load_catalogue
    from assay.base.settings import load_settings
    from assay.rules.load import load_round, round_names

    items = {asset.name: asset.title for asset in load_catalogue(load_settings()).models()}
    items |= {benchmark.name: benchmark.model for benchmark in load_round(round_names()[-1]).benchmarks.values()}
    return _items(items, incomplete)


def complete_backend(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Engines that begin with what is typed."""
    del ctx, param
    from assay.backends.registry import backends

    return _items(dict.fromkeys(backends().names(), ""), incomplete)


def _items(items: dict[str, str], incomplete: str) -> list[CompletionItem]:
    low = incomplete.casefold()
    return [CompletionItem(name, help=text) for name, text in sorted(items.items()) if name.startswith(low)]


def key_values(pairs: tuple[str, ...], option: str) -> dict[str, str]:
    """``KEY=VALUE`` options as a mapping.

    Raises:
        UsageError: for one without a key or ``=``.
    """
    parsed: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise UsageError(f"{option} {pair!r} is not KEY=VALUE")
        parsed[key.strip()] = value.strip()
    return parsed
