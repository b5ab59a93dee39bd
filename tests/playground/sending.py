"""Trees, runs and archives to send in, and what a browser or a program does with them."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from assay.base.settings import Settings
from assay.community.parcel import pack, parcel_of_path
from assay.playground import checking, uploads
from assay.playground.security.config import UploadLimits
from assay.playground.uploads import UploadQueue
from assay.results import store
from assay.rules.model import Scenario

from ..submission.smalltree import SmallTree, build

JSON = {"accept": "application/json"}
# Programs say so, as assay push does; then no token of a form is asked for.
PROGRAM = {**JSON, "x-assay-client": "test"}


@pytest.fixture(autouse=True)
def nothing_published() -> Iterator[None]:
    """An index without the table of published results that comes with assay."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "PUBLISHED", Path("no such table"))
        yield


@pytest.fixture
def checked_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Uploads are checked without a process of their own, which takes a second to start."""

    def check(folder: Path, settings: Settings, limits: UploadLimits, **more: Any) -> Mapping[str, Any]:
        del more
        return checking.check(folder, settings, limits)

    monkeypatch.setattr(uploads, "check_apart", check)


def small_tree(folder: Path, division: str = "open") -> SmallTree:
    """A tree that both verdicts accept."""
    return build(folder, "v3.0", division=division, scenarios=[Scenario.OFFLINE, Scenario.SINGLE_STREAM])


def spoilt_tree(folder: Path) -> SmallTree:
    """A closed tree whose Offline run is INVALID."""
    tree = small_tree(folder, "closed")
    log = tree.run_log("Offline")
    log.write_text(log.read_text().replace('"value": "VALID"', '"value": "INVALID"'))
    return tree


def packed(folder: Path) -> bytes:
    """A folder as assay push packs it."""
    target = folder.parent / f"{folder.name}.packed"
    pack(parcel_of_path(folder), target)
    return target.read_bytes()


def tar_of(*members: tuple[tarfile.TarInfo | str, bytes]) -> bytes:
    """A .tar.gz of exactly these members."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as tar:
        for given, content in members:
            member = tarfile.TarInfo(given) if isinstance(given, str) else given
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return raw.getvalue()


def send(
    client: TestClient,
    data: bytes,
    headers: Mapping[str, str] | None = None,
    *,
    name: str = "tree.tar.gz",
    **fields: str | list[str],
) -> httpx2.Response:
    """Send an archive in as a program does."""
    answer = client.post(
        "/api/uploads", files={"file": (name, data)}, data=fields, headers={**PROGRAM, **(headers or {})}
    )
    assert isinstance(answer, httpx2.Response)
    return answer


def queue_of(client: TestClient) -> UploadQueue:
    found = client.app.state.uploads  # type: ignore[attr-defined]
    assert isinstance(found, UploadQueue)
    return found


def verdict(client: TestClient, upload_id: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What became of an upload, when it is done."""
    assert queue_of(client).drained(60)
    answer = client.get(f"/uploads/{upload_id}.json", headers=headers)
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert said["done"]
    return dict(said)
