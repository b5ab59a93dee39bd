"""Finished LoadGen logs of anybody's as a run of this home: copied, judged, scored where the data are named."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assay import __version__
from assay.assets.catalogue import Catalogue, load_catalogue
from assay.assets.store import AssetStore, content_hash, quick_identity
from assay.backends.protocol import NO_FILE, BackendOptions, Precision
from assay.base.files import machine_errors, require_space, sha256_file
from assay.base.progress import Progress
from assay.base.settings import Settings
from assay.campaign.companions import complete_recipe
from assay.campaign.finish import ACCURACY_TEXT, finish
from assay.campaign.material import dataset_on_disk
from assay.campaign.request import DEFAULT_ROUND, RunRequest
from assay.campaign.subject import resolve_subject
from assay.campaign.told import as_logged
from assay.campaign.turns import kept_if_it_breaks
from assay.errors import InvalidInputError, NotFoundError, UsageError
from assay.harness.outcome import Ending, Outcome
from assay.harness.spec import USER_CONF, RunSpec
from assay.loadgen.logs import DetailLog, read_detail, read_summary
from assay.loadgen.names import ACCURACY, DETAIL, LOG_FILES, SUMMARY
from assay.loadgen.record import Artefact, Label, RunRecord, RunStatus
from assay.loadgen.runs import RunCatalogue, RunFolder
from assay.loadgen.verdict import judge
from assay.results.record import record_run
from assay.rules.load import load_round
from assay.rules.model import Benchmark, Category, Division, Mode, Round, Scenario

_BESIDE = (USER_CONF, "mlperf.conf", "audit.config")
_MODES = {"PerformanceOnly": Mode.PERFORMANCE, "SubmissionRun": Mode.PERFORMANCE, "AccuracyOnly": Mode.ACCURACY}
_SPACE = 16 << 20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,127}")
"""What can be the name of a folder of code in a submission."""
_DEPTH = 4
"""How many folders below the one named logs are looked for, to say where they are."""


class AlreadyHereError(UsageError):
    """The same logs were adopted before; ``found`` is the run."""


@dataclass(frozen=True, slots=True)
class Collection:
    """What whoever has the logs says of them; scenario, mode and settings are in the log.

    Attributes:
        folder: with LoadGen's logs in it.
        benchmark: that was run.
        model: its name; the benchmark's own when left out.
        dataset: of the catalogue or a folder, needed to score an accuracy run.
        labels: what the figure must not be shown without, besides those that follow from model, data and log.
        program: what ran it.
        precision: number format that it ran in.
        group: shared by runs that belong together; a new one when left out.
    """

    folder: Path
    benchmark: str
    model: str | None = None
    dataset: str | None = None
    labels: tuple[Label, ...] = ()
    round: str = DEFAULT_ROUND
    category: Category | None = None
    division: Division = Division.OPEN
    program: str = "unknown"
    precision: Precision = Precision.FP32
    group: str = ""


@dataclass(frozen=True, slots=True)
class _Logs:
    """A whole set of logs of one execution."""

    folder: Path
    detail: DetailLog
    scenario: Scenario
    mode: Mode


@dataclass(frozen=True, slots=True)
class _Data:
    """What an accuracy run is scored with."""

    path: Path
    info: Artefact
    labels: tuple[str, ...]
    recipe: Mapping[str, Any]


def collect(
    given: Collection, settings: Settings, progress: Progress, known: Mapping[str, str] | None = None
) -> RunRecord:
    """Adopt LoadGen's logs as a run; nothing of the folder is changed.

    Args:
        given: the logs, and what is said of them.
        settings: where runs are kept.
        progress: told while it goes on.
        known: what :func:`adopted` says of the home, where it was asked already.

    Raises:
        NotFoundError: when there are no logs, or a name is unknown.
        InvalidInputError: for logs that are damaged, cut off, or not of one execution.
        UsageError: for what the round does not have, or logs that were adopted before.
    """
    if not _NAME.fullmatch(given.program):
        raise UsageError(
            f"{given.program!r} is no name of a program",
            expected="letters, digits and . _ + -, as a tree of results has it",
        )
    round_ = load_round(given.round)
    benchmark = round_.benchmark(given.benchmark)
    logs, runs = _read(given.folder.expanduser().absolute()), RunCatalogue(settings.runs_dir)
    category = _category(benchmark, logs, given.category, round_)
    digest = sha256_file(logs.folder / DETAIL)
    _refuse_again(digest, adopted(runs) if known is None else known)
    data = _data(given, benchmark, settings, progress)
    labels = _labels(given, data, load_catalogue(settings))
    record = _record(given, round_, benchmark, category, logs, data, runs)
    record = as_logged(record, logs.detail, benchmark, labels)
    require_space(
        settings.runs_dir, _SPACE + sum((logs.folder / name).stat().st_size for name in _present(logs.folder))
    )
    folder = runs.create(record)
    kept_if_it_breaks(record, folder, lambda: _copy(logs.folder, folder, digest))
    if logs.mode is Mode.PERFORMANCE or data is not None:
        spec = _spec(record, logs, benchmark, data, settings)
        outcome = Outcome(Ending.FINISHED, backend=record.backend)
        record = finish(record, folder, spec, outcome, round_, benchmark, progress).record
    else:
        record = _unscored(record, folder, logs, round_, benchmark)
    record_run(folder.path, settings)
    return record


def _read(folder: Path) -> _Logs:
    """The logs of a folder, refused unless they are whole and of one execution."""
    for name in (*LOG_FILES, *_BESIDE, ACCURACY_TEXT):
        # A link can lead to a file that was never meant to be copied and shown.
        if (folder / name).is_symlink():
            raise InvalidInputError("a link in place of a log", where=folder / name, hint="copy the file it leads to")
    for name in (SUMMARY, DETAIL):
        if not (folder / name).is_file():
            found = (path for depth in range(1, _DEPTH) for path in folder.glob(f"{'*/' * depth}{DETAIL}"))
            below = sorted({str(path.parent.relative_to(folder)) for path in found})[:4]
            raise NotFoundError(
                "no LoadGen logs",
                where=folder,
                expected=f"{SUMMARY} and {DETAIL}",
                found=f"no {name}" + (f"; there are logs in {', '.join(below)}" if below else ""),
                hint=f"assay collect {folder / below[0]} ..." if below else None,
            )
    detail = read_detail(folder / DETAIL)
    if not detail.complete:
        raise InvalidInputError("the log is cut off: the run did not come to its end", where=folder / DETAIL)
    scenario, mode = _of(Scenario, detail, "effective_scenario"), detail.text("effective_test_mode")
    if mode not in _MODES:
        expected = ", ".join(_MODES)
        where = f"{folder / DETAIL}: effective_test_mode"
        raise InvalidInputError(
            "the log names no mode that is judged", where=where, expected=expected, found=repr(mode)
        )
    if test := _test_of(detail):
        raise UsageError(
            f"these are logs of a compliance test: {test}",
            where=folder / DETAIL,
            expected="a plain performance or accuracy run",
            hint="it is judged beside the run that it belongs to: assay compliance --help",
        )
    logs = _Logs(folder, detail, scenario, _MODES[mode])
    _check_whole(logs)
    return logs


def _of(kind: type[Scenario], detail: DetailLog, key: str) -> Scenario:
    try:
        return kind(detail.text(key) or "")
    except ValueError:
        raise InvalidInputError(
            "the log names no scenario", where=f"{detail.path}: {key}", found=repr(detail.text(key))
        ) from None


def _test_of(detail: DetailLog) -> str:
    """What a compliance test sets and no plain run does, as far as the log shows it; empty for a plain run."""
    number = detail.number("effective_accuracy_log_sampling_target") or detail.number(
        "effective_accuracy_log_probability"
    )
    if number and detail.text("effective_test_mode") != "AccuracyOnly":
        return "answers are logged in a performance run (TEST01)"
    for key in ("effective_performance_issue_same", "effective_performance_issue_unique"):
        if detail.values.get(key) is True:
            return "chosen samples are issued (TEST04)"
    return "the seeds of TEST05" if detail.values.get("effective_test05") is True else ""


def _check_whole(logs: _Logs) -> None:
    summary, word = read_summary(logs.folder / SUMMARY), logs.detail.text("result_validity")
    if logs.mode is Mode.PERFORMANCE:
        if word is None:
            raise InvalidInputError("the log holds no result: the run did not come to its end", where=logs.detail.path)
        if summary.reported_valid is None or summary.reported_valid is not (word == "VALID"):
            raise InvalidInputError(
                "summary and detail are not of one run",
                where=summary.path,
                expected=f"Result is : {word}",
                found=summary.fields.get("Result is", "no result"),
            )
    elif not (logs.folder / ACCURACY).is_file():
        raise NotFoundError("an accuracy run without its log of responses", where=logs.folder / ACCURACY)
    said = summary.fields.get("Scenario")
    if said is not None and said.replace(" ", "") != logs.scenario.value:
        raise InvalidInputError(
            "summary and detail are not of one run", where=summary.path, expected=logs.scenario.value, found=said
        )


def _category(benchmark: Benchmark, logs: _Logs, asked: Category | None, round_: Round) -> Category:
    having = [each for each in benchmark.categories() if logs.scenario in benchmark.scenarios(each)]
    if not having or (asked is not None and asked not in having):
        raise UsageError(
            f"{benchmark.name} of round {round_.name} has no {logs.scenario.value}"
            + (f" in category {asked.value}" if asked and having else ""),
            expected=", ".join(each.value for each in having) or None,
        )
    return asked or having[0]


def adopted(runs: RunCatalogue) -> dict[str, str]:
    """The hash of each finished run's detail log, and the run's id."""
    found = (record for record in runs.records() if record.status is RunStatus.FINISHED)
    return {record.logs[DETAIL]: record.id for record in found if DETAIL in record.logs}


def _refuse_again(digest: str, known: Mapping[str, str]) -> None:
    if (name := known.get(digest)) is not None:
        raise AlreadyHereError("these logs are a run here already", found=name, hint=f"assay runs show {name}")


def _data(given: Collection, benchmark: Benchmark, settings: Settings, progress: Progress) -> _Data | None:
    """The dataset that was named, with how the model's answers are read; None when none was."""
    if given.dataset is None:
        return None
    catalogue = load_catalogue(settings)
    known = given.model is not None and given.model.casefold() in {asset.name for asset in catalogue.models()}
    request = RunRequest(
        name=given.model if known and given.model else benchmark.name, dataset=given.dataset, round=given.round
    )
    subject = resolve_subject(request, load_round(given.round), catalogue)
    if subject.benchmark.task != benchmark.task:
        raise UsageError(f"{given.model} is no model for {benchmark.name}", found=subject.benchmark.task)
    store = AssetStore(settings, catalogue)
    recipe = complete_recipe(subject, store, progress)
    if subject.dataset is not None:
        located = dataset_on_disk(subject.dataset, store, progress)
        info = Artefact(subject.dataset.name, located.sha256, located.samples or subject.dataset.count)
        return _Data(located.path, info, (*subject.dataset.labels, *located.labels), recipe)
    path = subject.dataset_path
    assert path is not None
    info = Artefact(str(path), quick_identity(path) if path.is_dir() else content_hash(path))
    return _Data(path, info, (Label.CUSTOM_DATASET.value,), recipe)


