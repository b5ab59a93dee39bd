from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assay.models.tokenizer import TextTokenizer, open_tokenizer
from assay.tasks.language_model.articles import Article
from assay.tasks.language_model.prompts import MadePrompt, Prompter
from assay.tasks.language_model.recipe import read_recipe

LONG = Article("a", "Sum up:", "the cat in the hat " * 40, "x")


@pytest.fixture
def tokenizer(model: Path) -> TextTokenizer:
    return open_tokenizer(model)


def made(article: Article, tokenizer: TextTokenizer | None, **recipe: Any) -> MadePrompt:
    return Prompter(read_recipe(recipe), tokenizer).make(article)


def test_the_prompt_of_the_benchmark() -> None:
    """Source: language/gpt-j/dataset.py of mlcommons/inference v3.1, ``prompt_input``."""
    text = made(Article("a", "Do {this}:", "a {text} {{x}}", None), None).text
    assert text == (
        "Below is an instruction that describes a task, paired with an input that provides further context. "
        "Write a response that appropriately completes the request.\n\n"
        "### Instruction:\nDo {this}:\n\n### Input:\na {text} {{x}}\n\n### Response:"
    )


def test_the_recipes_instruction_is_for_texts_without_one() -> None:
    recipe = {"prompt": "{instruction}|{input}", "instruction": "usual"}
    assert made(Article("a", None, "text", None), None, **recipe).text == "usual|text"
    assert made(Article("a", "own", "text", None), None, **recipe).text == "own|text"
    assert made(Article("a", "{input}", "text", None), None, **recipe).text == "{input}|text"


def test_braces_of_the_prompt_are_written_twice() -> None:
    assert made(Article("a", "i", "t", None), None, prompt="{{{instruction}}} {input} {{}}").text == "{i} t {}"
    assert (
        made(Article("a", "{{i}}", "t", None), None, prompt="{{input}} {input}{instruction}").text == "{input} t{{i}}"
    )


def test_a_long_prompt_is_cut_at_its_end_as_in_the_reference(tokenizer: TextTokenizer) -> None:
    whole = made(LONG, tokenizer, prompt="{instruction}\n{input}<|im_end|>", max_prompt_tokens=10_000)
    cut = made(LONG, tokenizer, prompt="{instruction}\n{input}<|im_end|>", max_prompt_tokens=50)
    assert (whole.cut, cut.cut, len(cut.tokens)) == (False, True, 50)
    assert cut.tokens.tolist() == whole.tokens[:50].tolist()
    assert whole.text.startswith(cut.text)


def test_or_inside_so_that_its_end_stays(tokenizer: TextTokenizer) -> None:
    recipe = {"prompt": "{instruction}\n{input}<|im_end|>\n", "max_prompt_tokens": 50, "cut": "input"}
    cut = made(LONG, tokenizer, **recipe)
    assert (cut.cut, len(cut.tokens)) == (True, 50)
    assert cut.text.startswith("Sum up:\nthe cat")
    assert cut.text.endswith("<|im_end|>\n")


def test_without_a_tokenizer_nothing_is_cut() -> None:
    prompt = made(LONG, None, max_prompt_tokens=5)
    assert (len(prompt.tokens), prompt.cut) == (0, False)
    assert LONG.text in prompt.text
