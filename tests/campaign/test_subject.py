from __future__ import annotations

from pathlib import Path

import pytest

from assay.assets.catalogue import load_catalogue
from assay.backends.protocol import ModelFormat
from assay.base.settings import Settings
from assay.campaign.request import RunRequest
from assay.campaign.subject import Subject, resolve_category, resolve_subject
from assay.errors import InvalidInputError, NotFoundError, UsageError
from assay.rules.load import load_round
from assay.rules.model import Category, Scenario


def resolve(tmp_path: Path, name: str, **options: object) -> Subject:
    request = RunRequest.model_validate({"name": name, **options})
    return resolve_subject(request, load_round("v3.1"), load_catalogue(Settings(home=tmp_path)))


def test_a_model_brings_its_benchmark_and_dataset(tmp_path: Path) -> None:
    subject = resolve(tmp_path, "MobileNet-v2")
    assert subject.benchmark.name == "resnet"
    assert subject.dataset is not None
    assert subject.dataset.name == "imagenet-foolbox-20"


@pytest.mark.parametrize("name", ["resnet", "resnet50", "RESNET50"])
def test_a_benchmark_brings_the_official_model(tmp_path: Path, name: str) -> None:
    subject = resolve(tmp_path, name)
    assert (subject.model.name, subject.dataset and subject.dataset.name) == ("resnet50", "imagenet2012")


@pytest.mark.parametrize(
    ("name", "round_name", "model"),
    [
        ("bert-99.9", "v3.1", "bert-large"),
        ("3d-unet-99.9", "v3.0", "3d-unet-kits19"),
        ("dlrm-99.9", "v3.0", "dlrm"),
        ("gptj-99.9", "v3.1", "gptj"),
    ],
)
def test_a_benchmark_with_another_target_has_the_same_model(
    tmp_path: Path, name: str, round_name: str, model: str
) -> None:
    catalogue = load_catalogue(Settings(home=tmp_path))
    subject = resolve_subject(RunRequest(name=name), load_round(round_name), catalogue)
    assert (subject.model.name, subject.benchmark.name) == (model, name)


def test_a_stand_in_runs_what_its_task_was_in_an_older_round(tmp_path: Path) -> None:
    catalogue = load_catalogue(Settings(home=tmp_path))
    older = resolve_subject(RunRequest(name="movielens-dlrm"), load_round("v3.0"), catalogue)
    assert older.benchmark.name == "dlrm-99"
    with pytest.raises(NotFoundError):
        resolve_subject(RunRequest(name="dlrm-v2"), load_round("v3.0"), catalogue)


def test_a_misspelt_name_is_told_with_the_closest(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="mobilenet-v2"):
        resolve(tmp_path, "mobilnet-v2")


def test_a_benchmark_without_a_model_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no model for benchmark 'gpt3-99'"):
        resolve(tmp_path, "gpt3-99")


def test_synthetic_weights_have_no_dataset(tmp_path: Path) -> None:
    assert resolve(tmp_path, "resnet50-synthetic").synthetic


def test_the_users_own_paths_hold(tmp_path: Path, classifier: Path, pictures: Path) -> None:
    subject = resolve(tmp_path, "mobilenet-v2", model=classifier, dataset=str(pictures))
    assert (subject.model_file, subject.dataset_path, subject.dataset) == (classifier, pictures, None)


def test_a_path_that_is_not_there_is_never_replaced(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="--model"):
        resolve(tmp_path, "mobilenet-v2", model=tmp_path / "none.onnx")
    with pytest.raises(NotFoundError, match="--dataset"):
        resolve(tmp_path, "mobilenet-v2", dataset="./nowhere")


def test_a_model_is_no_dataset(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="does not fit"):
        resolve(tmp_path, "mobilenet-v2", dataset="resnet50")


def test_the_category_is_the_first_that_has_the_scenario(tmp_path: Path) -> None:
    subject = resolve(tmp_path, "mobilenet-v2")
    assert resolve_category(subject, None, Scenario.OFFLINE) is Category.EDGE
    assert resolve_category(subject, None, Scenario.SERVER) is Category.DATACENTER


def test_a_scenario_that_the_category_lacks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="category edge of round v3.1 has no Server") as caught:
        resolve_category(resolve(tmp_path, "mobilenet-v2"), Category.EDGE, Scenario.SERVER)
    assert caught.value.expected == "one of SingleStream, MultiStream, Offline"
    assert caught.value.hint == "--category datacenter"


def test_a_task_takes_the_users_own_model_and_recipe(tmp_path: Path, classifier: Path) -> None:
    subject = resolve(tmp_path, "Image-Classification", model=classifier, recipe={"crop": 32})
    assert (subject.benchmark.name, subject.model.name) == ("resnet", "image-classification")
    assert subject.recipe == {"crop": 32}
    assert subject.synthetic
    assert subject.format is ModelFormat.ONNX


def test_a_recipe_goes_over_the_named_models_own(tmp_path: Path, classifier: Path) -> None:
    subject = resolve(tmp_path, "mobilenet-v2", model=classifier, recipe={"crop": 32})
    assert subject.recipe["crop"] == 32
    assert subject.recipe["layout"] == "NCHW"
    with pytest.raises(UsageError, match="--recipe is for a model of your own"):
        resolve(tmp_path, "mobilenet-v2", recipe={"crop": 32})
    with pytest.raises(UsageError, match="--recipe is for a model of your own"):
        resolve(tmp_path, "mobilenet-v2", backend="kserve", recipe={"crop": 32})


def test_a_benchmark_without_a_model_here_takes_ones_own_or_a_servers(tmp_path: Path, classifier: Path) -> None:
    catalogue, newest = load_catalogue(Settings(home=tmp_path)), load_round("v4.0")
    for more in ({"model": classifier}, {"backend": "openai"}):
        request = RunRequest.model_validate({"name": "Llama2-70b", "recipe": {"prompt": "{input}"}, **more})
        subject = resolve_subject(request, newest, catalogue)
        assert (subject.benchmark.name, subject.model.name, subject.model.labels) == (
            "llama2-70b-99",
            "llama2-70b-99",
            (),
        )
        assert subject.recipe == {"prompt": "{input}"}
    for name, more in (("llama2-70b", {}), ("sdxl", {"model": classifier}), ("no-such", {"model": classifier})):
        with pytest.raises(NotFoundError):
            resolve_subject(RunRequest.model_validate({"name": name, **more}), newest, catalogue)


def test_the_small_language_model_runs_as_llama_2_where_the_round_has_it(tmp_path: Path) -> None:
    catalogue = load_catalogue(Settings(home=tmp_path))
    request = RunRequest(name="smollm2-135m-chat")
    assert resolve_subject(request, load_round("v4.0"), catalogue).benchmark.name == "llama2-70b-99"
    assert resolve_subject(request, load_round("v3.1"), catalogue).benchmark.name == "gptj-99"
