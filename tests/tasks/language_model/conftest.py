from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .tiny_llama import tiny_llama

RECIPE: dict[str, Any] = {"prompt": "{instruction}\n{input}<|im_end|>", "max_prompt_tokens": 200}
ARTICLES = [
    {
        "instruction": "Summarize:",
        "input": "The cat sat in the hat. It was a the thin cat.",
        "output": "A cat sat .\nIt was thin .",
    },
    {
        "instruction": "Summarize:",
        "input": "Ministers met on Monday {in} Paris, 2023.",
        "output": "Ministers met in Paris .",
    },
    {"instruction": "Tell me:", "input": "Café prices rose to £4. Nobody said why.", "output": "Coffee costs more ."},
    {"instruction": "Summarize:", "input": "It isn't over. They're running quickly.", "output": "They run on ."},
    {"instruction": "Summarize:", "input": "the in a", "output": "Little ."},
]


def write_cnn(folder: Path, articles: list[Any] | None = None) -> Path:
    """``cnn_eval.json`` in a folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "cnn_eval.json"
    path.write_text(json.dumps(ARTICLES if articles is None else articles, ensure_ascii=False), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny language model."""
    return tiny_llama(tmp_path_factory.mktemp("tiny") / "tiny.gguf")


@pytest.fixture
def cnn(tmp_path: Path) -> Path:
    """A folder with ``cnn_eval.json``."""
    return write_cnn(tmp_path / "cnn").parent
