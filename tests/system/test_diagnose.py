from __future__ import annotations

from pathlib import Path

from assay.base.diagnosis import Condition
from assay.base.settings import Settings
from assay.system.diagnose import diagnose


def test_installation_home_and_machine_are_told_once_each(tmp_path: Path) -> None:
    checks = list(diagnose(Settings(tmp_path)))
    names = [check.name for check in checks]
    assert len(names) == len(set(names))
    assert {"Python", "LoadGen", "home folder", "disk space", "other load"} <= set(names)
    assert all(check.detail and check.needed_for for check in checks)
    assert all(check.fix for check in checks if check.state is Condition.MISSING and check.essential)
