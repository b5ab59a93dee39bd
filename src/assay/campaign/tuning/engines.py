"""Which engines and number formats a model can be run in on this machine, and why not in the others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from assay.backends.protocol import Backend, ModelFormat, Precision
from assay.backends.registry import backends, capabilities_of
from assay.base.settings import Settings
from assay.campaign.formats import AUTO, formats_of, is_remote
from assay.campaign.plan import Plan, make_plan
from assay.campaign.request import RunRequest
from assay.campaign.tuning.space import Engine
from assay.errors import AssayError

_COMPUTES_NOTHING = "null"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An engine, or one of its formats, that is not tried."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Engines:
    """What can be tried, the usual one first."""

    found: tuple[Engine, ...]
    left_out: tuple[LeftOut, ...]


def find_engines(
    usual: Plan,
    settings: Settings,
    asked: tuple[str, ...] = (),
    precisions: tuple[Precision, ...] = (),
) -> Engines:
    """Every engine and format that a plan for the model is accepted with.

    Args:
        usual: the plan of the usual setting.
        settings: where things are kept.
        asked: engines to try; all that read the model unless given.
        precisions: formats to try; those that the engine reports unless given.
    """
    found: list[Engine] = []
    left_out: list[LeftOut] = []
    for name, engine in _engines(usual, asked, left_out):
        try:
            able = capabilities_of(name, engine)
        except AssayError as error:
            left_out.append(LeftOut(name, str(error)))
            continue
        own = _accepted(usual.request, name, None, settings)
        first = [own.precision] if isinstance(own, Plan) else []
        for precision in dict.fromkeys(precisions or (*first, *able.precisions)):
            plan = _accepted(usual.request, name, precision, settings)
            if isinstance(plan, Plan):
                found.append(Engine(name, plan.precision))
            else:
                left_out.append(LeftOut(f"{name} {precision.value}", plan))
    first_engine = Engine(usual.request.backend, usual.precision)
    ranked = sorted(dict.fromkeys(found), key=lambda each: each != first_engine)
    return Engines(tuple(ranked), tuple(left_out))


def _engines(usual: Plan, asked: tuple[str, ...], left_out: list[LeftOut]) -> Iterable[tuple[str, Backend]]:
    """Engines by name: those asked for, or all that read the model and compute something."""
    if asked:
        return [(name, backends().get(name)) for name in dict.fromkeys(asked) if name != AUTO]
    form = usual.subject.format
    if form is ModelFormat.REMOTE or is_remote(backends().get(usual.request.backend)):
        return [(usual.request.backend, backends().get(usual.request.backend))]
    loaded, broken = backends().load_all()
    left_out += [LeftOut(each.name, each.reason) for each in broken]
    return [
        (name, engine) for name, engine in loaded.items() if name != _COMPUTES_NOTHING and form in formats_of(engine)
    ]


def _accepted(request: RunRequest, backend: str, precision: Precision | None, settings: Settings) -> Plan | str:
    """The plan for an engine and a format, or why there is none."""
    try:
        return make_plan(request.model_copy(update={"backend": backend, "precision": precision}), settings)
    except AssayError as error:
        return str(error)
