"""Carries a campaign out, step by step; what is done is in the journal before the next step begins."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from assay.base.files import locked
from assay.base.progress import Progress
from assay.campaign.flow.doing import Doing
from assay.campaign.flow.forms import Campaign
from assay.campaign.flow.journal import Done
from assay.campaign.flow.notify import Hook
from assay.campaign.flow.places import remember
from assay.campaign.flow.running import disown, own, stopped_in_order
from assay.campaign.flow.steps import Kind, Standing, State
from assay.campaign.flow.survey import Flow
from assay.campaign.flow.told import left_of, values_of
from assay.errors import AssayError
from assay.submission.building.write import require_free
from assay.submission.truncate.run import submission_rules

INTERRUPTED = "interrupted"
ABORTED = "aborted"


def carry_out_campaign(
    flow: Flow,
    progress: Progress,
    *,
    tree_lock: Path | None = None,
    notify: tuple[str, ...] = (),
    again: Sequence[str] = (),
) -> list[str]:
    """Do every step that is not done; returns the names of those that were done now.

    Args:
        flow: the campaign.
        progress: told while it goes on.
        tree_lock: file that keeps others away from the tree.
        notify: program to tell, in place of the campaign's own.
        again: names of steps to do also when they are done; what they came to before stays in the journal.

    Raises:
        AssayError: what stopped it; everything done before is kept.
        MachineError: when another process carries the same campaign out.
        KeyboardInterrupt: after an interrupted run has been kept as such.
    """
    folder = flow.journal.folder
    with locked(folder / "lock", timeout_s=0), stopped_in_order():
        own(folder)
        try:
            remember(flow.campaign, flow.settings)
            for name in again:
                # Noted first: whoever is interrupted and resumes need not ask a second time.
                flow.journal.again(name)
            return _Carrier(flow, progress, tree_lock, _hook(flow.campaign, notify, progress)).all()
        finally:
            disown(folder)


def _hook(campaign: Campaign, notify: tuple[str, ...], progress: Progress) -> Hook:
    command = notify or campaign.form.notify
    if command and "/" in command[0]:
        # A path of the file begins at its folder, one that is given now where the user is.
        program = Path(command[0]).expanduser().absolute() if notify else campaign.place(command[0])
        command = (str(program), *command[1:])
    return Hook(command, campaign.path.parent, progress.message)


class _Carrier:
    """One pass over the steps of a campaign."""

    def __init__(self, flow: Flow, progress: Progress, tree_lock: Path | None, hook: Hook) -> None:
        self._flow = flow
        self._progress = progress
        self._hook = hook
        self._doing = Doing(flow, progress, tree_lock)

    def all(self) -> list[str]:
        flow, done = self._flow, list[str]()
        self._require_free()
        bar = self._progress.start(f"Campaign {flow.campaign.form.name}", total=len(flow.steps), unit="steps")
        try:
            for number, step in enumerate(flow.steps, 1):
                standings = flow.standings()
                if standings[step.name].state is not State.DONE:
                    again = " again" if standings[step.name].again else ""
                    self._progress.message(f"[{number}/{len(flow.steps)}] {step.name}{again}, {left_of(standings)}")
                    self._do(standings[step.name], standings)
                    done.append(step.name)
                bar.update(done=number)
        finally:
            bar.finish()
        self._tell("end")
        return done

    def _do(self, standing: Standing, standings: Mapping[str, Standing]) -> None:
        step, journal, began = standing.step, self._flow.journal, time.monotonic()
        assert standing.inputs is not None  # every step comes after those that it needs
        journal.begin(step.name, str(self._flow.campaign.out) if step.kind is Kind.BUILD else "")
        try:
            made = self._doing.make(standing, standings)
        except KeyboardInterrupt:
            why = ABORTED if journal.asked_to_abort() else INTERRUPTED
            journal.stopped(step.name, why)
            self._tell("stopped", step=step.name, why=why)
            raise
        except AssayError as error:
            journal.stopped(step.name, str(error))
            self._tell("failed", step=step.name, error=error.to_dict())
            raise
        took = round(time.monotonic() - began, 3)
        done = Done(step.name, standing.inputs, made.output, made.runs, took, made.note)
        journal.done(done)
        self._tell("step", step=step.name, runs=made.runs, note=made.note, seconds=took)

    def _tell(self, event: str, **values: object) -> None:
        if self._hook.command:
            self._hook.tell(event, {**values_of(self._flow), **values})

    def _require_free(self) -> None:
        """A tree that is there is replaced only when this campaign began to build it."""
        out = self._flow.campaign.out
        if str(out) not in self._flow.journal.begun("build"):
            require_free(out, submission_rules(self._flow.round).divisions, force=False)
