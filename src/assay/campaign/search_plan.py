"""What a search for the Server rate will do, before it does it: what is looked for, at which length, by what."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from assay.base.settings import Settings
from assay.base.units import format_duration
from assay.campaign.external_plan import ExternalPlan, ExternalRequest, can_be_probed, make_external_plan
from assay.campaign.plan import PROBE_S, Plan, make_plan
from assay.campaign.request import RunRequest
from assay.errors import UsageError
from assay.loadgen.attempts import Aim
from assay.loadgen.statistics import queries_needed
from assay.rules.model import Limits, Scenario

ATTEMPT_NS = 10 * 10**9
TOLERANCE = 0.02


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """A search, resolved and checked.

    Attributes:
        plan: of the run that counts, without a rate.
        aim: what is looked for.
        start: first rate; None for the one that a probe suggests.
        external: the same plan of the program that makes the attempts, where that is not assay's own harness.
    """

    plan: Plan
    aim: Aim
    start: float | None = None
    external: ExternalPlan | None = None

    @property
    def limits(self) -> Limits:
        """The benchmark's limits of Server."""
        return self.plan.subject.benchmark.limits[Scenario.SERVER]

    def lines(self) -> list[str]:
        """The search for a person."""
        aim = self.aim
        probe = (
            f"a probe of {PROBE_S:.0f} s" if self.external is None else "what its last run told, or short runs of it"
        )
        first = f"from {self.start:g} queries/s" if self.start else f"from {probe}"
        end = f"confirmed by runs of {length(aim.full_s)}" if aim.confirm else "not confirmed"
        lines = [
            line for line in (self.external or self.plan).lines() if not line.startswith(("  Server", "  together"))
        ]
        return [
            *lines,
            f"  search of the rate at which {aim.percentile:.0%} of the queries take at most {length(aim.bound_s)}, {first}",
            f"  attempts of {length(min(aim.attempt_s, aim.longest_s))} to {length(aim.longest_s)}, longer where queries "
            f"are few, at most {aim.most}, until the rate is known within {aim.tolerance * 100:g} %, {end}",
        ]

    def to_dict(self) -> dict[str, object]:
        """The search as one JSON document."""
        whole = (self.external or self.plan).to_dict()
        plan = {key: value for key, value in whole.items() if key not in ("seconds", "runs")}
        (run,) = self.plan.runs
        setting = {"batch_size": run.batch_size, "streams": run.streams, "threads": self.plan.request.threads}
        return {**plan, "setting": setting, "start": self.start, "aim": asdict(self.aim)}


def plan_search(
    request: RunRequest,
    settings: Settings,
    *,
    start: float | None = None,
    attempt_ns: int = ATTEMPT_NS,
    tolerance: float = TOLERANCE,
    confirm: bool = True,
    program: ExternalRequest | None = None,
) -> SearchPlan:
    """Resolve a search and check everything that can be checked without doing it.

    Args:
        request: the Server run that counts, without a rate.
        settings: where things are kept.
        start: first rate; the one that a probe suggests unless given.
        attempt_ns: length of the first attempts.
        tolerance: how near the found rate is to the highest, as a fraction.
        confirm: whether it is confirmed at full length.
        program: makes the attempts in place of assay's own harness.

    Raises:
        NotFoundError, UsageError, MissingDependencyError: as for a run; a program that cannot be told its rate.
        InvalidInputError: for a tolerance or a length that no search can end with.
    """
    external = None if program is None else _searchable(make_external_plan(request, program, settings))
    plan = make_plan(request, settings) if external is None else external.plan
    (planned,) = plan.runs
    if plan.subject.benchmark.token_latency is not None:
        raise UsageError(
            f"a rate is searched for by the answers that took too long; {plan.subject.benchmark.name} has bounds for its tokens",
            hint="give rates yourself: assay run ... --scenario Server --target-qps RATE",
        )
    limits = plan.subject.benchmark.limits[Scenario.SERVER]
    percentile = limits.percentile or 0.99
    own = planned.duration_ns >= planned.round_duration_ns
    # With fewer, no slow rate could pass: LoadGen's early stopping would not know yet.
    fewest = max(limits.min_query_count if own else 1, queries_needed(1, percentile))
    # The plan's own names the engine.
    request = plan.request.model_copy(update={"samples": request.samples or fewest})
    aim = Aim(
        percentile=percentile,
        bound_s=(request.target_latency_ns or limits.target_latency_ns or 0) / 1e9,
        full_s=planned.duration_ns / 1e9,
        full_queries=request.samples or fewest,
        attempt_s=attempt_ns / 1e9,
        tolerance=tolerance,
        confirm=confirm,
    )
    plan = replace(plan, request=request)
    return SearchPlan(plan, aim, start, None if external is None else replace(external, plan=plan))


def _searchable(external: ExternalPlan) -> ExternalPlan:
    """A program whose rate can be searched.

    Raises:
        UsageError: for one that cannot be told at which rate it is to send, or for how long.
    """
    of = external.chosen.implementation
    if not can_be_probed(of, Scenario.SERVER):
        raise UsageError(
            f"{of.name} cannot be told its rate and length, so no rate can be searched",
            where=of.path,
            expected="{user_conf}, or {target_qps}, {duration_ms} and {samples}, in its manifest",
            hint="give the rate that it sends at: assay run --target-qps; in a campaign target_qps: {Server: ...}",
        )
    return external


def length(seconds: float) -> str:
    """A length of time for a person."""
    return format_duration(seconds * 1e9)
