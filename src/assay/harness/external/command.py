"""From a manifest and a run's settings to the words that are started: placeholders filled, options added."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from assay.errors import NotFoundError, UsageError, unknown
from assay.harness.external.model import Implementation
from assay.rules.model import Mode, Scenario

PLACEHOLDERS: Mapping[str, str] = {
    "scenario": "the scenario, by the program's own name",
    "mode": "performance or accuracy",
    "round": "the round, such as v3.1",
    "benchmark": "the benchmark's official name",
    "conf_model": "the benchmark's name in mlperf.conf and user.conf",
    "model": "file or folder of the model",
    "dataset": "folder or file of the dataset",
    "output": "an empty folder for what the program writes",
    "user_conf": "LoadGen's user.conf with this run's settings",
    "mlperf_conf": "LoadGen's mlperf.conf with the round's settings",
    "folder": "the implementation's folder",
    "target_qps": "queries per second (Offline: samples)",
    "target_latency_ms": "latency bound (Server) or expected latency of a query (streams), in milliseconds",
    "duration_ms": "shortest duration in milliseconds",
    "duration_s": "shortest duration in whole seconds",
    "samples": "fewest queries (Offline: samples)",
    "sample_limit": "how many samples of the dataset an accuracy run takes",
    "batch_size": "most samples of a batch",
    "threads": "compute threads",
    "streams": "batches side by side",
    "precision": "number format",
    "qsl_rng_seed": "the round's seed of the sample library",
    "sample_index_rng_seed": "the round's seed of sample indices",
    "schedule_rng_seed": "the round's seed of the schedule",
}
SETTINGS = (
    "target_qps", "target_latency", "duration", "samples", "sample_limit", "batch_size", "threads", "streams", "precision",
)  # fmt: skip
"""Names that ``options`` may have: what a user can give to ``assay run``."""
_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Invocation:
    """What is started.

    Attributes:
        command: program and arguments.
        folder: where it is started.
        environment: variables that are set over those of this process.
        output: the folder that the program was told to write to.
        logs: where LoadGen's logs will appear.
        time_limit_ns: longest time; None for no limit.
        afterwards: ends what is not of the program's group, such as a container; used when the program did not end well.
    """

    command: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]
    output: Path
    logs: Path
    time_limit_ns: int | None = None
    afterwards: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chosen:
    """An implementation as a user chose it.

    Attributes:
        root: the folder that holds the program.
        words: every parameter's word.
    """

    implementation: Implementation
    root: Path
    words: Mapping[str, str]

    @property
    def folder(self) -> Path:
        """Where the program is started."""
        return (self.root / self.implementation.folder).resolve()

    def shown(self, text: str) -> str:
        """A text of the manifest for a person: what the user chose filled in, the rest left as it stands."""
        return _PLACEHOLDER.sub(lambda match: self.words.get(match[1], match[0]), text)

    def filled(self, text: str, values: Mapping[str, str]) -> str:
        """A text of the manifest with its placeholders filled.

        Raises:
            UsageError: for a placeholder that nothing was given for.
        """

        def value(match: re.Match[str]) -> str:
            name = match[1]
            found = {"folder": str(self.root), **self.words, **values}.get(name)
            if found is None:
                about = PLACEHOLDERS.get(name, name)
                raise UsageError(f"{self.implementation.name} has to be told {about} ({name})", hint=_HINTS.get(name))
            return found

        return _PLACEHOLDER.sub(value, text)

    def invocation(
        self,
        scenario: Scenario,
        mode: Mode,
        values: Mapping[str, str],
        given: frozenset[str],
        output: Path,
        time_limit_ns: int | None = None,
    ) -> Invocation:
        """The words of a run. A word of placeholders that comes out empty is left out: an option that was not chosen.

        Args:
            scenario: one that it has.
            mode: performance or accuracy.
            values: word of every other placeholder that is known.
            given: settings that the user gave, whose options are added.
            output: the folder that the program writes to.
            time_limit_ns: in place of the manifest's own.

        Raises:
            UsageError: for a placeholder that nothing was given for.
        """
        of = self.implementation
        added = [word for name, words in of.options.items() if name in given for word in words]
        values = {**values, "scenario": scenario_word(of, scenario), "mode": mode.value, "output": str(output)}
        words = (*of.command, *of.scenario_arguments.get(scenario, ()), *of.modes[mode], *added)
        return Invocation(
            command=tuple(filled for word in words if (filled := self.filled(word, values)) or not word),
            folder=self.folder,
            environment={name: self.filled(text, values) for name, text in of.environment.items()},
            output=output,
            logs=output / of.logs,
            time_limit_ns=time_limit_ns or of.time_limit_ns,
        )


_HINTS = {"model": "--model FILE", "dataset": "--dataset FOLDER", "target_qps": "--target-qps 100"}


def choose(implementation: Implementation, root: Path | None, words: Mapping[str, str]) -> Chosen:
    """An implementation with its folder and its parameters.

    Args:
        implementation: which.
        root: the folder that the user names; that of the manifest when it lies there.
        words: parameters that the user gives.

    Raises:
        NotFoundError: for a folder that is not there, or a parameter that it does not have.
        UsageError: for a parameter that has to be given.
    """
    for name in words:
        if name not in implementation.parameters:
            raise unknown(f"parameter of {implementation.name}", name, implementation.parameters)
    chosen: dict[str, str] = {}
    for name, parameter in implementation.parameters.items():
        word = words.get(name, parameter.default)
        if word is None:
            raise UsageError(
                f"{implementation.name} has to be told {name}: {parameter.help}",
                hint=f"--implementation-option {name}=...",
            )
        chosen[name] = word
    folder = (root or implementation.path.parent).expanduser().resolve()
    if not (folder / implementation.folder).is_dir():
        raise NotFoundError(
            f"the program of {implementation.name} is not here",
            where=folder / implementation.folder,
            expected=implementation.source or "the folder that its manifest names",
            hint="name its folder with --implementation-dir",
        )
    return Chosen(implementation, folder, chosen)


def scenario_word(implementation: Implementation, scenario: Scenario) -> str:
    """The program's own name of a scenario.

    Raises:
        UsageError: when it does not have it.
    """
    word = implementation.scenarios.get(scenario)
    if word is None:
        names = ", ".join(each.value for each in implementation.scenarios)
        raise UsageError(f"{implementation.name} has no {scenario.value}", expected=f"one of {names}")
    return word


def placeholders_in(text: str) -> list[str]:
    """Names of the placeholders in a text."""
    return _PLACEHOLDER.findall(text)
