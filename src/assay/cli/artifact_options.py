"""How the artifact verbs read addresses, targets and tags."""

from __future__ import annotations

import click

from assay.base.settings import Settings
from assay.cm.library import Entry, Library
from assay.cm.names import Address, Name, TagQuery
from assay.cm.repository import Repository, local_repository
from assay.errors import UsageError

repository_option = click.option(
    "--repo", "repository", metavar="ALIAS|UID|PATH", help="The repository, when the artifact names none."
)


def address_of(artifact: str, repository: str | None) -> Address:
    """An artifact's address, with the repository that an option names.

    Raises:
        UsageError: when both name one, or a part is no name.
    """
    address = Address.parse(artifact)
    if repository is None:
        return address
    if address.repository != Name():
        raise UsageError("the repository is named twice", found=f"{artifact} and --repo {repository}")
    by_path = "/" in repository or repository == "."
    return Address(address.artifact, Name(alias=repository) if by_path else Name.parse(repository))


def target_of(
    text: str, repository: str | None, library: Library, settings: Settings, *, default: Entry | None = None
) -> tuple[Repository, str]:
    """The repository and the alias that ``[repository:]alias`` means for writing.

    Args:
        text: what was typed; ``repository:`` keeps the alias of ``default``.
        repository: from an option.
        library: where repositories are found.
        settings: where the local one is.
        default: what is copied or moved; None for something new, which goes to the local repository.

    Raises:
        UsageError: for a target without an alias.
        NotFoundError: for an unknown repository.
    """
    address = address_of(text, repository)
    alias = address.artifact.alias or (
        default.name.alias if default is not None and address.repository != Name() else ""
    )
    if address.artifact.uid or not alias:
        raise UsageError(f"{text!r} is no target", expected="[repository:]alias")
    if address.repository == Name():
        return (default.repository if default is not None else local_repository(settings)), alias
    if address.repository == Name(alias="local"):
        return local_repository(settings), alias
    return library.repository(str(address.repository)), alias


def parse_tags(text: str) -> tuple[list[str], list[str]]:
    """Tags to have and tags not to have, in the order they were typed."""
    query = TagQuery.parse(text)
    typed = [tag.strip() for tag in text.split(",")]
    wanted = [tag for tag in dict.fromkeys(typed) if tag in query.wanted]
    return wanted, [tag[1:] for tag in dict.fromkeys(typed) if tag.startswith("-") and tag[1:] in query.unwanted]
