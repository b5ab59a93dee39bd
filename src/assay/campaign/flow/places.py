"""Where campaigns are kept, and how one is found by its name or by its file."""

from __future__ import annotations

from pathlib import Path

from assay.base.files import write_atomic
from assay.base.settings import Settings
from assay.campaign.flow.forms import NAME, Campaign, read_campaign
from assay.errors import unknown

FILE = "campaign.yaml"
_ELSEWHERE = "file.txt"
_ENDINGS = (".yaml", ".yml", ".json")
_LONGEST_PATH = 4096


def campaigns_folder(settings: Settings) -> Path:
    """The folder that holds a folder for each campaign."""
    return settings.home / "campaigns"


def folder_of_name(name: str, settings: Settings) -> Path:
    """Where the campaign of a name keeps its journal, its report, and its file when that is nowhere else."""
    return campaigns_folder(settings) / name


def kept_file(name: str, settings: Settings) -> Path:
    """The file of a campaign that is kept under its name."""
    return folder_of_name(name, settings) / FILE


def find_campaign(given: str, settings: Settings) -> Campaign:
    """The campaign of a file, or of a name that is known here.

    Raises:
        NotFoundError: when there is none, with the names that there are.
        InvalidInputError: what is wrong with its file, with its line.
    """
    path = Path(given)
    if _is_file(path) or "/" in given or given.endswith(_ENDINGS):
        return read_campaign(path)
    place = _place(given, settings) if NAME.fullmatch(given) else None
    if place is None:
        hint = "a campaign's file, or: assay campaign plan --help"
        raise unknown("campaign", given, known_campaigns(settings), hint=hint)
    return read_campaign(place)


def known_campaigns(settings: Settings) -> list[str]:
    """The names of all campaigns whose files are known, sorted."""
    folder = campaigns_folder(settings)
    if not folder.is_dir():
        return []
    return sorted(each.name for each in folder.iterdir() if _place(each.name, settings) is not None)


def remember(campaign: Campaign, settings: Settings) -> None:
    """Note where the campaign's file is, so that it is found by its name.

    Raises:
        MachineError: when the home cannot be written.
    """
    folder = folder_of_name(campaign.form.name, settings)
    if campaign.path != folder / FILE:
        write_atomic(folder / _ELSEWHERE, f"{campaign.path}\n")
    else:
        (folder / _ELSEWHERE).unlink(missing_ok=True)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that no file can have
        return False


def _place(name: str, settings: Settings) -> Path | None:
    """The file of a campaign: the one that was run last, else the kept one."""
    folder = folder_of_name(name, settings)
    noted = folder / _ELSEWHERE
    try:
        with noted.open(encoding="utf-8") as stream:
            path = Path(stream.read(_LONGEST_PATH).strip())
    except (OSError, UnicodeDecodeError):
        path = folder / FILE
    if _is_file(path):
        return path
    return folder / FILE if (folder / FILE).is_file() else None