def _labels(given: Collection, data: _Data | None, catalogue: Catalogue) -> tuple[str, ...]:
    """What is known of model and data: by their names, by what was said of them, and that nobody saw them."""
    found = [label.value for label in given.labels]
    if given.model is not None:
        asset = next((each for each in catalogue.models() if each.name == given.model.casefold()), None)
        found += asset.labels if asset else (Label.CUSTOM_MODEL.value,)
    return tuple(dict.fromkeys([*found, *(data.labels if data else ()), Label.UNSEEN_MATERIAL.value]))


def _record(
    given: Collection,
    round_: Round,
    benchmark: Benchmark,
    category: Category,
    logs: _Logs,
    data: _Data | None,
    runs: RunCatalogue,
) -> RunRecord:
    model = given.model or benchmark.model
    return RunRecord(
        id=runs.new_id(model, logs.scenario.value, logs.mode.value),
        group=given.group or runs.new_group(),
        created=_moment(logs.detail),
        status=RunStatus.RUNNING,
        round=round_.name,
        benchmark=benchmark.name,
        task=benchmark.task,
        scenario=logs.scenario.value,
        mode=logs.mode.value,
        category=category.value,
        division=given.division.value,
        model=Artefact(model, None),
        dataset=data.info if data else Artefact(benchmark.dataset, None, _samples(logs.detail)),
        backend_name=given.program,
        precision=given.precision.value,
        batch_size=0,
        streams=1,
        threads=0,
        command=_command(given),
        versions={"assay": __version__},
        backend={"collected_from": str(logs.folder), "sut": logs.detail.text("sut_name") or ""},
    )


