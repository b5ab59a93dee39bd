"""All metrics that there are: the user's own, those that come with assay, those of registered repositories.

Files are looked at on every call, so one that was added or changed is there at once. Of two metrics of one name the
user's goes before assay's, and that before a repository's: a repository adds and never changes what a name means. A
file that is broken is told with its reason, and stops no other.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from assay.base.settings import Settings
from assay.cm.registry import Registry
from assay.errors import AssayError, InvalidInputError, NotFoundError, nearest
from assay.expressions import FUNCTIONS, Context, Definition, Expression, ExpressionError, Parameter, Schema, Sql
from assay.expressions import compile as compile_text
from assay.results import fields
from assay.results.metrics.comparing import comparable
from assay.results.metrics.model import Metric, Origin, OriginKind, ParameterInfo, Scope
from assay.results.metrics.reader import read_metric
from assay.results.metrics.values import NO_VALUES, Values

FOLDER = "metrics"
_SHIPPED = Path(__file__).with_name("shipped")
# Parameters are declared by the first: a repository cannot change what is asked for by assay.
_TRUST = (OriginKind.SHIPPED, OriginKind.OWN, OriginKind.REPOSITORY)
_ANY_BASELINE = Sql("TRUE")
_AGGREGATE = re.compile(
    rf"\b({'|'.join(each.name for each in FUNCTIONS.values() if each.place == 'aggregate')})\s*\(", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class BrokenMetric:
    """A file that gives no metric, and why.

    Attributes:
        name: of the file.
        path: of the file.
        origin: whose it is.
        error: what is wrong, with file, line and key or character.
    """

    name: str
    path: Path
    origin: Origin
    error: AssayError


@dataclass(frozen=True, slots=True)
class Replaced:
    """A file whose metric is not used, because another goes before it.

    Attributes:
        name: of the metric.
        path: of the file.
        origin: whose it is.
        by: whose metric is used instead.
    """

    name: str
    path: Path
    origin: Origin
    by: Origin


@dataclass(frozen=True, slots=True)
class Metrics:
    """Metrics by name, in the order of assay's, the user's, and repositories'.

    Attributes:
        by_name: those that can be used.
        asked: parameters that they ask the user for, by name.
        broken: files that give none.
        replaced: files that another one goes before.
    """

    by_name: Mapping[str, Metric]
    asked: Mapping[str, ParameterInfo]
    broken: tuple[BrokenMetric, ...] = ()
    replaced: tuple[Replaced, ...] = ()

    def get(self, name: str) -> Metric:
        """A metric, in any case.

        Raises:
            NotFoundError: for none, with the closest names.
            InvalidInputError: when its file is broken, with the reason.
        """
        found = self.by_name.get(name) or self.by_name.get(name.casefold())
        if found is not None:
            return found
        for each in self.broken:
            if each.name == name.casefold():
                raise each.error
        close = nearest(name, self.by_name)
        raise NotFoundError(f"unknown metric {name!r}", expected=" or ".join(close) or None, hint="assay metrics list")

    def definitions(self, values: Values = NO_VALUES) -> dict[str, Definition]:
        """The metrics as expressions know them, and the parameters whose values are formulas."""
        return {**{name: metric.definition for name, metric in self.by_name.items()}, **values.formulas}

    def parameters(self, values: Values = NO_VALUES) -> dict[str, Parameter]:
        """The parameters as expressions know them, with the user's numbers, else with their defaults."""
        return {
            name: Parameter(name, each.unit, values.numbers.get(name, each.default), each.description)
            for name, each in self.asked.items()
            if name not in values.formulas
        }

    def schema(self, values: Values = NO_VALUES) -> Schema:
        """Every name that an expression over results may use: fields, metrics, parameters."""
        return fields.schema(self.definitions(values), self.parameters(values))


def load_metrics(settings: Settings) -> Metrics:
    """Every metric there is now."""
    return arranged(files_read(settings))


def arranged(found: list[Metric | BrokenMetric]) -> Metrics:
    """Metrics of files, checked together; the first of a name is the one that is used."""
    first: dict[str, Metric | BrokenMetric] = {}
    replaced = [
        Replaced(each.name, each.path, each.origin, taken.origin)
        for each in found
        if (taken := first.setdefault(each.name, each)) is not each
    ]
    readable = sorted(
        (each for each in first.values() if isinstance(each, Metric)),
        key=lambda each: (_TRUST.index(each.origin.kind), each.origin.repository, each.name),
    )
    broken = [each for each in first.values() if isinstance(each, BrokenMetric)]
    named, asked = _named(readable, broken)
    # All stand in each other's schema; a metric that compiles is written out in full, so all it uses is well, too.
    whole = Metrics(named, asked)
    schema = whole.schema()
    good = {}
    for metric in named.values():
        try:
            good[metric.name] = _checked(metric, schema)
        except AssayError as error:
            broken.append(_broken(metric, error))
    return Metrics(good, _asked(good.values(), asked), tuple(broken), tuple(replaced))


def _asked(metrics: Iterable[Metric], asked: Mapping[str, ParameterInfo]) -> dict[str, ParameterInfo]:
    used = {name for metric in metrics for name in metric.needs}
    return {name: each for name, each in asked.items() if name in used}


