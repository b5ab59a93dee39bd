"""What is known of somebody else's harness: the nouns. :mod:`assay.harness.external.forms` reads them from YAML files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from assay.rules.model import Benchmark, Mode, Scenario


@dataclass(frozen=True, slots=True)
class Parameter:
    """A word that the user may choose, such as the interpreter.

    Attributes:
        help: what it is.
        default: the word when the user chooses none; None when one has to be chosen.
    """

    help: str
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Needs:
    """What has to be there before anything is started.

    Attributes:
        files: path below the implementation's folder (or an absolute one) to what it is and how to get it.
        programs: program to how to get it.
    """

    files: Mapping[str, str]
    programs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Container:
    """The container that a program is meant to run in.

    Attributes:
        image: its image, as podman and docker name it.
        options: words that ``run`` is given besides, such as those for graphics cards.
        network: whether the program may reach the network.
        writable: whether it may write to its own folder.
    """

    image: str
    options: tuple[str, ...] = ()
    network: bool = False
    writable: bool = False


_PASSED_BY: Mapping[str, tuple[str, ...]] = {
    "target_latency": ("target_latency_ms",),
    "duration": ("duration_ms", "duration_s"),
}
"""Placeholders that pass a setting on whose name is another."""
_IN_USER_CONF = frozenset({"target_qps", "target_latency", "duration", "samples"})


@dataclass(frozen=True, slots=True)
class Implementation:
    """A program that runs a benchmark with LoadGen on its own.

    Every text of ``command``, ``modes``, ``options``, ``environment``, ``build`` and ``needs`` may hold ``{placeholders}``.

    Attributes:
        benchmarks: names of benchmarks that it runs; empty for every one of the task.
        command: program and arguments; started as they are, never through a shell.
        folder: where it is started, below the folder that the user names.
        modes: arguments that each mode adds.
        scenarios: those that it has, each by the program's own name of it.
        scenario_arguments: arguments that a scenario adds.
        options: arguments that are added when the user gives a setting of that name.
        parameters: words that the user may choose.
        environment: variables that are set.
        build: commands that make it ready, run in ``folder``.
        logs: folder of LoadGen's logs, below ``{output}``.
        time_limit_ns: longest time of a run; None for no limit.
        container: what it runs in; None for this machine itself.
        source: where the program and this description of it come from.
        path: the manifest.
    """

    name: str
    title: str
    task: str
    benchmarks: tuple[str, ...]
    command: tuple[str, ...]
    folder: str
    modes: Mapping[Mode, tuple[str, ...]]
    scenarios: Mapping[Scenario, str]
    scenario_arguments: Mapping[Scenario, tuple[str, ...]]
    options: Mapping[str, tuple[str, ...]]
    parameters: Mapping[str, Parameter]
    environment: Mapping[str, str]
    build: tuple[tuple[str, ...], ...]
    logs: str
    time_limit_ns: int | None
    container: Container | None
    needs: Needs
    source: str
    path: Path

    def runs(self, benchmark: Benchmark) -> bool:
        """Whether it runs a benchmark of a round."""
        names = {benchmark.name.casefold(), *(alias.casefold() for alias in benchmark.aliases)}
        named = {name.casefold() for name in self.benchmarks}
        return self.task == benchmark.task and (not named or bool(names & named))

    def takes(self, placeholder: str) -> bool:
        """Whether a run's command or environment uses a placeholder, so that it has to be known."""
        lists = (self.command, *self.modes.values(), *self.scenario_arguments.values())
        texts = [*self.environment.values(), *(word for each in lists for word in each)]
        return any(f"{{{placeholder}}}" in text for text in texts)

    def hears(self, setting: str) -> bool:
        """Whether a setting of a run reaches it: through LoadGen's files, an option, or a placeholder of its command."""
        placeholders = _PASSED_BY.get(setting, (setting,))
        through_file = setting in _IN_USER_CONF and self.takes("user_conf")
        return through_file or setting in self.options or any(self.takes(name) for name in placeholders)
