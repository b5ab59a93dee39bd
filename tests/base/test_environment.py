from __future__ import annotations

import sys
from pathlib import Path

import pytest

from assay.base.environment import home, variable
from assay.base.settings import load_settings


def test_a_variable_is_text_without_blanks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CM_REPOS", "  /somewhere ")
    assert variable("CM_REPOS") == "/somewhere"
    monkeypatch.delenv("CM_REPOS")
    assert variable("CM_REPOS") == ""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere platformdirs decides")
@pytest.mark.parametrize("assay_home", ["", "here", "~/x", "/a/./b//c", "/a/../b"])
@pytest.mark.parametrize("data", ["", "/data", "not/absolute"])
def test_the_home_is_that_of_the_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, assay_home: str, data: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ASSAY_HOME", assay_home)
    monkeypatch.setenv("XDG_DATA_HOME", data)
    assert home() in (None, str(load_settings().home))
    if assay_home != "/a/../b" and data != "not/absolute":
        assert home() is not None