def metric_files(settings: Settings) -> Iterator[tuple[Origin, Path]]:
    """Every metric file, in the order of precedence."""
    yield from _files(Origin(OriginKind.OWN), settings.home / FOLDER)
    yield from _files(Origin(OriginKind.SHIPPED), _SHIPPED)
    for repository in Registry(settings).repositories()[0]:
        yield from _files(Origin(OriginKind.REPOSITORY, repository.alias), repository.path / FOLDER)


def _files(origin: Origin, folder: Path) -> Iterator[tuple[Origin, Path]]:
    try:
        names = sorted(path for path in folder.iterdir() if path.suffix in (".yaml", ".yml"))
    except OSError:
        return
    yield from ((origin, path) for path in names if not path.name.startswith("."))


def files_read(settings: Settings) -> list[Metric | BrokenMetric]:
    """What every metric file gives, in the order of precedence; not yet checked beside each other."""
    return [_one(origin, path) for origin, path in metric_files(settings)]


def _one(origin: Origin, path: Path) -> Metric | BrokenMetric:
    try:
        if origin.kind is OriginKind.REPOSITORY and not path.resolve().is_relative_to(path.parent.parent.resolve()):
            raise InvalidInputError("the file is a link out of its repository", where=path)
        state = path.stat()
        return _read_once(path, origin, (state.st_mtime_ns, state.st_size, state.st_ino))
    except AssayError as error:
        return BrokenMetric(path.stem.casefold(), path, origin, error)
    except OSError as error:
        return BrokenMetric(
            path.stem.casefold(), path, origin, InvalidInputError(f"cannot be read: {error.strerror}", where=path)
        )


@functools.lru_cache(4096)
def _read_once(path: Path, origin: Origin, state: tuple[int, int, int]) -> Metric:
    """A file is read again when its time, size or inode is another."""
    del state
    metric = read_metric(path, origin)
    if path.stem != metric.name:
        raise InvalidInputError(
            "the file is not named after its metric", where=path, expected=f"{metric.name}.yaml", found=path.name
        )
    return metric


def _broken(metric: Metric, error: AssayError) -> BrokenMetric:
    return BrokenMetric(metric.name, metric.path, metric.origin, error)


def _named(readable: list[Metric], broken: list[BrokenMetric]) -> tuple[dict[str, Metric], dict[str, ParameterInfo]]:
    """Metrics and parameters whose names mean one thing; who names a thing first is right."""
    named: dict[str, Metric] = {}
    asked: dict[str, ParameterInfo] = {}
    asked_by: dict[str, str] = {}
    for metric in readable:
        problem = _clash(metric, named, asked, asked_by)
        if problem:
            broken.append(_broken(metric, InvalidInputError(problem, where=metric.path)))
            continue
        named[metric.name] = metric
        for name, parameter in metric.parameters.items():
            asked.setdefault(name, parameter)
            asked_by.setdefault(name, metric.name)
    return named, asked


def _clash(
    metric: Metric, named: Mapping[str, Metric], asked: Mapping[str, ParameterInfo], asked_by: Mapping[str, str]
) -> str:
    if metric.name in fields.by_name():
        return f"{metric.name} is a field of a result, so no metric can be called so"
    if metric.name in asked:
        return f"{metric.name} is a parameter of the metric {asked_by[metric.name]}, so no metric can be called so"
    for name, parameter in metric.parameters.items():
        if name in fields.by_name():
            return f"the parameter {name} has the name of a field"
        if name in named or name == metric.name:
            return f"the parameter {name} has the name of a metric"
        if name in asked and asked[name].unit != parameter.unit:
            return (
                f"the parameter {name} is said to be in {parameter.unit.name}, and the metric {asked_by[name]} "
                f"has it in {asked[name].unit.name}"
            )
    return ""


def _checked(metric: Metric, schema: Schema) -> Metric:
    """The metric with what its expression uses.

    Raises:
        ExpressionError: when the expression means nothing.
        InvalidInputError: for a parameter that is declared and not used.
    """
    expression, scope = compiled(metric, schema)
    unused = sorted(set(metric.parameters) - expression.parameters)
    if unused:
        raise InvalidInputError(f"the parameter {unused[0]} is not used", where=metric.path)
    return replace(
        metric,
        unit=metric.unit or expression.unit,
        kind=expression.kind,
        scope=scope,
        fields=tuple(name for name in schema.fields if name in expression.fields),
        metrics=tuple(sorted(expression.definitions & set(schema.definitions) - {metric.name})),
        needs=tuple(sorted(expression.parameters)),
    )


def compiled(metric: Metric, schema: Schema, baseline: Sql = _ANY_BASELINE) -> tuple[Expression, Scope]:
    """The expression of a metric, in the context that it needs.

    Raises:
        ExpressionError: when it means nothing, with the character.
    """
    try:
        expression = compile_text(metric.name, schema, context=comparable(baseline))
    except ExpressionError as error:
        try:
            return compile_text(metric.name, schema, context=Context(aggregates=True)), Scope.GROUP
        except ExpressionError as other:
            # Of the two contexts that it is wrong in, the one that was meant tells what is wrong.
            raise (other if _AGGREGATE.search(metric.expression) else error) from None
    return expression, Scope.COMPARABLE if expression.uses_window else Scope.RESULT
