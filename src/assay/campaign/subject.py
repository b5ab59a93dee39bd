"""What will be run: a request resolved to a benchmark, a model and a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from assay.assets.catalogue import Catalogue
from assay.assets.manifest import Asset, Kind, ModelFacts
from assay.backends.protocol import ModelFormat
from assay.backends.registry import backends
from assay.campaign.formats import AUTO, format_of, is_remote
from assay.campaign.request import RunRequest
from assay.errors import InvalidInputError, NotFoundError, UsageError, unknown
from assay.rules.model import Benchmark, Category, Round, Scenario
from assay.tasks.registry import tasks


@dataclass(frozen=True, slots=True)
class Subject:
    """Benchmark, model and data of a request.

    Attributes:
        model: the catalogue's model: its recipe holds also for a file that the user gives in its place.
        model_file: the user's own model file.
        dataset: dataset of the catalogue; None for synthetic inputs or a folder of the user's.
        dataset_path: the user's own dataset folder.
    """

    round: Round
    benchmark: Benchmark
    model: Asset
    model_file: Path | None
    dataset: Asset | None
    dataset_path: Path | None

    @property
    def format(self) -> ModelFormat:
        """Form of the model that is run.

        Raises:
            InvalidInputError: when the user's own file is in none that is known.
        """
        assert self.model.model is not None
        return ModelFormat(self.model.model.format) if self.model_file is None else format_of(self.model_file)

    @property
    def recipe(self) -> Mapping[str, Any]:
        """How the model wants its samples."""
        assert self.model.model is not None
        return self.model.model.recipe

    @property
    def synthetic(self) -> bool:
        """Whether inputs are made up, so that only speed is measured."""
        return self.dataset is None and self.dataset_path is None


def resolve_subject(request: RunRequest, round_: Round, catalogue: Catalogue) -> Subject:
    """Find benchmark, model and dataset of a request.

    Raises:
        NotFoundError: for an unknown name (with the closest ones) or a path that is not there.
        InvalidInputError: for an asset of the wrong kind or task.
    """
    if request.name.casefold() in tasks().names():
        model, benchmark = _custom_model(request, round_)
    else:
        model, benchmark = _of_a_name(request, round_, catalogue)
    facts = model.model
    assert facts is not None
    if request.recipe:
        facts = replace(facts, recipe={**facts.recipe, **request.recipe})
        model = replace(model, model=facts)
    model_file = _existing(request.model, "--model")
    dataset, dataset_path = _dataset(request.dataset or facts.dataset, model, catalogue)
    return Subject(round_, benchmark, model, model_file, dataset, dataset_path)


def resolve_category(subject: Subject, category: Category | None, scenario: Scenario) -> Category:
    """The category of a run: the one asked for, else the first that has the scenario.

    Raises:
        UsageError: when the category does not have the benchmark or the scenario.
    """
    benchmark = subject.benchmark
    having = [c for c in benchmark.categories() if scenario in benchmark.scenarios(c)]
    if category is None:
        if not having:
            raise UsageError(f"round {subject.round.name} has no {scenario.value} for {benchmark.name}")
        return having[0]
    if category not in having:
        scenarios = ", ".join(s.value for s in benchmark.scenarios(category)) or "nothing"
        raise UsageError(
            f"category {category.value} of round {subject.round.name} has no {scenario.value} for {benchmark.name}",
            expected=f"one of {scenarios}",
            hint=f"--category {having[0].value}" if having else None,
        )
    return category


def _of_a_name(request: RunRequest, round_: Round, catalogue: Catalogue) -> tuple[Asset, Benchmark]:
    """Model and benchmark of a name; of a benchmark that has no model here, with one of the user's own or on a server.

    Raises:
        NotFoundError: for an unknown name, or a benchmark without a model.
        UsageError: for a recipe to a model that has its own.
    """
    own = request.model is not None or (request.backend != AUTO and is_remote(backends().get(request.backend)))
    try:
        found = _model_and_benchmark(request.name, round_, catalogue)
    except NotFoundError:
        if not own or request.name.casefold() not in _names(round_):
            raise
        return _own_model_of(round_.benchmark(request.name))
    if request.recipe and request.model is None:
        raise UsageError(
            f"--recipe is for a model of your own; {request.name} has its recipe", hint="give the model with --model"
        )
    return found


def _names(round_: Round) -> set[str]:
    """Names and aliases of a round's benchmarks."""
    return {name.casefold() for each in round_.benchmarks.values() for name in (each.name, *each.aliases)}


