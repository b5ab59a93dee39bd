"""What a user asks for: one model, flags and YAML and API at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from assay.backends.protocol import Precision
from assay.campaign.formats import AUTO
from assay.errors import UsageError
from assay.rules.model import Category, Division, Mode, Scenario
from assay.tasks.registry import tasks

DEFAULT_ROUND = "v3.1"
QUICK_DURATION_NS = 5 * 10**9


class RunRequest(BaseModel):
    """Benchmark runs that belong together: one model on one engine, in one or more scenarios and modes.

    Attributes:
        name: a benchmark of the round (``resnet50``) or a model of the catalogue (``mobilenet-v2``), or a task
            (``image-classification``) for a model of the user's own.
        backend: engine; ``auto`` is the usual one for the model's form.
        precision: number format of the heavy layers; the model's own when not given.
        model: the user's own model, a file or a folder.
        recipe: how that model wants its samples, over the named model's own recipe.
        scenarios: scenarios to run, in this order.
        mode: performance, accuracy, or both (accuracy first).
        duration_ns: shortest performance run, in place of the round's.
        samples: fewest queries (Offline: samples) of a performance run; in accuracy mode the first samples only.
        quick: a run of a few seconds, for a first look.
        target_qps: rate LoadGen plans with (Offline) or sends at (Server).
        target_latency_ns: expected latency of a query (SingleStream, MultiStream) or latency bound (Server).
        batch_wait_ns: Server: longest wait of a query for its batch.
        power: what measures the power of performance runs: a director's address, ``simulate``, or the name of a meter.
        power_ntp: time server that clocks are compared with.
        power_official: clone of mlcommons/power-dev whose client (and, without a director, server) measures.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    scenarios: tuple[Scenario, ...] = (Scenario.OFFLINE,)
    mode: Literal["performance", "accuracy", "both"] = "performance"
    round: str = DEFAULT_ROUND
    category: Category | None = None
    division: Division = Division.OPEN
    backend: str = AUTO
    precision: Precision | None = None
    threads: int = Field(default=0, ge=0, le=4096)
    streams: int = Field(default=1, ge=1, le=1024)
    batch_size: int | None = Field(default=None, ge=1, le=65536)
    batch_wait_ns: int | None = Field(default=None, ge=0)
    backend_options: dict[str, str] = Field(default_factory=dict)
    model: Path | None = None
    recipe: dict[str, Any] = Field(default_factory=dict)
    dataset: str | None = None
    duration_ns: int | None = Field(default=None, ge=0)
    samples: int | None = Field(default=None, ge=1)
    quick: bool = False
    target_qps: float | None = Field(default=None, gt=0)
    target_latency_ns: int | None = Field(default=None, gt=0)
    skip_bad: bool = False
    trace: bool = True
    power: str | None = Field(default=None, min_length=1, max_length=500)
    power_ntp: str | None = Field(default=None, min_length=1, max_length=255)
    power_official: Path | None = None

    @model_validator(mode="after")
    def _no_contradictions(self) -> RunRequest:
        """Refuse options that cannot hold together.

        Raises:
            UsageError: naming both options and the way out.
        """
        if self.quick and self.duration_ns is not None:
            raise UsageError("--quick and --duration contradict each other", hint="give --duration alone")
        if self.target_qps is not None and not {Scenario.OFFLINE, Scenario.SERVER} & set(self.scenarios):
            raise UsageError(
                f"--target-qps means nothing in {self.scenarios[0].value}, which sends one query after another",
                hint="give the expected latency: --target-latency 2ms",
            )
        if self.target_latency_ns is not None and set(self.scenarios) == {Scenario.OFFLINE}:
            raise UsageError(
                "--target-latency means nothing in Offline", hint="give the expected rate: --target-qps 200"
            )
        if self.batch_wait_ns and Scenario.SERVER not in self.scenarios:
            raise UsageError(
                "--batch-wait means something in Server only", hint="leave it out, or add --scenario Server"
            )
        # A task alone has no recipe either: its model is on a server. So may be that of a benchmark, which only the
        # catalogue knows, where an engine is named.
        nameless = self.model is None and self.backend == AUTO
        if self.recipe and nameless and self.name.casefold() not in tasks().names():
            raise UsageError(
                f"--recipe is for a model of your own; {self.name} has its recipe", hint="give the model with --model"
            )
        if self.power is None:
            for option, value in (("--power-ntp", self.power_ntp), ("--power-official", self.power_official)):
                if value is not None:
                    raise UsageError(f"{option} means nothing without --power", hint="--power HOST:4950")
        if self.mode == "accuracy":
            self._no_contradictions_of_accuracy()
        self._no_idle_parts()
        return self

    def _no_contradictions_of_accuracy(self) -> None:
        if self.duration_ns is not None or self.quick:
            raise UsageError(
                "an accuracy run has no duration: it goes through every sample once",
                hint="limit it with --samples N (the result is then labelled)",
            )
        if self.power is not None:
            raise UsageError(
                "--power means nothing in an accuracy run, which is not timed",
                hint="leave it out, or measure as well: --mode both",
            )
        for option, value in (("--target-qps", self.target_qps), ("--target-latency", self.target_latency_ns)):
            if value is not None:
                raise UsageError(
                    f"{option} means nothing in an accuracy run, which is not timed",
                    hint="leave it out, or measure as well: --mode both",
                )

    def _no_idle_parts(self) -> None:
        """One query after another, of one sample (SingleStream) or of several, keeps one stream busy."""
        names = " and ".join(scenario.value for scenario in dict.fromkeys(self.scenarios))
        if set(self.scenarios) == {Scenario.SINGLE_STREAM} and self.batch_size is not None and self.batch_size > 1:
            raise UsageError(
                "--batch-size means nothing in SingleStream, whose queries have one sample",
                hint="leave it out, or add a scenario that has batches: --scenario Offline",
            )
        if set(self.scenarios) <= {Scenario.SINGLE_STREAM, Scenario.MULTI_STREAM} and self.streams > 1:
            raise UsageError(
                f"--streams means nothing in {names}: the next query comes when the last is answered",
                hint="give the one stream its threads: --threads N, or add --scenario Offline",
            )

    @property
    def modes(self) -> tuple[Mode, ...]:
        """The modes asked for, accuracy first: a fast wrong model should be found before the long run."""
        if self.mode == "both":
            return (Mode.ACCURACY, Mode.PERFORMANCE)
        return (Mode(self.mode),)

    @property
    def power_words(self) -> list[str]:
        """The options of ``assay run`` that ask for the same measurement of power."""
        named = (
            ("--power", self.power),
            ("--power-ntp", self.power_ntp),
            ("--power-official", self.power_official),
        )
        return [word for option, value in named if value is not None for word in (option, str(value))]

    @property
    def wanted_duration_ns(self) -> int | None:
        """Duration asked for, by either option; None for the round's."""
        return QUICK_DURATION_NS if self.quick else self.duration_ns
