"""The systems of a campaign: kept descriptions, files, or this machine where the campaign says that it may be described."""

from __future__ import annotations

from collections.abc import Mapping

from assay.base.settings import Settings
from assay.campaign.flow.forms import Campaign, is_kept
from assay.campaign.flow.steps import digest
from assay.errors import NotFoundError
from assay.system.description import Description, State, describe
from assay.system.fields import Field, Kind
from assay.system.probe import probe
from assay.system.store import SystemStore, read_description

_OF_THE_TREE = frozenset({"submitter", "division", "system_type"})
"""Fields that the tree fills in."""
_NOT_TOLD = "not told, as this is a rehearsal"
_OF_A_REHEARSAL = {"status": "rdi"}


def description_of(campaign: Campaign, system: str, settings: Settings) -> Mapping[str, object] | None:
    """The official fields; None where the description is not there yet and the campaign lets it be made.

    Raises:
        NotFoundError: when it is not there.
        InvalidInputError: when it is no JSON object.
    """
    if not is_kept(system):
        return read_description(campaign.place(system))
    store = SystemStore(settings.systems_dir)
    if campaign.form.describe is not None and not store.path(system).is_file():
        return None
    return store.load(system).to_official_json()


def make_description(campaign: Campaign, system: str, settings: Settings) -> Description:
    """This machine, with what the campaign tells of it; kept under the system's name by :func:`keep_description`.

    In a rehearsal what nobody tells is said to be so, in words that no reader takes for a fact.
    """
    form = campaign.form
    found = describe(
        probe(),
        name=system,
        submitter=form.submitter,
        division=form.division.value,
        category=",".join(sorted(each.value for each in form.categories)),
        given=dict(form.describe or {}),
        round_name=form.round,
    )
    if not form.rehearsal:
        return found
    answers = {entry.field.name: _stand_in(entry.field) for entry in found.missing()}
    return found.answered(answers, "a rehearsal")


def keep_description(description: Description, settings: Settings) -> None:
    """Keep it, as assay system init does.

    Raises:
        MachineError: when the folder cannot be written.
    """
    SystemStore(settings.systems_dir).save(description)


def untold(description: Description) -> tuple[str, ...]:
    """The official fields that still want a value of a person."""
    return tuple(
        entry.field.name
        for entry in description.entries
        if entry.state is State.MISSING and entry.field.name not in _OF_THE_TREE
    )


def holds_description(campaign: Campaign, system: str, settings: Settings, output: str) -> bool:
    """Whether a system is described as it was."""
    try:
        found = description_of(campaign, system, settings)
    except NotFoundError:
        return False
    return found is not None and description_digest(found) == output


def description_digest(fields: Mapping[str, object]) -> str:
    """Hash of a description."""
    return digest(dict(fields))


def _stand_in(field: Field) -> str:
    if field.choices:
        return _OF_A_REHEARSAL.get(field.name, field.choices[0])
    return "1" if field.kind is Kind.COUNT else _NOT_TOLD