def _model_and_benchmark(name: str, round_: Round, catalogue: Catalogue) -> tuple[Asset, Benchmark]:
    models = {asset.name: asset for asset in catalogue.models()}
    if name.casefold() in models:
        model = models[name.casefold()]
        return model, _benchmark_of(model, round_)
    try:
        benchmark = round_.benchmark(name)
    except NotFoundError as error:
        known = {*models, *round_.benchmarks, *(a for b in round_.benchmarks.values() for a in b.aliases)}
        raise unknown(
            "benchmark or model", name, known, hint="assay benchmarks, or assay assets list --kind model"
        ) from error
    # What lies on this machine, a quantised form for example, is run by its own name.
    models_of = (m for m in models.values() if m.model and not m.labels and m.local is None)
    official = [m for m in models_of if m.model and _runs(m.model, benchmark, round_)]
    if not official:
        raise NotFoundError(
            f"no model for benchmark {benchmark.name!r} is in the catalogue",
            hint="assay assets list --kind model shows what can be run",
        )
    return official[0], benchmark


def _benchmark_of(model: Asset, round_: Round) -> Benchmark:
    """The benchmark that a model runs; in a round that has another one of its task, a stand-in runs that."""
    assert model.model is not None
    of_task = (each for each in round_.benchmarks.values() if each.task == model.task and not each.placeholder)
    if model.labels and model.model.benchmark not in round_.benchmarks and (other := next(of_task, None)):
        return other
    return round_.benchmark(model.model.benchmark)


def _runs(model: ModelFacts, benchmark: Benchmark, round_: Round) -> bool:
    """Whether a model is that of a benchmark: its own, or that of one with another accuracy target (bert-99, bert-99.9)."""
    own = round_.benchmarks.get(model.benchmark)
    return own is not None and (own.task, own.model) == (benchmark.task, benchmark.model)


def _custom_model(request: RunRequest, round_: Round) -> tuple[Asset, Benchmark]:
    """A model of the user's own, run as the task's first benchmark of the round is."""
    name = request.name.casefold()
    benchmark = next((b for b in round_.benchmarks.values() if b.task == name and not b.placeholder), None)
    if benchmark is None:
        raise NotFoundError(f"round {round_.name} has no benchmark for the task {name}", hint="assay benchmarks")
    return _own_model(name, benchmark)


def _own_model_of(benchmark: Benchmark) -> tuple[Asset, Benchmark]:
    """A model of the user's own in the place of the benchmark's, which is not in the catalogue."""
    if benchmark.placeholder or benchmark.task not in tasks().names():
        raise NotFoundError(f"assay has no task that runs {benchmark.name}", hint="assay benchmarks")
    return _own_model(benchmark.name, benchmark)


def _own_model(name: str, benchmark: Benchmark) -> tuple[Asset, Benchmark]:
    # No file is needed where the engine drives a server; make_plan refuses the others.
    facts = ModelFacts(ModelFormat.REMOTE.value, benchmark.name, {}, None)
    asset = Asset(name, Kind.MODEL, benchmark.task, "a model of your own", (), None, 0, "", "", "", (), model=facts)
    return asset, benchmark


def _dataset(name: str | None, model: Asset, catalogue: Catalogue) -> tuple[Asset | None, Path | None]:
    if name is None:
        return None, None
    path = Path(name).expanduser()
    if "/" in name or path.is_dir():
        return None, _existing(path, "--dataset")
    asset = catalogue.get(name)
    if asset.kind is not Kind.DATASET or asset.task != model.task:
        raise InvalidInputError(
            f"{name!r} does not fit {model.name}",
            expected=f"a dataset for {model.task}",
            found=f"a {asset.kind} for {asset.task}",
            hint=f"assay assets list --kind dataset --task {model.task}",
        )
    return asset, None


def _existing(path: Path | None, option: str) -> Path | None:
    if path is None:
        return None
    full = path.expanduser().absolute()
    if not full.exists():
        raise NotFoundError(f"the path given with {option} is not there", where=full)
    return full
