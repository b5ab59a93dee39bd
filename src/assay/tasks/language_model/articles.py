"""The texts of a dataset: ``cnn_eval.json`` of the GPT-J reference, or the news texts of Lee50."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from assay.base.files import machine_errors, read_json
from assay.errors import InvalidInputError, NotFoundError
from assay.tasks.protocol import SkippedSample

CNN_FILE, LEE_FILE = "cnn_eval.json", "lee.cor"
LEE_REFERENCE = "lee50_reference.json"
_MOST_BYTES = 1 << 30
_MOST_ARTICLES = 1_000_000
_MOST_TEXT = 4 << 20
_KEYS = ("instruction", "input", "output")


@dataclass(frozen=True, slots=True)
class Article:
    """A text to answer.

    Attributes:
        name: its place in the dataset, for messages.
        instruction: what to do with it; None when the dataset does not say.
        text: the text itself.
        target: the right answer; None when there is none, and then nothing can be scored.
    """

    name: str
    instruction: str | None
    text: str
    target: str | None


def source_file(source: Path) -> Path:
    """The file of a dataset that holds its texts.

    Raises:
        NotFoundError: when there is nothing at this path.
        InvalidInputError: when the folder has neither file.
    """
    if source.is_file():
        return source
    if not source.is_dir():
        raise NotFoundError("the dataset is not there", where=source)
    for name in (CNN_FILE, LEE_FILE):
        if (source / name).is_file():
            return source / name
    raise InvalidInputError(
        "no texts in this folder",
        where=source,
        expected=f"{CNN_FILE}: a list of objects with {', '.join(_KEYS)}",
        found=", ".join(sorted(path.name for path in source.iterdir())[:4]) or "an empty folder",
    )


def read_articles(file: Path, *, limit: int | None, skip_bad: bool) -> tuple[list[Article], list[SkippedSample]]:
    """The texts of a dataset in LoadGen's index order, and those left out.

    Args:
        file: as :func:`source_file` found it.
        limit: only the first ones.
        skip_bad: leave out texts that are empty or wrong instead of stopping.

    Raises:
        InvalidInputError: for a file of another form, or a text that is empty or wrong, with its number.
    """
    entries = _lee(file) if file.name == LEE_FILE else _cnn(file)
    good: list[Article] = []
    skipped: list[SkippedSample] = []
    for number, entry in enumerate(entries):
        if limit is not None and number >= limit:
            break
        problem = _problem(entry)
        if problem is None:
            good.append(Article(f"article {number}", entry.get("instruction"), entry["input"], entry.get("output")))
        elif skip_bad:
            skipped.append(SkippedSample(f"article {number}", problem))
        else:
            raise InvalidInputError(f"article {number}: {problem}", where=file, hint="leave it out with --skip-bad")
    return good, skipped


def _problem(entry: Any) -> str | None:
    if not isinstance(entry, dict):
        return "no object with instruction, input and output"
    for key in _KEYS:
        if not isinstance(entry.get(key), str) and not (key != "input" and entry.get(key) is None):
            return f"{key} is no text"
        if len(entry.get(key) or "") > _MOST_TEXT:
            return f"{key} is longer than {_MOST_TEXT:,} characters"
    return None if entry["input"].strip() else "the text is empty"


def _cnn(file: Path) -> Iterator[Any]:
    """Source: language/gpt-j/download_cnndm.py of mlcommons/inference v3.1, which writes one JSON list."""
    entries = read_json(file, max_bytes=_MOST_BYTES)
    if not isinstance(entries, list) or not 0 < len(entries) <= _MOST_ARTICLES:
        raise InvalidInputError(
            "no list of articles",
            where=file,
            expected=f"1 to {_MOST_ARTICLES:,} objects with {', '.join(_KEYS)}",
            found=f"{len(entries):,} entries" if isinstance(entries, list) else type(entries).__name__,
        )
    yield from entries


def _lee(file: Path) -> Iterator[Mapping[str, Any]]:
    """One text a line, latin-1; the targets are those of the single-precision model, kept with this task."""
    if file.stat().st_size > _MOST_BYTES:
        raise InvalidInputError("the file is too large", where=file)
    with machine_errors(file):
        lines = file.read_text(encoding="latin-1").splitlines()
    targets = reference_outputs()
    for line in lines:
        if line.strip():
            yield {"input": line.strip(), "output": targets.get(text_key(line))}


def text_key(text: str) -> str:
    """What a text is known by: the start of its SHA-256."""
    return hashlib.sha256(text.strip().encode("utf-8")).hexdigest()[:16]


def reference_outputs() -> dict[str, str]:
    """Answers of the single-precision SmolLM2-135M-Instruct to the texts of Lee50, by :func:`text_key`."""
    content = resources.files(__package__).joinpath(LEE_REFERENCE).read_text(encoding="utf-8")
    outputs: dict[str, str] = json.loads(content)["outputs"]
    return outputs
