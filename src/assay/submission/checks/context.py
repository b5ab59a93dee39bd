"""What a check of one entry is given, and how it reads small files."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from assay.base.files import open_regular
from assay.loadgen.scan import LogReader
from assay.rules.model import Benchmark, Round, Scenario
from assay.rules.submission import SubmissionRules

_MAX_SMALL = 8 << 20
_SHOWN = 120


@dataclass(frozen=True, slots=True)
class Levels:
    """Whether a code, in a part of an entry, makes the official tool refuse that part."""

    refuses: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class EntryContext:
    """One scenario directory and what it is judged by.

    Attributes:
        root: absolute path of the tree.
        division: name of the division.
        directory: the scenario directory's name as it is spelt.
        scenario: the scenario that it stands for.
        network: the system says that it is reached over a network.
        edge: the system is of the edge category (or of both).
        logs: reads detail logs.
    """

    root: str
    round: Round
    rules: SubmissionRules
    benchmark: Benchmark
    division: str
    submitter: str
    system: str
    model: str
    directory: str
    scenario: str
    network: bool
    edge: bool
    levels: Levels
    logs: LogReader

    @property
    def closed(self) -> bool:
        """The division asks for everything: closed and network."""
        return self.division != "open"

    def full(self, path: str) -> str:
        """A path of the tree on the disk."""
        return f"{self.root}/{path}"

    @property
    def submitter_path(self) -> str:
        """Path of the submitter's folder."""
        return f"{self.division}/{self.submitter}"

    @property
    def result_path(self) -> str:
        """Path of the scenario directory."""
        return f"{self.submitter_path}/results/{self.system}/{self.model}/{self.directory}"

    def scenario_of(self, name: object) -> Scenario | None:
        """A scenario by its exact name."""
        return next((each for each in Scenario if each.value == name), None)


def read_json(path: str) -> tuple[Mapping[str, Any] | None, str]:
    """A JSON object of at most 8 MiB, or None and the problem in words."""
    value, problem = read_any_json(path)
    if problem:
        return None, problem
    if not isinstance(value, dict):
        return None, f"a JSON {_kind(value)} instead of an object"
    return value, ""


def read_any_json(path: str) -> tuple[Any, str]:
    """What a JSON file of at most 8 MiB holds, or None and the problem in words."""
    text, problem = read_text(path)
    if text is None:
        return None, problem
    try:
        return json.loads(text), ""
    except json.JSONDecodeError as error:
        return None, f"{error.msg} in line {error.lineno}, column {error.colno}"
    except RecursionError:
        return None, "too many levels in one another"
    except ValueError as error:
        return None, str(error).partition("\n")[0]


def read_text(path: str) -> tuple[str | None, str]:
    """A text of at most 8 MiB, or None and the problem in words; all line ends become ``\\n``."""
    try:
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            raw = file.read(min(size, _MAX_SMALL) + 1)
    except OSError as error:
        return None, error.strerror or str(error)
    except ValueError as error:
        return None, str(error)
    if len(raw) > _MAX_SMALL:
        return None, "larger than 8 MiB"
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        return None, f"not UTF-8 text at byte {error.start}"
    return (text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text), ""


def shown(value: object) -> str:
    """A value as a finding shows it, shortened."""
    text = value if isinstance(value, str) else repr(value)
    text = "".join(character if character.isprintable() else "?" for character in text)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def names(found: set[str]) -> str:
    """Names in one line, sorted, at most eight."""
    ordered = sorted(found)
    more = f" and {len(ordered) - 8} more" if len(ordered) > 8 else ""
    return ", ".join(shown(name) for name in ordered[:8]) + more


def _kind(value: object) -> str:
    return {list: "list", str: "string", bool: "truth value", type(None): "null"}.get(type(value), "number")
