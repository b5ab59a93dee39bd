"""The documentation says what the program does: generated parts are fresh, commands parse, links lead somewhere."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from assay.cli.main import VERBS, assay
from assay.loadgen.record import Label

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").glob("*.md")])
BLOCK = re.compile(r"```(?:console|sh|bash)?\n(.*?)```", re.DOTALL)
EXTRAS = re.compile(r"assay\[([a-z0-9,]+)\]")
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


def documented_commands() -> Iterator[tuple[str, str]]:
    """Every line of a code block that calls assay."""
    for page in PAGES:
        for block in BLOCK.findall(page.read_text(encoding="utf-8")):
            for line in block.replace("\\\n", " ").splitlines():
                text = line.strip().removeprefix("$ ")
                if text.startswith("assay ") and "..." not in text and "[OPTIONS]" not in text:
                    yield page.name, text.partition("  #")[0].partition(" > ")[0]


def test_generated_pages_are_fresh() -> None:
    done = subprocess.run(
        [sys.executable, "docs/generate.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("page", "line"), sorted(set(documented_commands())))
def test_a_documented_command_is_one_that_exists(page: str, line: str) -> None:
    words = shlex.split(line)[1:]
    command: click.Command = assay
    context = click.Context(assay, info_name="assay")
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        inner = command.get_command(context, words[0])
        assert inner is not None, f"{page}: no command {words[0]!r} in {line!r}"
        command, context, words = inner, click.Context(inner, info_name=words[0], parent=context), words[1:]
    known = {
        option for parameter in command.get_params(context) for option in (*parameter.opts, *parameter.secondary_opts)
    }
    unknown = [
        word
        for word in words
        if word.startswith("-") and word != "-" and word.partition("=")[0] not in known and not word[1:].isdigit()
    ]
    assert not unknown, f"{page}: {line!r} has unknown options {unknown}"


def test_extras_that_are_told_are_extras_that_exist() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    texts = [path.read_text(encoding="utf-8") for path in (*PAGES, *(ROOT / "src").rglob("*.py"))]
    told = {name for text in texts for names in EXTRAS.findall(text) for name in names.split(",")}
    assert {"llm", "openvino"} <= told
    assert not told - set(extras)
    # GPT-J runs on CTranslate2 and is scored with nltk: one extra has all of it.
    assert {re.split(r"[<>=]", each)[0] for each in extras["llm"]} == {"xllamacpp", "ctranslate2", "nltk"}


def test_there_are_commands_to_look_at() -> None:
    assert len(list(documented_commands())) > 40


def test_every_verb_and_every_label_is_described() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert not [verb.name for verb in VERBS if f"assay {verb.name}" not in text]
    assert not [label.value for label in Label if f"`{label.value}`" not in text]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    broken = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if not (page.parent / link).exists()]
    assert not broken


def test_the_python_of_the_tutorial_runs(home: Path) -> None:
    """With the published figures in a fresh home, without a network."""
    text = (ROOT / "docs" / "tutorials" / "explore-results.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    code = f"{block}\nassert frame['system'][0] == 'gloria_highend-qaic-v1.8.3.7-aic100'\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "('samples_per_joule', 'samples/J')" in done.stdout
    assert (home / "index.duckdb").is_file()


@pytest.mark.parametrize("page", ["README.md", "docs/tutorials/explore-results.md"])
def test_what_is_shown_of_the_published_rounds_is_what_is_printed(page: str, home: Path) -> None:
    """The first command about results, with its answer."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.search(r"\$ assay (results best [^\n]*)\n(.*?)```", text, re.DOTALL)
    assert found
    command = [sys.executable, "-m", "assay", *shlex.split(found[1])]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert [line.rstrip() for line in done.stdout.splitlines()] == found[2].splitlines()
