"""How CM names things: ``repo:alias``, ``alias,uid``, wildcards in aliases, and tag queries.

Source: CM 4.2.0 (mlcommons/ck), behaviour of ``match_objects`` and of ``--tags``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from assay.cm.meta import is_uid
from assay.errors import UsageError

_MAX_ALIAS = 200
# What every file system takes and no address of CM gives a meaning to.
_ALIAS = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+=-]*")


def check_alias(alias: str) -> str:
    """An alias that can be a folder's name and an address; returned as it is.

    Raises:
        UsageError: when it cannot.
    """
    if _ALIAS.fullmatch(alias) is None or alias.endswith(".") or len(alias) > _MAX_ALIAS:
        raise UsageError(
            f"{alias[:80]!r} cannot be an alias",
            expected=f"letters, digits and _ . @ + = -, at most {_MAX_ALIAS} characters",
        )
    if is_uid(alias):
        raise UsageError(
            f"{alias!r} cannot be an alias", expected="anything but 16 hex digits, which CM takes for a uid"
        )
    return alias


@dataclass(frozen=True, slots=True)
class Name:
    """The name of one thing, or of several by a wildcard: an alias, a uid, or both.

    Attributes:
        alias: compared without case, ``*`` and ``?`` are wildcards; empty fits every alias.
        uid: decides alone when the thing has one, too; empty when not given.
    """

    alias: str = ""
    uid: str = ""

    @classmethod
    def parse(cls, text: str) -> Name:
        """Read ``alias``, ``uid``, ``alias,uid`` or ``uid,alias``.

        Raises:
            UsageError: for more than two parts, or two of the same kind.
        """
        parts = [part.strip() for part in text.split(",")]
        if len(parts) == 1:
            return cls(uid=parts[0].lower()) if is_uid(parts[0].lower()) else cls(alias=parts[0])
        uids = [part.lower() for part in parts if is_uid(part.lower())]
        aliases = [part for part in parts if not is_uid(part.lower())]
        if len(parts) == 2 and len(uids) == 1:
            return cls(alias=aliases[0], uid=uids[0])
        raise UsageError(f"{text!r} is not a CM name", expected="alias, uid, or alias,uid (a uid has 16 hex digits)")

    def fits(self, other: Name) -> bool:
        """Whether a thing of the name ``other`` is meant: by uid where both have one, else by alias."""
        if self.uid and other.uid:
            return self.uid.lower() == other.uid.lower()
        if self.uid and not self.alias:
            return False
        return not self.alias or fnmatchcase(other.alias.casefold(), _only_wildcards(self.alias.casefold()))

    def __str__(self) -> str:
        return ",".join(part for part in (self.alias, self.uid) if part)


def _only_wildcards(pattern: str) -> str:
    """CM has ``*`` and ``?`` and no character sets."""
    return pattern.replace("[", "[[]")


@dataclass(frozen=True, slots=True)
class Address:
    """An artifact, and the repository it is looked for in; an empty name fits everything."""

    artifact: Name
    repository: Name = Name()

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read ``artifact``, ``repository:artifact`` or ``repository:``.

        Raises:
            UsageError: for more than one colon, or a part that is no name.
        """
        parts = text.split(":")
        if len(parts) > 2:
            raise UsageError(f"{text!r} is not a CM address", expected="[repository:]artifact")
        artifact = Name.parse(parts[-1])
        return cls(artifact, Name.parse(parts[0])) if len(parts) == 2 else cls(artifact)


@dataclass(frozen=True, slots=True)
class TagQuery:
    """Tags that have to be there, and tags that must not be; compared exactly."""

    wanted: frozenset[str] = frozenset()
    unwanted: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, text: str) -> TagQuery:
        """Read ``a,b,-c``: has ``a`` and ``b``, has no ``c``."""
        tags = [tag.strip() for tag in text.split(",") if tag.strip(" -")]
        return cls(
            frozenset(tag for tag in tags if not tag.startswith("-")),
            frozenset(tag[1:] for tag in tags if tag.startswith("-")),
        )

    def fits(self, tags: Sequence[str]) -> bool:
        """Whether a list of tags answers the query."""
        have = frozenset(tags)
        return self.wanted <= have and not (self.unwanted & have)
