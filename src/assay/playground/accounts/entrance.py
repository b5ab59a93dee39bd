"""From rows to a viewer: what an account may see and do, by a session or by a token."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from assay.playground.accounts.tables import AccountRow
from assay.playground.accounts.viewer import Role, Scope, Via, Viewer
from assay.results.audience import ANYBODY, EVERYBODY, Audience


def viewer_of(
    row: AccountRow,
    challenges: Iterable[str | None],
    *,
    via: Via,
    scopes: frozenset[Scope] | None = None,
    csrf_source: Callable[[], str] | None = None,
) -> Viewer:
    """The viewer that an account is.

    Args:
        row: the account.
        challenges: uids of those it takes part in.
        via: how it is known.
        scopes: of its token; None for all that the role allows.
        csrf_source: gives the token of forms.
    """
    role = Role(row.role)
    allowed = role.scopes if scopes is None else role.scopes & scopes
    return Viewer(
        name=row.name,
        role=role,
        audience=_audience(row.name, challenges, allowed),
        via=via,
        scopes=allowed,
        account_id=row.id,
        shown=row.shown,
        csrf_source=csrf_source or str,
    )


def _audience(name: str, challenges: Iterable[str | None], scopes: frozenset[Scope]) -> Audience:
    """What is seen: everything by who may look after the server, nothing private by a token that may not read."""
    if Scope.ADMIN in scopes:
        return EVERYBODY
    if Scope.READ not in scopes:
        return ANYBODY
    members = {f"challenge:{uid}" for uid in challenges if uid}
    return Audience(frozenset({f"account:{name}", *members}))
