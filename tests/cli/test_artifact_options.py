from __future__ import annotations

from pathlib import Path

import pytest

from assay.base.settings import Settings
from assay.cli.artifact_options import address_of, parse_tags, target_of
from assay.cm.artifact import EXPERIMENT
from assay.cm.library import open_library
from assay.cm.names import Address, Name
from assay.cm.registry import Registry
from assay.cm.repository import create_repository, local_repository
from assay.errors import UsageError


def test_a_repository_is_named_once() -> None:
    assert address_of("one", None) == Address(Name("one"))
    assert address_of("one", "me@x") == Address(Name("one"), Name("me@x"))
    assert address_of("one", "/a,b") == Address(Name("one"), Name("/a,b"))
    assert address_of("one", ".") == address_of(".:one", None)
    with pytest.raises(UsageError, match="named twice"):
        address_of("a:one", "b")


def test_targets(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "home")
    local = local_repository(settings)
    other = create_repository(tmp_path / "other", "me@other")
    Registry(settings).add(other.path)
    with other.editing() as edit:
        edit.add(EXPERIMENT, "one")
    library = open_library(settings)
    entry = library.load(EXPERIMENT.name, Address(Name("one")))
    assert target_of("x", None, library, settings) == (local, "x")
    assert target_of("local:x", None, library, settings, default=entry) == (local, "x")
    assert target_of("x", None, library, settings, default=entry) == (other, "x")
    assert target_of("local:", None, library, settings, default=entry) == (local, "one")
    assert target_of("x", str(other.path), library, settings) == (other, "x")
    for text in ("", "local:", "0123456789abcdef", "x,0123456789abcdef"):
        with pytest.raises(UsageError, match="no target"):
            target_of(text, None, library, settings)


def test_tags_in_the_order_they_were_typed() -> None:
    assert parse_tags("b, a,-d,,-c,a, -") == (["b", "a"], ["d", "c"])
