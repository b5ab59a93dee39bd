"""What a user asks of a search: the run, what is tried, what has to hold, and how long it may take."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from assay.backends.protocol import Precision
from assay.campaign.request import RunRequest
from assay.campaign.tuning.aim import TradeOff
from assay.errors import UsageError
from assay.rules.model import Scenario

HOW_LONG = frozenset({"trials", "time_ns", "finalists", "repeats", "confirm_ns"})
"""Fields that say how long a search may take, and not what it is about."""


class TuneRequest(BaseModel):
    """A search for the best setting of one model in one scenario.

    Attributes:
        run: model, data, round and scenario of every run; its own setting is left as it is by default.
        backends: engines to try; all that are installed and read the model when empty.
        precisions: number formats to try; all that an engine reports to compute here when empty.
        threads: compute threads of a stream to try; shares of the processors when empty.
        streams: batches side by side to try; powers of two up to the processors when empty.
        batch_sizes: samples at once to try; powers of two when empty.
        batch_waits_ns: Server: waits for a batch to try; none and shares of the latency bound when empty.
        trade_off: what is weighed against the figure.
        accuracy: share of the usual setting's accuracy to keep; None for what the round asks; 0 for none.
        accuracy_samples: samples that the accuracy is measured on; all when not given.
        max_p99_ns: most latency of a query at the 99th percentile.
        max_memory: most memory of a run, in bytes.
        max_watts: most mean power.
        trial_ns: length of a trial.
        seed: of the proposals.
        trials: settings that are tried.
        time_ns: no trial begins after it; the confirmation comes on top.
        finalists: settings that are run again beside the usual one.
        repeats: how often they are run again; 0 leaves the confirmation out.
        confirm_ns: length of those runs.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    run: RunRequest
    backends: tuple[str, ...] = ()
    precisions: tuple[Precision, ...] = ()
    threads: tuple[int, ...] = ()
    streams: tuple[int, ...] = ()
    batch_sizes: tuple[int, ...] = ()
    batch_waits_ns: tuple[int, ...] = ()
    trade_off: TradeOff | None = None
    accuracy: float | None = Field(default=None, ge=0, le=1.5)
    accuracy_samples: int | None = Field(default=None, ge=1)
    max_p99_ns: int | None = Field(default=None, gt=0)
    max_memory: int | None = Field(default=None, gt=0)
    max_watts: float | None = Field(default=None, gt=0)
    trial_ns: int = Field(default=5 * 10**9, ge=10**8)
    seed: int = Field(default=1, ge=0, le=2**31)
    trials: int = Field(default=30, ge=1, le=10_000)
    time_ns: int | None = Field(default=None, gt=0)
    finalists: int = Field(default=3, ge=1, le=20)
    repeats: int = Field(default=3, ge=0, le=50)
    confirm_ns: int = Field(default=20 * 10**9, ge=10**8)

    @property
    def scenario(self) -> Scenario:
        """The one scenario."""
        return self.run.scenarios[0]

    @property
    def wants_watts(self) -> bool:
        """Whether power counts."""
        return self.trade_off is TradeOff.WATTS or self.max_watts is not None

    def what(self) -> dict[str, Any]:
        """Everything but how long the search may take: a search with the same goes on with what was measured."""
        return self.model_dump(mode="json", exclude=set(HOW_LONG))

    @model_validator(mode="after")
    def _no_contradictions(self) -> TuneRequest:
        """Refuse what no search can mean.

        Raises:
            UsageError: naming the option and the way out.
        """
        if len(self.run.scenarios) != 1 or self.run.mode != "performance":
            raise UsageError("a search is about the speed of one scenario", hint="give --scenario once")
        scenario = self.scenario
        if self.wants_watts and self.run.power is None:
            raise UsageError(
                "only a meter tells watts",
                expected="--power HOST:PORT or a meter's name",
                hint="--power rapl where there is one, or weigh memory: --trade-off memory",
            )
        if scenario is Scenario.OFFLINE and self.max_p99_ns is not None:
            raise UsageError("--max-latency means nothing in Offline, whose samples all come at once")
        if scenario is not Scenario.SERVER and self.batch_waits_ns:
            raise UsageError("--batch-wait means something in Server only", hint="leave it out")
        if scenario is Scenario.SINGLE_STREAM and set(self.batch_sizes) - {1}:
            raise UsageError("--batch-size means nothing in SingleStream, whose queries have one sample")
        if scenario in (Scenario.SINGLE_STREAM, Scenario.MULTI_STREAM) and set(self.streams) - {1}:
            raise UsageError(
                f"--streams means nothing in {scenario.value}: the next query comes when the last is answered"
            )
        if self.run.backend_options and len(self.backends) != 1:
            raise UsageError("--backend-option is for one engine", hint="name it: --backend onnxruntime")
        return self
