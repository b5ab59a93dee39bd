from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.base.files import sha256_file
from assay.base.progress import SILENT
from assay.base.settings import Settings
from assay.campaign.perplexity import PerplexityRequest, measure_perplexity

from ..tasks.language_model.tiny_llama import tiny_llama

WORDS = "the cat in a hat and a dog in the sun "


@pytest.fixture(autouse=True)
def engine() -> None:
    if not os.environ.get("CI"):
        pytest.importorskip("xllamacpp", reason="the extra llm is not installed")


def asked(model: Path, text: Path, **more: int) -> PerplexityRequest:
    return PerplexityRequest(str(model), text, tokens=64, window=32, threads=more.get("threads", 1))


def test_a_text_is_known_by_its_whole_file_and_read_as_far_as_needed(tmp_path: Path) -> None:
    model, settings = tiny_llama(tmp_path / "tiny.gguf"), Settings(home=tmp_path / "home")
    long, short = tmp_path / "long.txt", tmp_path / "short.txt"
    long.write_text(WORDS * 5_000, encoding="utf-8")
    short.write_text("\ufeff" + WORDS * 20, encoding="utf-8")
    found = [measure_perplexity(asked(model, text), settings, SILENT) for text in (long, short)]
    assert found[0].perplexity == found[1].perplexity
    assert [each.text.sha256 for each in found] == [sha256_file(long), sha256_file(short)]


def test_no_threads_are_all_cores(tmp_path: Path) -> None:
    model, text = tiny_llama(tmp_path / "tiny.gguf"), tmp_path / "text.txt"
    text.write_text(WORDS * 20, encoding="utf-8")
    assert measure_perplexity(asked(model, text, threads=0), Settings(home=tmp_path / "home"), SILENT).threads >= 1


def test_the_usual_text_is_that_of_lee50(home: Path, tmp_path: Path, fetched: Callable[[str], Path]) -> None:
    folder = fetched("lee50")
    home.mkdir()
    (home / "assets").symlink_to(next(path for path in folder.parents if path.name == "assets"), True)
    model = tiny_llama(tmp_path / "tiny.gguf")
    request = PerplexityRequest(str(model), tokens=64, window=64, threads=1)
    found = measure_perplexity(request, Settings(home=home), SILENT)
    assert (found.text.name, found.text.sha256) == ("lee50", sha256_file(folder / "lee.cor"))
    assert found.labels == ("custom-model", "small-dataset")
