"""The entry of a contributor in the server's repository: made when a first result is accepted, completed afterwards."""

from __future__ import annotations

from collections.abc import Sequence

from assay.cm.artifact import CONTRIBUTOR
from assay.cm.editor import Editor
from assay.cm.meta import JsonValue


def ensure_contributor(
    editor: Editor,
    account: str,
    *,
    name: str = "",
    organisation: str = "",
    challenges: Sequence[str] = (),
    day: str = "",
) -> None:
    """Make or complete the entry of a contributor; what stands there already stays.

    Args:
        editor: of the server's repository.
        account: name of the account, which becomes the alias.
        name: as shown.
        organisation: as shown.
        challenges: uids of challenges that results of theirs were accepted for.
        day: of the last participation, YYYYMMDD.

    Raises:
        UsageError: for an account that cannot be an alias.
    """
    found = editor.get(CONTRIBUTOR, account)
    old = found.meta if found is not None else {}
    given = {"name": name or account, "organization": organisation}
    meta: dict[str, JsonValue] = {key: value for key, value in given.items() if value and not old.get(key)}
    listed = old.get("challenges")
    before = [each for each in listed if isinstance(each, str)] if isinstance(listed, list) else []
    after = list(dict.fromkeys((*before, *challenges)))
    if after != before:
        meta["challenges"] = list(after)
    if day and day > str(old.get("last_participation_date") or ""):
        meta["last_participation_date"] = day
    editor.ensure(CONTRIBUTOR, account, meta=meta)
