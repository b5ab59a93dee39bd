"""The plain runs that a compliance test is judged against: which ones fit, and what is in the way of those that do not."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from assay.assets.store import content_hash, quick_identity
from assay.base.files import sha256_file
from assay.campaign.external_plan import ExternalPlan, command_of
from assay.campaign.plan import Plan, PlannedRun
from assay.campaign.request import RunRequest
from assay.errors import AssayError, InvalidInputError, UsageError
from assay.harness.spec import RunSpec
from assay.loadgen.record import Label, RunRecord, RunStatus
from assay.loadgen.runs import RunCatalogue
from assay.loadgen.verdict import audited
from assay.rules.model import Mode

_NS_PER_MS = 1_000_000


def check_reference(record: RunRecord) -> None:
    """A test means something only beside a valid run.

    Raises:
        UsageError: when the run has not finished, is INVALID, or is a compliance test itself.
    """
    problem = _unfit(record)
    if problem:
        raise UsageError(
            f"the {record.mode} run {record.id} {problem}",
            expected="a finished, VALID run",
            hint=f"assay runs show {record.id}",
        )


def check_together(performance: RunRecord, accuracy: RunRecord) -> None:
    """Both plain runs are of one model on one engine.

    Raises:
        UsageError: saying what is another.
    """
    wrong = list(_other_model(accuracy, performance))
    if wrong:
        raise UsageError(
            f"the accuracy run {accuracy.id} does not belong to the performance run",
            found="; ".join(wrong),
            hint="give the options of the performance run, or name another with --accuracy",
        )


def find_reference(
    wanted: Plan,
    mode: Mode,
    name: str,
    catalogue: RunCatalogue,
    *,
    beside: RunRecord | None = None,
    program: ExternalPlan | None = None,
) -> RunRecord | None:
    """The run of a mode to judge against: the one named, else the latest that fits, else None.

    Args:
        wanted: the performance run as it is asked for.
        mode: of the run.
        name: the run's id, or part of it; empty for the latest.
        catalogue: all runs.
        beside: the performance run, when it is an accuracy run that belongs to it.
        program: the program that runs it, where that is not assay's own harness.

    Raises:
        UsageError: when the one named does not fit.
        NotFoundError: when it is not there.
    """
    if name:
        record = catalogue.read(name)
        check_reference(record)
        wrong = [*_other_benchmark(wanted, record, mode), *_other_model(record, beside)]
        wrong += _other_program(program, record) if program is not None else []
        if wrong:
            raise UsageError(f"the run {record.id} is no {mode.value} run of this setting", found="; ".join(wrong))
        return record
    for record in catalogue.records():
        if _unfit(record) or any(_other_benchmark(wanted, record, mode)) or Label.PARTIAL_DATASET in record.labels:
            continue
        if any(_other_model(record, beside)):
            continue
        folder = catalogue.folder / record.id
        if any(_other_foreign(program, record) if program else _other_own(wanted, record, folder, beside)):
            continue
        return record
    return None


def _unfit(record: RunRecord) -> str:
    if record.compliance:
        return f"is a compliance test itself ({record.compliance})"
    if record.status is not RunStatus.FINISHED:
        return f"is {record.status.value}"
    if audited(record.verdict):
        return "was made under settings of a compliance test"
    return "" if record.verdict is not None and record.verdict.valid else "is INVALID"


def _other_program(program: ExternalPlan, record: RunRecord) -> Iterator[str]:
    """The same program, as its manifest describes it now, in the same folder."""
    chosen = program.chosen
    for what, asked, found in (
        ("program", chosen.implementation.name, record.backend.get("implementation")),
        ("folder", str(chosen.folder), record.backend.get("folder")),
    ):
        if asked != found:
            yield f"{what} {found}, not {asked}"
    if record.backend.get("manifest_sha256") != sha256_file(chosen.implementation.path):
        yield "another manifest of the program"
    own = _options(command_of(program, program.plan.runs[0]))
    if any(own.get(name) != _options(record.command).get(name) for name in _CHOSEN):
        yield "other options of the program"


def _other_command(program: ExternalPlan, record: RunRecord) -> Iterator[str]:
    """The same options; a target that nobody asked for was found beforehand, and is not another one."""
    planned = program.plan.runs[0]
    asked, found = _options(command_of(program, planned)), _options(record.command)
    ignored = {"--mode", *_LIMITS, *(() if record.mode == Mode.PERFORMANCE.value else _TIMING)}
    for name in sorted({*asked, *found} - ignored):
        if asked.get(name) != found.get(name) and (name in asked or name not in _TARGETS):
            yield f"{name} {' '.join(found.get(name, ('left out',)))}"


_CHOSEN = ("--implementation-option", "--container")
_TARGETS = ("--target-qps", "--target-latency")
_TIMING = (*_TARGETS, "--duration", "--samples", "--quick")
_LIMITS = ("--time-limit",)


def _options(command: str) -> dict[str, tuple[str, ...]]:
    """The words after each option of a command, in order; those of an option that is given again together."""
    found: dict[str, tuple[str, ...]] = {}
    name = ""
    for word in shlex.split(command):
        if word.startswith("--"):
            name = word
            found.setdefault(name, ())
        elif name:
            found[name] = tuple(sorted((*found[name], word)))
    return found


def _other_benchmark(wanted: Plan, record: RunRecord, mode: Mode) -> Iterator[str]:
    subject = wanted.subject
    model = str(subject.model_file or subject.model.name)
    for what, asked, found in (
        ("mode", mode.value, record.mode),
        ("scenario", wanted.request.scenarios[0].value, record.scenario),
        ("round", subject.round.name, record.round),
        ("benchmark", subject.benchmark.name, record.benchmark),
        ("model", model, record.model.name),
    ):
        if asked != found:
            yield f"{what} {found}, not {asked}"


def _other_model(record: RunRecord, beside: RunRecord | None) -> Iterator[str]:
    """Both runs are of one model, on the same data, in one format on one engine."""
    if beside is None:
        return
    # A program of others may have model and data of its own, of which nothing is known but where they were needed here.
    seen = "implementation" not in record.backend
    for what, one, other in (
        ("model", beside.model.sha256, record.model.sha256),
        ("data", beside.dataset.sha256, record.dataset.sha256),
        ("engine", beside.backend_name, record.backend_name),
        ("precision", beside.precision, record.precision),
    ):
        if one != other and (seen or None not in (one, other)):
            yield f"another {what} than in {beside.id}"


def _other_foreign(program: ExternalPlan, record: RunRecord) -> Iterator[str]:
    """Where a run of a program of others is not the one that is asked for."""
    yield from _other_program(program, record)
    yield from _other_command(program, record)
    if record.dataset.sha256 is not None:
        yield from _other_files(program.plan, record)


def _other_own(wanted: Plan, record: RunRecord, folder: Path, beside: RunRecord | None) -> Iterator[str]:
    """Where a run was made with other options than those asked for; looked at from the cheap to the dear."""
    if beside is not None:
        # A plain run that is there already says more of the setting than the options do.
        return
    request, planned = wanted.request, wanted.runs[0]
    for what, asked, found in (
        ("engine", request.backend, record.backend_name),
        ("precision", wanted.precision.value, record.precision),
        ("batch size", planned.batch_size, record.batch_size),
        ("streams", planned.streams, record.streams),
        ("threads", request.threads, record.threads),
    ):
        if asked != found:
            yield f"{what} {found}, not {asked}"
    if record.mode == Mode.PERFORMANCE.value:
        yield from _other_timing(request, planned, record)
    yield from _other_files(wanted, record)
    yield from _other_options(request, folder)


def _other_timing(request: RunRequest, planned: PlannedRun, record: RunRecord) -> Iterator[str]:
    used = record.settings
    shortest = -(-planned.duration_ns // _NS_PER_MS)
    if used.get("min_duration_ms") != shortest:
        yield f"duration {used.get('min_duration_ms')} ms, not {shortest} ms"
    if request.samples is not None and used.get("min_query_count") != request.samples:
        yield f"at least {used.get('min_query_count')} queries, not {request.samples}"
    for asked, names in (
        (request.target_qps, ("server_target_qps", "offline_expected_qps")),
        (
            request.target_latency_ns,
            ("server_target_latency_ns", "single_stream_expected_latency_ns", "multi_stream_expected_latency_ns"),
        ),
    ):
        found = next((used[name] for name in names if name in used), None)
        if asked is not None and found is not None and asked != found:
            yield f"target {found}, not {asked}"


def _other_files(wanted: Plan, record: RunRecord) -> Iterator[str]:
    subject = wanted.subject
    if subject.model_file is not None and content_hash(subject.model_file) != record.model.sha256:
        yield "the model's file has changed"
    path = subject.dataset_path
    data = str(path) if path is not None else subject.dataset.name if subject.dataset else "synthetic"
    if data != record.dataset.name:
        yield f"data {record.dataset.name}, not {data}"
    elif path is not None:
        identity = quick_identity(path) if path.is_dir() else content_hash(path)
        if identity != record.dataset.sha256:
            yield "the data have changed"


def _other_options(request: RunRequest, folder: Path) -> Iterator[str]:
    try:
        spec = RunSpec.read(folder)
    except AssayError as error:
        yield f"no specification: {error}"
        return
    if dict(spec.options.extra) != request.backend_options:
        yield "other options of the engine"
    if spec.batch_wait_us != (request.batch_wait_ns or 0) // 1000:
        yield "another --batch-wait"
    if spec.skip_bad != request.skip_bad:
        yield "another --skip-bad"
    if any(spec.recipe.get(key) != value for key, value in request.recipe.items()):
        yield "another recipe"


def read_plain_spec(folder: Path) -> RunSpec:
    """The specification of the run that a test repeats.

    Raises:
        InvalidInputError: for a run that assay did not make itself.
    """
    try:
        return RunSpec.read(folder)
    except AssayError as error:
        raise InvalidInputError(
            f"the run cannot be repeated as a compliance test: {error.what}",
            where=folder,
            hint="compliance tests need a run that assay run made",
        ) from error
