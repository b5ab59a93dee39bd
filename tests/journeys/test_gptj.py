"""GPT-J in CTranslate2's form as a user runs it: the official recipe and layout, with a model of a few kilobytes."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.loadgen.logs import read_accuracy
from assay.models.gptj import Shape
from assay.models.tokenizer import open_tokenizer

from ..models.tiny_gptj import PlainGptj, tiny_gptj
from ..tasks.language_model.conftest import write_cnn
from ..tasks.language_model.tiny_llama import MERGES, vocabulary
from ..typed import typed

WORDS = vocabulary()
SHAPE = Shape(layers=2, width=32, heads=2, rotary=8, vocabulary=len(WORDS), end=0)
QUICKLY = ("--threads", "1", "--json")


@pytest.fixture(autouse=True)
def engine() -> None:
    if not os.environ.get("CI"):
        pytest.importorskip("ctranslate2", reason="the extra speech is not installed")
        pytest.importorskip("nltk", reason="the extra llm is not installed")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What a user's conversion leaves, with GPT-2's two files of the tokenizer beside it."""
    made = tiny_gptj(tmp_path / "gptj", shape=SHAPE)
    (made / "vocabulary.json").write_text(json.dumps(WORDS))
    (made / "vocab.json").write_text(json.dumps({word: number for number, word in enumerate(WORDS)}))
    (made / "merges.txt").write_text("#version: 0.2\n" + "\n".join(MERGES) + "\n")
    return made


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    return write_cnn(tmp_path / "cnn").parent


def assay(*arguments: str, codes: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[str]:
    done = typed(*arguments)
    assert done.returncode in codes, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def run(*arguments: str, codes: tuple[int, ...] = (0,)) -> dict[str, Any]:
    (record,) = json.loads(assay("run", *arguments, *QUICKLY, codes=codes).stdout)
    return dict(record)


def responses(home: Path, record: dict[str, Any]) -> list[list[int]]:
    log = read_accuracy(home / "runs" / record["id"] / "mlperf_log_accuracy.json")
    return [np.frombuffer(log.data[row], np.int64).tolist() for row in np.argsort(log.qsl_idx)]


def test_the_official_benchmark_with_a_converted_checkpoint(home: Path, folder: Path, articles: Path) -> None:
    """Its own recipe: four beams, 30 to 128 tokens, the whole prompt."""
    assay("assets", "add", "cnn-dailymail", "--path", str(articles), "--partial")
    record = run(
        *("gptj", "--model", str(folder), "--backend", "ctranslate2", "--mode", "accuracy"),
        *("--recipe", f"tokenizer={folder}"),
    )
    assert (record["benchmark"], record["status"]) == ("gptj-99", "finished")
    assert set(record["labels"]) == {"custom-model", "partial-dataset"}
    assert record["backend"]["engine"] == "ctranslate2"
    assert record["figures"]["accuracy"]["GEN_LEN"] > 0
    found = responses(home, record)
    assert len(found) == 5
    assert all(30 <= len(answer) <= 128 for answer in found)


def test_a_language_model_with_a_recipe_of_its_own(home: Path, folder: Path, articles: Path, tmp_path: Path) -> None:
    """The tokenizer is the one in the folder; the answers are those of GPT-J."""
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text('prompt: "{input} the"\nmax_prompt_tokens: 60\ndecoding: {max_new_tokens: 8}\n')
    record = run(
        *("language-model", "--model", str(folder), "--backend", "ctranslate2", "--recipe", str(recipe)),
        *("--dataset", str(articles), "--mode", "accuracy"),
    )
    plain, tokenizer = PlainGptj(folder, SHAPE), open_tokenizer(folder)
    texts = [entry["input"] for entry in json.loads((articles / "cnn_eval.json").read_text())]
    wanted = [plain.greedy(tokenizer.encode(f"{text} the").tolist()[:60], 8) for text in texts]
    assert responses(home, record) == wanted


def test_a_greedy_run_tells_the_time_to_the_first_token(home: Path, folder: Path, articles: Path) -> None:
    record = run(
        *("language-model", "--model", str(folder), "--dataset", str(articles), "--scenario", "Offline"),
        *("--recipe", "decoding.max_new_tokens=8", "--recipe", "decoding.min_new_tokens=8"),
        *("--duration", "1s", "--target-qps", "500"),
        codes=(0, 1),
    )
    assert record["backend"]["engine"] == "ctranslate2", "taken by the form of the model"
    measured = record["figures"]["measured"]
    assert measured["answer_tokens"] == 8 * record["figures"]["samples"]
    assert {"first_token_p99_ns", "next_token_p50_ns", "answer_tokens_per_second"} <= set(measured)


def test_a_tokenizer_that_is_missing_is_told(home: Path, folder: Path, articles: Path) -> None:
    (folder / "vocab.json").unlink()
    given = ("run", "language-model", "--model", str(folder), "--dataset", str(articles), "--mode", "accuracy")
    done = assay(*given, codes=(3, 4))
    assert "there is no tokenizer" in done.stderr
    assert "Traceback" not in done.stderr
