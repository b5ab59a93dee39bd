"""A plain run of a program of others made again under a compliance test: the same words, beside the test's audit.config.

The words, the folder and LoadGen's files are those of the plain run, taken from its folder, so that the test has every
setting of it, also a target that was found. Seeds that are passed on in words become those of the test, because LoadGen
from v5.0 on reads no seeds from ``audit.config``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from assay.base.files import machine_errors, read_json, write_atomic, write_json
from assay.base.progress import Progress
from assay.base.settings import Settings
from assay.campaign.compliance_reference import read_plain_spec
from assay.campaign.compliance_repeat import Trial, first_record, round_of
from assay.campaign.external import INVOCATION_FILE
from assay.campaign.external_words import MLPERF_CONF, OUTPUT_FOLDER
from assay.campaign.finish import Finished, finish
from assay.campaign.told import as_logged
from assay.errors import AssayError, InvalidInputError
from assay.harness.external.audit import placed
from assay.harness.external.command import Invocation
from assay.harness.external.process import execute_foreign
from assay.harness.outcome import Ending
from assay.harness.spec import USER_CONF, RunSpec
from assay.loadgen.audit import AUDIT_CONF, Audit
from assay.loadgen.logs import read_detail
from assay.loadgen.names import DETAIL
from assay.loadgen.record import Label, RunRecord, RunStatus
from assay.loadgen.runs import RunCatalogue, RunFolder
from assay.rules.model import Benchmark, Mode, Round, Seeds

_OF_SETTINGS = frozenset({Label.SHORT_RUN, Label.RELAXED_RULES})


class ForeignRuns:
    """Runs of a program that is not assay's, repeated from what is kept of the plain one.

    Args:
        performance: the plain run.
        accuracy: the accuracy run, which knows the data; None when no test needs it.
        round_: whose rules hold.
        benchmark: of the run.
        settings: where runs are kept.
        time_limit_ns: longest time of a run; None for no limit.
    """

    def __init__(
        self,
        performance: RunRecord,
        accuracy: RunRecord | None,
        round_: Round,
        benchmark: Benchmark,
        settings: Settings,
        time_limit_ns: int | None = None,
    ) -> None:
        self._plain = performance
        self._round = round_
        self._benchmark = benchmark
        self._settings = settings
        self._catalogue = RunCatalogue(settings.runs_dir)
        self._time_limit_ns = time_limit_ns
        self._spec = read_plain_spec(self._catalogue.folder / (accuracy or performance).id)

    @property
    def spec(self) -> RunSpec:
        """That of the accuracy run: a performance run need not know the data."""
        return self._spec

    def run(self, trial: Trial, progress: Progress) -> Finished:
        """Start the program beside the test's ``audit.config``; what lay in its place is put back, whatever happens."""
        plain = self._catalogue.folder / self._plain.id
        record = first_record(self._plain, trial, self._catalogue)
        kept = read_json(plain / INVOCATION_FILE)
        words = changed(kept, plain, self._catalogue.folder / record.id, _seeds(trial.audit, self._round))
        invocation = self._invocation(words, self._catalogue.folder / record.id)
        folder = self._catalogue.create(record)
        try:
            with machine_errors(folder.path):
                for name in (USER_CONF, MLPERF_CONF):
                    write_atomic(folder.path / name, (plain / name).read_bytes())
            write_atomic(folder.path / AUDIT_CONF, trial.audit.text())
            write_json(folder.path / INVOCATION_FILE, words)
            with placed(invocation.folder, trial.audit.text(), self._settings.home / "locks"):
                label = f"{record.scenario} {trial.audit.test}"
                outcome = execute_foreign(invocation, folder.path, label=label, progress=progress)
            if outcome.ending is Ending.FINISHED:
                record = self._as_logged(record, folder)
        except AssayError as error:
            folder.write(replace(record, status=RunStatus.FAILED, failure=str(error)))
            raise
        except BaseException:
            folder.write(replace(record, status=RunStatus.FAILED, failure="the run could not be started"))
            raise
        spec = replace(self._spec, mode=Mode.PERFORMANCE, audit=trial.audit.text())
        outcome = replace(outcome, backend=record.backend)
        return finish(record, folder, spec, outcome, round_of(trial.audit, self._round), self._benchmark, progress)

    def _invocation(self, words: Mapping[str, Any], place: Path) -> Invocation:
        return Invocation(
            command=tuple(words["command"]),
            folder=Path(words["folder"]),
            environment=words["environment"],
            output=place / OUTPUT_FOLDER,
            logs=Path(words["logs"]),
            time_limit_ns=self._time_limit_ns,
            afterwards=tuple(words["afterwards"]),
        )

    def _as_logged(self, record: RunRecord, folder: RunFolder) -> RunRecord:
        labels = tuple(label.value for label in record.labels if label not in _OF_SETTINGS)
        return as_logged(record, read_detail(folder.path / DETAIL), self._benchmark, labels)


def changed(kept: Any, plain: Path, place: Path, seeds: Mapping[str, str]) -> dict[str, Any]:
    """What was started for a plain run, as it is started for the run of a test.

    Args:
        kept: the plain run's ``invocation.json``.
        plain: folder of the plain run.
        place: folder of the test's run.
        seeds: the plain run's seeds to those of the test.

    Raises:
        InvalidInputError: when it is none, or of a run that was made elsewhere.
    """
    where = plain / INVOCATION_FILE
    if not _is_invocation(kept):
        raise InvalidInputError("this is not what was started for a run", where=where)

    def change(text: str) -> str:
        moved = text.replace(str(plain), str(place))
        return _NUMBER.sub(lambda match: seeds.get(match[0], match[0]), moved)

    found = {
        **kept,
        "command": [change(word) for word in kept["command"]],
        "environment": {name: change(text) for name, text in kept["environment"].items()},
        "logs": change(kept["logs"]),
        # The end of a container; the plain run's is gone, and its name is free again.
        "afterwards": kept.get("afterwards", []),
    }
    if place not in Path(found["logs"]).parents:
        raise InvalidInputError(
            "the plain run was made in another place",
            where=where,
            expected=str(plain),
            found=kept["logs"],
            hint="make the plain run again: leave out --performance",
        )
    return found


_NUMBER = re.compile(r"(?<!\d)\d{10,20}(?!\d)")


def _is_invocation(kept: Any) -> bool:
    if not isinstance(kept, dict):
        return False
    command, environment, afterwards = kept.get("command"), kept.get("environment"), kept.get("afterwards", [])
    texts = [kept.get("folder"), kept.get("logs")]
    lists = isinstance(command, list) and isinstance(afterwards, list)
    if not lists or not command or not isinstance(environment, dict):
        return False
    return all(isinstance(text, str) for text in (*texts, *command, *afterwards, *environment.values()))


def _seeds(audit: Audit, round_: Round) -> dict[str, str]:
    """The round's seeds to those of a test that has its own."""
    if not audit.attributes:
        return {}
    old, new = _numbers(round_.seeds), _numbers(round_.test05_seeds)
    return dict(zip(old, new, strict=True))


def _numbers(seeds: Seeds) -> tuple[str, str, str]:
    return str(seeds.qsl), str(seeds.sample_index), str(seeds.schedule)
