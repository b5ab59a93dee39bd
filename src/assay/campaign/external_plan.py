"""What another program will run, before it does: which one, on what, and whether it has all that it needs."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from assay.assets.catalogue import load_catalogue
from assay.assets.store import AssetStore
from assay.backends.protocol import Precision
from assay.base.settings import Settings
from assay.base.units import exact_duration, format_duration, format_size
from assay.campaign.companions import companions
from assay.campaign.plan import Plan, PlannedRun, check_division, planned_run, power_source
from assay.campaign.recipes import recipe_words
from assay.campaign.request import RunRequest
from assay.campaign.subject import Subject, resolve_subject
from assay.errors import UsageError
from assay.harness.external.catalogue import find_implementation
from assay.harness.external.command import Chosen, choose, scenario_word
from assay.harness.external.container import Runtime, find_runtime
from assay.harness.external.model import Implementation
from assay.harness.external.needs import require
from assay.loadgen.settings import Overrides
from assay.rules.load import load_round
from assay.rules.model import Mode, Scenario

RATED = (Scenario.OFFLINE, Scenario.SERVER)


@dataclass(frozen=True, slots=True)
class ExternalRequest:
    """Which program runs a request, and how.

    Attributes:
        name: of the implementation, or the path of its manifest.
        folder: where the program is; the manifest's own folder when left out.
        words: parameters that the user chose.
        time_limit_ns: longest time of a run, in place of the manifest's.
        container: what runs its container: podman, docker, auto (the first that is here), or none to do without.
    """

    name: str
    folder: Path | None = None
    words: Mapping[str, str] = field(default_factory=dict)
    time_limit_ns: int | None = None
    container: str = "auto"


@dataclass(frozen=True, slots=True)
class ExternalPlan:
    """A request that another program will carry out, resolved and checked.

    Attributes:
        sees_model: whether the program is given the model by assay; otherwise it has its own.
        sees_data: the same of the data, or they are needed to score.
        runtime: runs the program's container; None for a program that runs on this machine itself.
    """

    plan: Plan
    external: ExternalRequest
    chosen: Chosen
    sees_model: bool
    sees_data: bool
    runtime: Runtime | None = None

    def lines(self) -> list[str]:
        """The plan for a person."""
        of, subject = self.chosen.implementation, self.plan.subject
        data = subject.dataset.name if subject.dataset else str(subject.dataset_path or "its own data")
        lines = [
            f"{subject.benchmark.name} of round {subject.round.name}: model {subject.model.name}, data {data}",
            f"  by {of.title}",
            f"  in {self.chosen.folder}: {' '.join(self.chosen.shown(word) for word in of.command)}",
        ]
        if self.runtime is not None and of.container is not None:
            lines.append(f"  in a container of {of.container.image}, run by {self.runtime.name}")
        if self.plan.fetch.total_bytes:
            names = ", ".join(item.name for item in self.plan.fetch.missing)
            lines.append(f"  fetch {names}: {format_size(self.plan.fetch.total_bytes)}")
        for run in self.plan.runs:
            least = f"at least {format_duration(run.duration_ns)}" if run.duration_ns else "every sample once"
            found = ", after a short run that finds its target, unless its last run told it" if run.probe else ""
            lines.append(f"  {run.scenario.value} {run.mode.value}: {least}{found}")
        lines += [f"  {self.plan.power.line()}"] if self.plan.power is not None else []
        return lines + [f"  note: {note}" for note in self.plan.notes]

    def to_dict(self) -> dict[str, object]:
        """The plan as one JSON document."""
        of = self.chosen.implementation
        return {
            **self.plan.to_dict(),
            "implementation": of.name,
            "folder": str(self.chosen.folder),
            "command": [self.chosen.shown(word) for word in of.command],
            "container": of.container.image if of.container and self.runtime else None,
            "container_by": self.runtime.name if self.runtime else None,
        }


def make_external_plan(request: RunRequest, external: ExternalRequest, settings: Settings) -> ExternalPlan:
    """Resolve a request and a program and check everything that can be checked without starting it.

    Raises:
        NotFoundError: unknown names, or a file or program that the implementation needs.
        UsageError: options that cannot hold together, or that the program does not have.
    """
    of = find_implementation(external.name, settings)
    round_ = load_round(request.round)
    catalogue = load_catalogue(settings)
    subject = resolve_subject(request, round_, catalogue)
    _check_fit(request, of, subject)
    check_division(request, subject)
    power = power_source(request)
    chosen = choose(of, external.folder, external.words)
    runtime = find_runtime(of, external.container, offline=settings.offline)
    require(chosen, inside=runtime is not None)
    request = request.model_copy(update={"backend": of.name})
    accuracy = Mode.ACCURACY in request.modes
    sees_model, sees_data = of.takes("model"), of.takes("dataset") or (accuracy and not subject.synthetic)
    if of.takes("dataset") and subject.synthetic:
        raise UsageError(f"{of.name} has to be told its dataset", hint="--dataset FOLDER")
    names = [subject.model.name] if sees_model and subject.model_file is None else []
    if sees_data:
        names += [subject.dataset.name] if subject.dataset else []
        names += companions(subject).values()
    runs = tuple(
        _foreign(planned_run(request, subject, scenario, mode), request, of)
        for mode in request.modes
        for scenario in request.scenarios
    )
    precision = request.precision or Precision(subject.model.model.precision if subject.model.model else "fp32")
    fetch = AssetStore(settings, catalogue).plan(names)
    plan = Plan(request, subject, fetch, runs, precision, tuple(_notes(request, of, runs)), power)
    return ExternalPlan(plan, external, chosen, sees_model, sees_data, runtime)


def _foreign(run: PlannedRun, request: RunRequest, of: Implementation) -> PlannedRun:
    """A run of another program: its batches are its own (0) unless it is told how large they are, and its target is found
    where it can be told one.
    """
    told = request.batch_size is not None or of.takes("batch_size")
    unknown = run.mode is Mode.PERFORMANCE and target_setting(run.scenario, request) is None
    probe = unknown and can_be_probed(of, run.scenario)
    # How many samples are one set hangs on what the program says that it loads.
    return replace(run, probe=probe, batch_size=run.batch_size if told else 0, sets=None)


def target_setting(scenario: Scenario, request: RunRequest) -> float | None:
    """The target that the user gave for a scenario, in the unit of its setting."""
    return request.target_qps if scenario in RATED else request.target_latency_ns


def can_be_probed(of: Implementation, scenario: Scenario) -> bool:
    """Whether a program can be told a target, and to be short."""
    return of.hears(_target_of(scenario)) and of.hears("duration") and of.hears("samples")


def _target_of(scenario: Scenario) -> str:
    return "target_qps" if scenario in RATED else "target_latency"


def _check_fit(request: RunRequest, of: Implementation, subject: Subject) -> None:
    if not of.runs(subject.benchmark):
        wanted = f"{', '.join(of.benchmarks) or 'every benchmark'} ({of.task})"
        raise UsageError(
            f"{of.name} does not run {subject.benchmark.name}", expected=wanted, found=subject.benchmark.task
        )
    for scenario in request.scenarios:
        scenario_word(of, scenario)
    for mode in request.modes:
        if mode not in of.modes:
            raise UsageError(f"{of.name} has no {mode.value} mode", expected=", ".join(each.value for each in of.modes))
    if Mode.ACCURACY in request.modes:
        if subject.synthetic:
            raise UsageError("there is no dataset, so nothing can be scored", hint="give a dataset: --dataset FOLDER")
        if request.samples is not None and not of.hears("sample_limit"):
            raise UsageError(
                f"{of.name} cannot be told to take the first samples only", hint="leave out --samples in accuracy mode"
            )


def _notes(request: RunRequest, of: Implementation, runs: tuple[PlannedRun, ...]) -> Iterator[str]:
    """What is done as asked and hardly meant so."""
    for run in runs:
        if run.mode is Mode.ACCURACY or run.probe:
            continue
        if not of.hears(_target_of(run.scenario)):
            yield f"{of.name} cannot be told a target in {run.scenario.value}: LoadGen plans with what the program gives it"
        elif target_setting(run.scenario, request) is None:
            option = "--target-qps" if run.scenario in RATED else "--target-latency"
            what = "LoadGen plans with the round's own default, as the program cannot be told to be short"
            yield f"{run.scenario.value} without {option}: {what}"


def command_of(external: ExternalPlan, planned: PlannedRun, found: Overrides | None = None) -> str:
    """The command that runs this again with the same target, one that was found included."""
    request, program, found = external.plan.request, external.external, found or Overrides()
    target_qps = request.target_qps or found.target_qps
    target_latency_ns = request.target_latency_ns or found.target_latency_ns
    words = ["assay", "run", request.name, "--implementation", program.name, "--scenario", planned.scenario.value]
    words += ["--mode", planned.mode.value, "--round", request.round]
    words += ["--implementation-dir", str(program.folder)] if program.folder else []
    for name, word in program.words.items():
        words += ["--implementation-option", f"{name}={word}"]
    words += ["--container", program.container] if program.container != "auto" else []
    words += ["--time-limit", exact_duration(program.time_limit_ns)] if program.time_limit_ns else []
    performance = planned.mode is Mode.PERFORMANCE
    for option, value in (
        ("--model", request.model),
        ("--dataset", request.dataset),
        ("--samples", request.samples),
        ("--batch-size", request.batch_size),
        ("--threads", request.threads),
        ("--streams", request.streams if request.streams > 1 else None),
        ("--precision", request.precision.value if request.precision else None),
        ("--target-qps", target_qps if performance and planned.scenario in RATED else None),
        (
            "--target-latency",
            exact_duration(target_latency_ns)
            if target_latency_ns and performance and planned.scenario is not Scenario.OFFLINE
            else None,
        ),
        (
            "--duration",
            exact_duration(request.duration_ns) if request.duration_ns is not None and performance else None,
        ),
    ):
        words += [option, str(value)] if value else []
    words += ["--quick"] if request.quick and performance else []
    words += request.power_words if performance else []
    return shlex.join(words + recipe_words(request.recipe))
