"""Whether this machine and this installation are fit: everything at once, in well under two seconds."""

from __future__ import annotations

from collections.abc import Iterator

from assay.base.diagnosis import Diagnosis
from assay.base.settings import Settings
from assay.system.home import diagnose_home
from assay.system.installation import diagnose_installation
from assay.system.machine import diagnose_machine
from assay.system.reader import Reader


def diagnose(settings: Settings) -> Iterator[Diagnosis]:
    """The checks of installation, home and machine."""
    yield from diagnose_installation()
    yield from diagnose_home(settings)
    yield from diagnose_machine(Reader())
