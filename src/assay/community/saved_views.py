"""Saved views of the explorer: CM artifacts of the kind ``view``, with the query of an address and a title."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated
from urllib.parse import parse_qsl

from pydantic import Field

from assay.base.settings import Settings
from assay.cm.artifact import VIEW, Artifact
from assay.cm.git import Author
from assay.cm.meta import JsonObject, JsonValue, new_uid
from assay.cm.repository import local_repository
from assay.community.challenges import entries, meta_of
from assay.community.forms import Day, Form, Line, fill
from assay.community.server_repository import transaction
from assay.errors import AssayError, UsageError, unknown
from assay.results.audience import Audience

_LONGEST_TITLE, _LONGEST_QUERY = 120, 8_000


@dataclass(frozen=True, slots=True)
class SavedView:
    """A view that somebody keeps.

    Attributes:
        query: of its address, without the question mark.
        contributor: account that saved it; empty when the entry does not say.
        private: only its contributor and who sees everything may see it.
    """

    uid: str
    alias: str
    repository: str
    title: str
    query: str
    date: date | None = None
    contributor: str = ""
    private: bool = False

    @property
    def name(self) -> str:
        """Its alias, else its uid."""
        return self.alias or self.uid


class ViewForm(Form):
    """A view as its metadata says it."""

    title: Line = ""
    query: Annotated[str, Field(max_length=_LONGEST_QUERY)] = ""
    date: Day = None
    contributor: Line = ""
    private: bool = False


def load_views(settings: Settings, audience: Audience) -> tuple[SavedView, ...]:
    """Every saved view that an audience may see, newest first; entries that are wrong are left out."""
    library, listed = entries(settings, VIEW)
    found: list[SavedView] = []
    for entry in listed:
        try:
            artifact, meta = meta_of(library, entry)
            found.append(_view(artifact, meta, entry.repository.alias))
        except AssayError:
            continue
    seen = [
        each
        for each in found
        if not each.private or audience.everything or f"account:{each.contributor}" in audience.names
    ]
    return tuple(sorted(seen, key=lambda each: (each.date or date.min, each.uid), reverse=True))


def find_view(settings: Settings, name: str, audience: Audience) -> SavedView:
    """One view by alias or uid.

    Raises:
        NotFoundError: for none, and in the same words for one that the audience may not see.
    """
    found = load_views(settings, audience)
    wanted = name.strip().casefold()
    for each in found:
        if wanted and wanted in (each.uid, each.alias.casefold()):
            return each
    raise unknown("view", name[:200], [each.name for each in found])


def save_view(
    settings: Settings,
    *,
    title: str,
    query: str,
    contributor: str,
    now: datetime,
    private: bool = False,
    shared: bool = True,
    display_name: str = "",
) -> SavedView:
    """Save a view.

    Args:
        settings: say where repositories are.
        title: in one line.
        query: of the address, without the question mark.
        contributor: who saves it.
        now: the moment, with a zone.
        private: only the contributor and maintainers may see it.
        shared: into the server's repository, as a commit; else into the local one of this machine.
        display_name: name in the commit.

    Raises:
        UsageError: for a title or a query that cannot be one.
        MissingDependencyError: without git, where a commit is needed.
    """
    line = " ".join(title.split())
    if not line or len(line) > _LONGEST_TITLE or not line.isprintable():
        raise UsageError("the title is no line of text", expected=f"1 to {_LONGEST_TITLE} characters")
    if len(query) > _LONGEST_QUERY or not parse_qsl(query):
        raise UsageError("the view has no address that can be kept", expected=f"at most {_LONGEST_QUERY:,} characters")
    moment, uid = now.astimezone(UTC), new_uid()
    alias = f"view-{moment.strftime('%Y%m%d')}-{uid[:8]}"
    meta: dict[str, JsonValue] = {
        "title": line,
        "query": query,
        "date": moment.strftime("%Y%m%d"),
        "contributor": contributor,
    }
    meta |= {"private": True} if private else {}
    tags = ("view", "explorer")
    if not shared:
        with local_repository(settings).editing() as editor:
            artifact = editor.add(VIEW, alias, tags=tags, meta=meta, uid=uid)
        return _view(artifact, artifact.meta, "local")
    author = Author.of(contributor, display_name)
    with transaction(settings, author, f"View by {contributor}: {line}") as work:
        work.will_write(work.editor.repository.root / VIEW.alias / alias)
        artifact = work.editor.add(VIEW, alias, tags=tags, meta=meta, uid=uid)
    return _view(artifact, artifact.meta, work.editor.repository.alias)


def _view(artifact: Artifact, meta: JsonObject, repository: str) -> SavedView:
    form = fill(ViewForm, meta, artifact.path)
    return SavedView(
        uid=artifact.uid,
        alias=artifact.alias,
        repository=repository,
        title=form.title or artifact.alias,
        query=form.query,
        date=form.date,
        contributor=form.contributor,
        private=form.private,
    )
