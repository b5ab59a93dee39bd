"""Recipes from the command line: a YAML file, single keys, or both, the later ones over the earlier."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from assay.base.yamlfile import Located, merge, read_yaml
from assay.errors import UsageError

_MAX_VALUE = 4096


def read_recipe(words: Iterable[str]) -> dict[str, Any]:
    """A recipe out of ``recipe.yaml`` and ``key=value`` words.

    A key may lead into a mapping (``output.kind=argmax``); a value is written as in YAML (``mean=[0.5, 0.5, 0.5]``).

    Raises:
        UsageError: for a word that is neither a file nor ``key=value``, or a value that is no YAML.
        NotFoundError: when the file is not there.
        InvalidInputError: when it is no YAML mapping.
    """
    recipe = Located(Path("--recipe"), {})
    for word in words:
        recipe = merge(recipe, _single(word) if "=" in word else _file(word))
    return recipe.value


def recipe_words(recipe: Mapping[str, Any]) -> list[str]:
    """The options that give this recipe again."""
    words = []
    for key, value in recipe.items():
        words += ["--recipe", f"{key}={json.dumps(value)}"]
    return words


def _file(word: str) -> Located:
    path = Path(word).expanduser()
    if path.suffix.lower() not in (".yaml", ".yml", ".json") and not path.exists():
        raise UsageError(f"--recipe {word!r} is neither a YAML file nor key=value")
    return read_yaml(path)


def _single(word: str) -> Located:
    key, _, text = word.partition("=")
    parts = [part.strip() for part in key.split(".")]
    if not all(parts) or len(parts) > 8:
        raise UsageError(f"--recipe {word!r} has no key", expected="key=value")
    if len(text) > _MAX_VALUE or "&" in text or "*" in text:
        raise UsageError(f"the value of --recipe {key} is too long or has an alias", hint="put it into a YAML file")
    try:
        value: Any = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UsageError(f"the value of --recipe {key} is no YAML", found=text) from error
    for part in reversed(parts):
        value = {part: value}
    return Located(Path("--recipe"), value)
