"""How a result can be made again or held against its logs: commands, and what they do not give."""

from __future__ import annotations

import functools
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from assay.base.plugins import Registry
from assay.results.verdicts import known_round

_TASKS = "assay.tasks"


@dataclass(frozen=True, slots=True)
class Command:
    """A command line with what it does."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Again:
    """How a result is made again.

    Attributes:
        commands: to be run in this order.
        remarks: what they give, and what they do not.
        runnable: assay has what the benchmark needs.
    """

    commands: tuple[Command, ...]
    remarks: tuple[str, ...]
    runnable: bool


def again(values: Mapping[str, Any]) -> Again:
    """The commands for a result.

    Args:
        values: fields of the result, by name.
    """
    round_ = known_round(values["round"])
    benchmark = round_.benchmarks.get(values["benchmark"]) if round_ else None
    task = benchmark.task if benchmark else values["task"]
    runnable = benchmark is not None and not benchmark.placeholder and task in _installed()
    own = values["origin"] == "local" and values["backend"] is not None
    commands: list[Command] = []
    remarks: list[str] = []
    if own:
        commands.append(Command("Run it again with the same model and engine", _own(values)))
        remarks.append("Another machine, or the same one with other things to do, gives other figures.")
    elif runnable and benchmark is not None:
        name = benchmark.aliases[0] if benchmark.aliases else benchmark.name
        commands.append(Command("Run the benchmark on this machine by the same rules", _run(name, values)))
        remarks += [
            "It is the same benchmark, data and scenario, judged by the rules of the same round; the engine is assay's, "
            "not the submitter's implementation, and the machine is yours. So speed and power will differ.",
            f"The reference model and its dataset ({benchmark.model}; {benchmark.dataset}) have to be there: assay says "
            "what is missing and how to get it.",
        ]
    else:
        remarks.append(
            f"assay has no task for {values['benchmark']} yet, so it cannot be run from here; the submitter's code stands "
            "beside the logs. The figures can be held against the published logs."
        )
    check = _check(values)
    if check:
        commands += check
        remarks.append("The check reads the published raw logs again and gives both verdicts and every figure anew.")
    commands.append(Command("Show it in a terminal", f"assay results show {shlex.quote(values['uid'])}"))
    return Again(tuple(commands), tuple(remarks), own or runnable)


@functools.cache
def _installed() -> frozenset[str]:
    """Names of the tasks that are installed; nothing of them is imported."""
    return frozenset(Registry[object](_TASKS, "task").names())


def _run(name: str, values: Mapping[str, Any]) -> str:
    return _line(
        "assay", "run", name, "--scenario", values["scenario"], "--round", values["round"],
        "--category", (values["category"] or ["edge"])[0], "--division", values["division"], "--mode", "both",
    )  # fmt: skip


def _own(values: Mapping[str, Any]) -> str:
    words = [
        "assay", "run", values["model"] or values["benchmark"], "--scenario", values["scenario"],
        "--round", values["round"], "--category", (values["category"] or ["edge"])[0],
        "--division", values["division"], "--backend", values["backend"],
    ]  # fmt: skip
    if values["precision"]:
        words += ["--precision", values["precision"]]
    if values["accuracy"] is not None:
        words += ["--mode", "both"]
    return _line(*words)


def _check(values: Mapping[str, Any]) -> list[Command]:
    """Getting the published tree and checking the part that the result is in."""
    repository = repository_of(values["url"])
    submitter = values["organisation_given"] or values["organisation"]
    if repository is None or not submitter or not values["system"]:
        return []
    folder = repository.rsplit("/", 1)[-1]
    commands = [
        Command("Get the published logs", _line("git", "clone", "--filter=blob:none", repository)),
    ]
    if values["commit"]:
        commands.append(
            Command("At the commit that was read", _line("git", "-C", folder, "checkout", values["commit"]))
        )
    commands.append(
        Command(
            "Check them",
            _line(
                "assay", "check", folder, "--round", values["round"], "--submitter", submitter,
                "--only", f"*{values['location']}*",
            ),
        )
    )  # fmt: skip
    return commands


def _line(*words: str) -> str:
    return shlex.join(words)


def safe_address(text: str | None) -> str | None:
    """An address that may stand in a link: http or https, and nothing that is no address."""
    if not text or len(text) > 2000 or any(each <= " " for each in text):
        return None
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    return text if parts.scheme in ("http", "https") and parts.netloc else None


def repository_of(address: str | None) -> str | None:
    """The repository of a tree's address on GitHub; None for any other."""
    safe = safe_address(address)
    if safe is None or urlsplit(safe).netloc != "github.com" or "/tree/" not in safe:
        return None
    return safe.partition("/tree/")[0]


def file_address(address: str | None, path: str) -> str | None:
    """The address of a file below a tree on GitHub; None for any other tree."""
    repository = repository_of(address)
    if repository is None or address is None or any(part in ("", ".", "..") for part in path.split("/")):
        return None
    return safe_address(f"{repository}/blob/{address.partition('/tree/')[2].rstrip('/')}/{path}")
