"""The tree of a campaign: what is wished, which description it has, where it is."""

from __future__ import annotations

import shlex
from pathlib import Path

from assay.base.files import sha256_file
from assay.base.settings import Settings
from assay.campaign.flow.forms import Campaign
from assay.errors import InvalidInputError, NotFoundError
from assay.rules.model import Round
from assay.submission.building.described import system_fields, system_missing
from assay.submission.building.model import Wish
from assay.submission.building.write import listing_of
from assay.system.store import SystemStore, read_description


def journal_folder(campaign: Campaign, settings: Settings) -> Path:
    """Where a campaign keeps its journal and its report."""
    return settings.home / "campaigns" / campaign.form.name


def wish_for(campaign: Campaign, settings: Settings, runs: tuple[str, ...], benchmarks: tuple[str, ...]) -> Wish:
    """The wish for the tree of these runs.

    Raises:
        NotFoundError: when the system is not described, or a file is not there.
    """
    form = campaign.form
    kept = not ("/" in form.system or form.system.endswith(".json"))
    path = campaign.place(form.system)
    description = (
        SystemStore(settings.systems_dir).load(form.system).to_official_json() if kept else read_description(path)
    )
    return Wish(
        submitter=form.submitter,
        division=form.division,
        categories=(form.category,),
        system=form.system if kept else path.stem,
        description=description,
        runs=runs,
        benchmarks=benchmarks,
        implementation=form.implementation,
        fields=form.fields,
        calibration=_calibration(campaign),
        rehearsal=form.rehearsal,
        described_in="" if kept else str(path),
    )


def _calibration(campaign: Campaign) -> str | None:
    if campaign.form.calibration is None:
        return None
    path = campaign.place(campaign.form.calibration)
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise NotFoundError("the text on calibration cannot be read", where=path, found=error.strerror) from error


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


def holds_tree(out: Path, digest: str) -> bool:
    """Whether the tree is there with the list of hashes that was written with it."""
    listing = listing_of(out)
    return out.is_dir() and listing.is_file() and sha256_file(listing) == digest


def build_command(campaign: Campaign) -> str:
    """The command that builds the tree of the campaign's runs, once their ids follow it."""
    form = campaign.form
    words = ["assay", "submission", "build", "--out", str(form.out), "--submitter", form.submitter]
    words += ["--division", form.division.value, "--category", form.category.value, "--system", form.system]
    return shlex.join(words + ["--round", form.round] + (["--rehearsal"] if form.rehearsal else []))


def check_command(campaign: Campaign) -> str:
    """The command that checks the tree."""
    return shlex.join(["assay", "check", str(campaign.form.out), "--round", campaign.form.round])
