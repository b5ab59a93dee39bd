"""Who looks: what results with limited access somebody may see.

A result without ``access`` is everybody's. One with it is seen by those who hold the name that stands there, such as
``challenge:1f2e3d4c5b6a7980`` or ``account:ada``, and by everybody from its ``embargo`` on, where it has one.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Audience:
    """Who looks.

    Attributes:
        names: what the viewer holds: ``account:NAME``, ``challenge:UID``.
        everything: all is seen: the user's own machine, and who maintains a server.
    """

    names: frozenset[str] = frozenset()
    everything: bool = False

    def sees(self, access: str | None, embargo: str | None, now: str) -> bool:
        """Whether something is seen.

        Args:
            access: who alone may see it; None for everybody.
            embargo: when everybody may, UTC as ``2026-12-01T00:00:00Z``; None for never.
            now: the moment, in the same form.
        """
        if access is None or self.everything or access in self.names:
            return True
        return embargo is not None and embargo <= now

    @property
    def key(self) -> str:
        """A text that two audiences share exactly when they see the same."""
        return "*" if self.everything else "\n".join(sorted(self.names))


ANYBODY = Audience()
EVERYBODY = Audience(everything=True)
