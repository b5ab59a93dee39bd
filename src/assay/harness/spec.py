"""What one LoadGen execution needs to know, as a file: ``spec.json`` in the run's folder.

The spec goes from the process that plans to the worker process that runs, and stays as provenance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from assay.backends.protocol import NO_FILE, BackendOptions, Precision
from assay.base.files import read_json, write_json
from assay.errors import InvalidInputError
from assay.rules.model import Mode, Scenario

SPEC_FILE = "spec.json"
OUTCOME_FILE = "outcome.json"
PROGRESS_FILE = "progress.jsonl"
WORKER_LOG = "worker.log"
ABORTED_FILE = "ABORTED.txt"
USER_CONF = "user.conf"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class RunSpec:
    """Everything the worker process needs for one LoadGen execution, or for a probe of the engine.

    Attributes:
        scenario: how LoadGen sends queries.
        mode: performance or accuracy.
        task: name of the task that prepares samples.
        recipe: how the model wants its samples; handed to the task as it is.
        model: model file, or folder of one that has several; empty for an engine that drives a server.
        backend: name of the engine.
        options: how the engine is asked to run.
        dataset: folder or file of the dataset; None for synthetic inputs.
        dataset_count: number of synthetic samples when there is no dataset.
        sample_limit: use only the first samples of the dataset.
        skip_bad: leave out samples that cannot be read.
        cache: folder of prepared samples.
        batch_size: samples the engine gets at once, at most.
        max_batch_work: largest sum of the samples' sizes in a batch; 0 for no limit.
        batch_wait_us: Server: longest time a query waits for others to fill a batch, in microseconds.
        conf_model: model name in ``user.conf``.
        user_conf: text of ``user.conf``.
        attributes: every LoadGen setting of the run by TestSettings name; these hold over LoadGen's built-in ones.
        trace: let LoadGen write its trace (latency of every sample).
        probe_s: when positive, do not run LoadGen: measure the engine for so many seconds.
        audit: text of ``audit.config``, whose settings hold over all others; empty but for compliance tests.
    """

    scenario: Scenario
    mode: Mode
    task: str
    recipe: Mapping[str, Any]
    model: Path
    backend: str
    options: BackendOptions
    dataset: Path | None
    cache: Path
    batch_size: int
    conf_model: str
    user_conf: str
    attributes: Mapping[str, int | float | bool | str]
    dataset_count: int = 0
    sample_limit: int | None = None
    skip_bad: bool = False
    max_batch_work: int = 0
    batch_wait_us: int = 0
    trace: bool = True
    probe_s: float = 0.0
    audit: str = ""
    format: int = field(default=FORMAT)

    @property
    def model_files(self) -> Path | None:
        """The model's file or folder; None when it is on a server."""
        return None if self.model == NO_FILE else self.model

    @property
    def first_tokens(self) -> bool:
        """Whether LoadGen times first tokens: in Offline all samples are sent at once, and it asks for none."""
        return bool(self.attributes.get("use_token_latencies")) and self.scenario is not Scenario.OFFLINE

    def write(self, folder: Path) -> Path:
        """Write ``spec.json`` into a run's folder."""
        target = folder / SPEC_FILE
        write_json(target, {key: _plain(value) for key, value in asdict(self).items()})
        return target

    @classmethod
    def read(cls, folder: Path) -> RunSpec:
        """Read ``spec.json`` of a run's folder.

        Raises:
            InvalidInputError: when it is not a spec of this format.
        """
        path = folder / SPEC_FILE
        raw = read_json(path)
        known = {item.name for item in fields(cls)}
        if not isinstance(raw, dict) or raw.get("format") != FORMAT or not set(raw) <= known:
            raise InvalidInputError("not a run specification of this version", where=path, expected=f"format {FORMAT}")
        options = raw["options"]
        raw["options"] = BackendOptions(
            threads=options["threads"],
            streams=options["streams"],
            precision=Precision(options["precision"]),
            extra=options["extra"],
        )
        raw.update(scenario=Scenario(raw["scenario"]), mode=Mode(raw["mode"]))
        for key in ("model", "dataset", "cache"):
            raw[key] = None if raw[key] is None else Path(raw[key])
        return cls(**raw)


def loaded_samples(attributes: Mapping[str, int | float | bool | str], total: int) -> int:
    """Samples that LoadGen loads at once, of a dataset of ``total``."""
    return min(total, int(attributes.get("performance_sample_count_override", 0)) or total)


def _plain(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