def _moment(detail: DetailLog) -> str:
    """When the test was run, by its log; now, when the log does not say."""
    try:
        return datetime.fromisoformat(detail.text("test_datetime") or "").astimezone(UTC).isoformat(timespec="seconds")
    except ValueError:
        return datetime.now(UTC).isoformat(timespec="seconds")


def _samples(detail: DetailLog) -> int:
    return max(detail.integer("qsl_reported_total_count") or 0, 0)


def _command(given: Collection) -> str:
    """The command that adopts them again, elsewhere."""
    words = ["assay", "collect", str(given.folder), "--benchmark", given.benchmark, "--round", given.round]
    words += ["--division", given.division.value, "--implementation", given.program]
    for option, value in (
        ("--model", given.model),
        ("--dataset", given.dataset),
        ("--category", given.category.value if given.category else None),
    ):
        words += [option, value] if value else []
    for label in given.labels:
        words += ["--label", label.value]
    return shlex.join(words)


def _spec(record: RunRecord, logs: _Logs, benchmark: Benchmark, data: _Data | None, settings: Settings) -> RunSpec:
    """The run as scoring and judging want it; no engine of ours is ever opened with it."""
    return RunSpec(
        scenario=logs.scenario,
        mode=logs.mode,
        task=benchmark.task,
        recipe=data.recipe if data else {},
        model=NO_FILE,
        backend=record.backend_name,
        options=BackendOptions(0, 1, Precision(record.precision), {}),
        dataset=data.path if data else None,
        cache=settings.cache_dir,
        batch_size=0,
        conf_model=benchmark.conf_model,
        user_conf="",
        attributes={},
    )


def _unscored(record: RunRecord, folder: RunFolder, logs: _Logs, round_: Round, benchmark: Benchmark) -> RunRecord:
    """An accuracy run whose data were not named: judged, and without a figure."""
    verdict = judge(logs.detail, round_, benchmark, logs.scenario, logs.mode)
    hashes = {name: sha256_file(folder.path / name) for name in LOG_FILES if (folder.path / name).is_file()}
    versions = {**record.versions, "loadgen": logs.detail.loadgen_version or "unknown"}
    record = replace(record, status=RunStatus.FINISHED, verdict=verdict, logs=hashes, versions=versions)
    folder.write(record)
    return record


def _present(folder: Path) -> list[str]:
    return [name for name in (*LOG_FILES, *_BESIDE, ACCURACY_TEXT) if (folder / name).is_file()]


def _copy(source: Path, folder: RunFolder, digest: str) -> None:
    for name in _present(source):
        with machine_errors(folder.path / name):
            shutil.copyfile(source / name, folder.path / name)
    if sha256_file(folder.path / DETAIL) != digest:
        raise InvalidInputError("the log changed while it was copied", where=source / DETAIL)
