"""The tree of a campaign: what is wished of each system, where it is, whether it is there."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from assay.base.files import sha256_file
from assay.campaign.flow.forms import Campaign, folder_of, is_kept
from assay.errors import InvalidInputError, NotFoundError, UsageError
from assay.rules.model import Round
from assay.submission.building.described import system_fields, system_missing
from assay.submission.building.model import Wish
from assay.submission.building.write import listing_of
from assay.submission.truncate.run import submission_rules


def wish_for(
    campaign: Campaign,
    system: str,
    description: Mapping[str, object],
    runs: tuple[str, ...] = (),
    benchmarks: tuple[str, ...] = (),
) -> Wish:
    """The wish for the part of the tree that is of one system.

    Args:
        system: as the campaign names it.
        description: its official fields.

    Raises:
        NotFoundError: when a text that the campaign names is not there.
    """
    form = campaign.form
    return Wish(
        submitter=form.submitter,
        division=form.division,
        categories=form.categories,
        system=folder_of(system),
        description=description,
        runs=runs,
        benchmarks=benchmarks,
        implementation=form.implementation,
        fields=form.fields,
        calibration=text_of(campaign, campaign.form.calibration, "calibration"),
        power_settings=text_of(campaign, campaign.form.power_settings, "the settings of power"),
        rehearsal=form.rehearsal,
        described_in="" if is_kept(system) else str(campaign.place(system)),
    )


def text_of(campaign: Campaign, name: Path | None, about: str) -> str | None:
    """A text of the submitter's, where the campaign names one.

    Raises:
        NotFoundError: when it cannot be read.
    """
    if name is None:
        return None
    path = campaign.place(name)
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise NotFoundError(f"the text on {about} cannot be read", where=path, found=error.strerror) from error


def described(wish: Wish, round_: Round) -> None:
    """See that the round takes the system's description: better now than after the runs.

    Raises:
        InvalidInputError: naming what is missing and how to give it.
    """
    missing = system_missing(system_fields(wish, round_), wish, round_)
    if missing:
        raise InvalidInputError(
            f"{missing[0].where} is not described as round {round_.name} asks",
            found="; ".join(each.what for each in missing),
            hint="; ".join(each.how for each in missing),
        )


def see_that_the_round_has_both(campaign: Campaign, round_: Round) -> None:
    """A system can be in two categories where the round has a word for it.

    Raises:
        UsageError: when it has none.
    """
    wanted = {each.value for each in campaign.form.categories}
    types = submission_rules(round_).system.types
    if len(wanted) > 1 and not any({part.strip() for part in each.split(",")} == wanted for each in types):
        raise UsageError(f"a system of round {round_.name} has one category", expected=" or ".join(types))


def holds_tree(out: Path, digest: str) -> bool:
    """Whether the tree is there with the list of hashes that was written with it."""
    listing = listing_of(out)
    return out.is_dir() and listing.is_file() and sha256_file(listing) == digest


def build_command(campaign: Campaign) -> str:
    """The command that builds the tree of the campaign's runs, once their ids follow it; none for several systems."""
    form = campaign.form
    if len(form.systems) > 1:
        return ""
    words = ["assay", "submission", "build", "--out", str(form.out), "--submitter", form.submitter]
    words += ["--division", form.division.value, "--category", form.category]
    words += ["--system", *form.systems, "--round", form.round]
    return shlex.join(words + (["--rehearsal"] if form.rehearsal else []))


def check_command(campaign: Campaign) -> str:
    """The command that checks the tree."""
    return shlex.join(["assay", "check", str(campaign.form.out), "--round", campaign.form.round])
