"""A command line of CM, taken apart: what it calls, the tags and variations that choose it, and its flags."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from assay.errors import InvalidInputError

_PROGRAMS = ("cm", "cmr", "mlc", "mlcr")
_SHORT = ("cmr", "mlcr")
"""Programs that mean ``cm run script``."""


@dataclass(frozen=True, slots=True)
class CmCommand:
    """What a command of CM says.

    Attributes:
        action: such as ``run`` or ``pull``.
        automation: such as ``script`` or ``repo``.
        names: artifacts that are named, in order.
        tags: that choose a script.
        variations: tags with an underscore, without it.
        flags: each without its dashes, with ``-`` for ``_`` and its value; ``yes`` when it has none.
    """

    action: str
    automation: str
    names: tuple[str, ...]
    tags: frozenset[str]
    variations: tuple[str, ...]
    flags: Mapping[str, str]

    def has(self, *tags: str) -> bool:
        """Whether all these tags are there."""
        return self.tags.issuperset(tags)

    def flag(self, *names: str) -> str | None:
        """The value of the first of these flags that is given."""
        return next((self.flags[name] for name in names if name in self.flags), None)


def parse(text: str) -> CmCommand:
    """Take a command apart, as it stands in a document: with ``\\`` at the end of lines, in quotes or not.

    Raises:
        InvalidInputError: when it is no command of CM.
    """
    try:
        words = shlex.split(text.replace("\\\n", " ").strip().removeprefix("$ "))
    except ValueError as error:
        raise InvalidInputError(f"not a command: {error}", found=text[:80]) from error
    if len(words) == 1 and " " in words[0]:
        return parse(words[0])
    if not words or words[0] not in _PROGRAMS:
        raise InvalidInputError(
            "not a command of CM", expected="cm run script --tags=... or cmr ...", found=(words or [""])[0][:80]
        )
    program, *rest = words
    plain = [word for word in rest if not word.startswith("-")]
    flags = dict(_flag(word) for word in rest if word.startswith("-"))
    if program in _SHORT:
        action, automation, names = "run", "script", plain
    else:
        action, automation, *names = [*plain, "", ""][: max(len(plain), 2)]
    given = [tag for text in (flags.pop("tags", ""), *(names if automation == "script" else ())) for tag in _tags(text)]
    return CmCommand(
        action,
        automation,
        () if automation == "script" else tuple(names),
        frozenset(tag for tag in given if not tag.startswith("_")),
        tuple(tag[1:] for tag in given if tag.startswith("_")),
        flags,
    )


def setting_up(text: str) -> str | None:
    """What stands in place of a line that sets CM up and calls none of its scripts; None for all other lines."""
    words = text.strip().removeprefix("$ ").removeprefix("python3 -m ").removeprefix("sudo ").split()
    if words[:2] in (["pip", "install"], ["pip3", "install"]) and "cmind" in words:
        return 'pip install "assay[all]"'
    if words[:1] == ["export"] and len(words) > 1 and words[1].startswith("CM_REPOS="):
        return "ASSAY_HOME says where assay keeps everything"
    if words[:1] == ["export"] and len(words) > 1 and words[1].startswith("CM_"):
        return (
            "nothing to set: assay takes its options from the command line, and runs in the Python it is installed in"
        )
    return None


def _flag(word: str) -> tuple[str, str]:
    name, equals, value = word.lstrip("-").partition("=")
    return name.replace("_", "-") if "." not in name else name, value if equals else "yes"


def _tags(text: str) -> list[str]:
    return [tag for tag in text.replace(",", " ").split() if tag]
