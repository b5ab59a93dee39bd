"""Single variables of the process environment, for what answers before :mod:`assay.base.settings` could be imported.

Settings are dataclasses with paths in them; importing what they need takes as long as starting Python. Whoever has
milliseconds reads its two variables here, as text.
"""

from __future__ import annotations

import os
import sys


def variable(name: str) -> str:
    """A variable without blanks around it; empty when it is not set."""
    return os.environ.get(name, "").strip()


def home() -> str | None:
    """The absolute path of assay's home, as :func:`assay.base.settings.load_settings` finds it.

    None where only platformdirs knows (no ``ASSAY_HOME``, not on Linux).
    """
    chosen = variable("ASSAY_HOME")
    if chosen:
        return os.path.abspath(os.path.expanduser(chosen)) if ".." not in chosen else None
    if not sys.platform.startswith("linux"):
        return None
    data = variable("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
    return os.path.join(data, "assay") if os.path.isabs(data) else None
