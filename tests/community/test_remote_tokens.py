from __future__ import annotations

import os
from pathlib import Path

import pytest

from assay.base.settings import Settings
from assay.community.remote_tokens import check_token, keep_token, kept_token, token_in
from assay.errors import InvalidInputError, NotFoundError

BASE = "https://results.example.org"


def test_a_token_is_kept_for_its_server_and_its_owner_alone(settings: Settings) -> None:
    assert kept_token(settings, BASE) is None
    path = keep_token(settings, BASE, " assay_1_2\n")
    keep_token(settings, "https://other.example.org", "assay_3_4")
    keep_token(settings, BASE, "assay_5_6")
    assert path.stat().st_mode & 0o777 == 0o600
    assert kept_token(settings, BASE) == "assay_5_6"
    assert kept_token(settings, "https://other.example.org") == "assay_3_4"
    assert kept_token(settings, "https://evil.example.org") is None
    assert [each.name for each in path.parent.iterdir()] == ["tokens.yaml"]


@pytest.mark.skipif(os.name != "posix", reason="modes of files")
def test_a_file_that_others_can_read_is_not_used(settings: Settings) -> None:
    path = keep_token(settings, BASE, "assay_1_2")
    path.chmod(0o640)
    for use in (lambda: kept_token(settings, BASE), lambda: keep_token(settings, BASE, "assay_3_4")):
        with pytest.raises(InvalidInputError, match="others can read"):
            use()


def test_a_file_with_one_token(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("assay_1_2\n")
    assert token_in(path) == "assay_1_2"
    with pytest.raises(NotFoundError):
        token_in(tmp_path / "none")
    with pytest.raises(InvalidInputError, match="cannot be read"):
        token_in(tmp_path)


@pytest.mark.parametrize("text", ["", "two\nlines", "a b", "x" * 513, "tökén", "a\x00b"])
def test_what_is_no_token_is_not_told(text: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        check_token(text, "ASSAY_TOKEN")
    assert not text or text not in str(caught.value)
