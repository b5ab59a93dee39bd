"""The cache: assets on disk by the hash of their content.

::

    <home>/assets/sha256/<hash>/   the file or files
    <home>/assets/names/<n>.json   which content an asset is, and the identity (size, time) of its files
    <home>/assets/registered/      what the user registered: used where it lies, never copied, never fetched
    <home>/assets/built/<key>/     made on this machine
    <home>/assets/partial/         downloads under way, continued by the next attempt

One lock per asset makes it safe for several processes. A file whose size or time changed is hashed again before it is
used; one whose content changed is fetched again.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from assay.assets.catalogue import Catalogue
from assay.assets.layouts import check_layout
from assay.assets.manifest import Asset, Source
from assay.assets.obtain import CONTENT, by_hand, check_md5, check_sum, obtain
from assay.base.files import locked, machine_errors, read_json, require_space, sha256_file, write_json
from assay.base.progress import SILENT, Progress
from assay.base.settings import Settings
from assay.errors import AssayError, InvalidInputError, MachineError, NotFoundError, UsageError

_NAME_KEYS = frozenset({"sha256", "files", "single", "source", "identity"})
PARTIAL = "partial-dataset"
"""The label of a dataset that was registered in part."""
_REGISTERED_KEYS = frozenset({"sha256", "path", "size"})


class State(StrEnum):
    """Where an asset stands on this machine."""

    PRESENT = "present"
    REGISTERED = "registered"
    ABSENT = "absent"
    YOURS = "needs you"
    BUILT = "built on first use"


@dataclass(frozen=True, slots=True)
class Located:
    """An asset on disk.

    Attributes:
        path: the file, or the folder of a dataset.
        sha256: of the file, or of the folder's tree (names and hashes of its files).
        size: bytes.
        source: where it came from.
        samples: of a dataset that the user registered; None when the manifest says it.
        labels: what figures taken with it are labelled with beside the asset's own labels.
    """

    path: Path
    sha256: str
    size: int
    source: str
    samples: int | None = None
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FetchPlan:
    """What has to be fetched before something can run.

    Attributes:
        missing: assets to fetch.
        total_bytes: of them, as far as known.
        yours: assets that only the user can get.
    """

    missing: tuple[Asset, ...]
    total_bytes: int
    yours: tuple[Asset, ...]


class AssetStore:
    """Assets of a catalogue on this machine."""

    def __init__(self, settings: Settings, catalogue: Catalogue) -> None:
        self._root = settings.assets_dir
        self._offline = settings.offline
        self.catalogue = catalogue

    def state(self, name: str) -> State:
        """Where an asset stands, without reading its files."""
        asset = self.catalogue.get(name)
        if (self._root / "registered" / f"{asset.name}.json").is_file():
            return State.REGISTERED
        if (self._root / "names" / f"{asset.name}.json").is_file():
            return State.PRESENT
        if asset.build is not None:
            return State.BUILT
        return State.YOURS if asset.local else State.ABSENT

    def plan(self, names: Iterable[str]) -> FetchPlan:
        """What is missing for some assets; a model that is built stands for its weights."""
        wanted = [self.catalogue.get(name) for name in dict.fromkeys(self._needs(names))]
        absent = tuple(asset for asset in wanted if self.state(asset.name) is State.ABSENT)
        yours = tuple(asset for asset in wanted if self.state(asset.name) is State.YOURS)
        return FetchPlan(absent, sum(asset.size for asset in absent), yours)

    def ensure(self, name: str, *, progress: Progress = SILENT) -> Located:
        """The asset on disk, fetched when it is not there.

        Raises:
            NotFoundError: when only the user can get it (with how), when no source has it, or offline.
            InvalidInputError: when what a source gives has another checksum.
            MachineError: when the disk is full or cannot be written.
        """
        asset = self.catalogue.get(name)
        registered = self._registered(asset)
        if registered is not None:
            return registered
        if asset.local is not None:
            raise NotFoundError(
                f"{asset.title} has to be registered by you: {asset.local.instructions}",
                hint=f"assay assets add {asset.name} --path FOLDER",
            )
        if asset.build is not None:
            raise UsageError(f"{asset.name} is built from its weights, not fetched")
        with locked(self._root / "locks" / f"{asset.name}.lock"):
            found = self._intact(asset, progress)
            return found or self._fetch(asset, progress)

    def locate(self, name: str) -> Located | None:
        """The asset on disk, or None; what the user registered first."""
        asset = self.catalogue.get(name)
        return self._registered(asset) or self._present(asset)

    def register(self, name: str, path: Path, *, partial: bool = False) -> Located:
        """Use the user's own file or folder for an asset, where it lies.

        Args:
            name: of the asset.
            path: what the user has.
            partial: fewer samples than the dataset has are allowed; every figure taken with it is labelled so.

        Raises:
            NotFoundError: when the path is not there.
            InvalidInputError: when it has another checksum or layout than the asset.
            UsageError: when the asset is built, or is no dataset that can be had in part.
        """
        asset = self.catalogue.get(name)
        full = path.expanduser().absolute()
        if not full.exists():
            raise NotFoundError("the path is not there", where=full)
        if asset.build is not None and asset.sha256 is None:
            raise UsageError(
                f"{asset.name} is built on this machine",
                hint=f"to use your own model file: assay run {asset.name} --model {full}",
            )
        entry: dict[str, Any] = {"registered": _now()}
        if asset.layout is not None:
            found = check_layout(asset.layout.layout, full, partial=partial)
            full = found.path
            entry |= {"samples": found.samples, "partial": found.partial}
            digest = quick_identity(full)
        elif partial:
            raise UsageError(f"{asset.name} cannot be used in part: it is checked by its checksum")
        else:
            digest = content_hash(full)
            check_sum(asset, digest, full)
            check_md5(asset, full)
        entry |= {"path": str(full), "sha256": digest, "size": _size(full)}
        write_json(self._root / "registered" / f"{asset.name}.json", entry)
        return _from_entry(full, entry)

    def verify(self, name: str) -> Located:
        """Hash an asset's files again.

        Raises:
            NotFoundError: when it is not on this machine.
            InvalidInputError: when its content changed, with both checksums.
        """
        asset = self.catalogue.get(name)
        found = self.locate(name)
        if found is None:
            raise NotFoundError(f"{asset.name} is not on this machine", hint=f"assay assets fetch {asset.name}")
        own = asset.layout is not None and self.state(name) is State.REGISTERED
        digest = quick_identity(found.path) if own else content_hash(found.path)
        if digest != found.sha256:
            raise InvalidInputError(
                f"{asset.name} has changed on disk",
                where=found.path,
                expected=found.sha256,
                found=digest,
                hint=f"assay assets remove {asset.name}, then assay assets fetch {asset.name}",
            )
        return found

    def remove(self, name: str) -> int:
        """Forget an asset; returns the bytes freed. Files that the user registered are left alone."""
        asset = self.catalogue.get(name)
        freed = 0
        with locked(self._root / "locks" / f"{asset.name}.lock"), machine_errors(self._root):
            present = self._present(asset)
            if present is not None:
                freed = present.size
                shutil.rmtree(self._root / "sha256" / present.sha256, ignore_errors=True)
            shutil.rmtree(self._root / "partial" / asset.name, ignore_errors=True)
            for folder in ("names", "registered"):
                (self._root / folder / f"{asset.name}.json").unlink(missing_ok=True)
        return freed

    def built(self, key: str, filename: str, build: Callable[[Path], None]) -> Located:
        """A file or folder made on this machine, by a key that names everything it is made of; made when not there."""
        folder = self._root / "built" / key
        entry, target = folder / "entry.json", folder / filename
        with locked(self._root / "locks" / f"{key}.lock"):
            known = _read_entry(entry)
            if known is not None and target.exists() and known.get("sha256") == content_hash(target):
                return Located(target, str(known["sha256"]), _size(target), "built here")
            with machine_errors(folder):
                folder.mkdir(parents=True, exist_ok=True)
                temporary = folder / f".{filename}.part"
                _discard(temporary)
                try:
                    build(temporary)
                    if temporary.is_dir():
                        _discard(target)  # a folder takes no other's place
                    temporary.replace(target)
                finally:
                    _discard(temporary)
            digest = content_hash(target)
            write_json(entry, {"sha256": digest, "built": _now()})
            return Located(target, digest, _size(target), "built here")

    def _needs(self, names: Iterable[str]) -> list[str]:
        found: list[str] = []
        for name in names:
            asset = self.catalogue.get(name)
            if asset.build is None:
                found.append(asset.name)
            else:
                found += [part for part in (asset.build.weights, asset.build.data) if part is not None]
        return found

    def _registered(self, asset: Asset) -> Located | None:
        entry = _read_entry(self._root / "registered" / f"{asset.name}.json", _REGISTERED_KEYS)
        if entry is None:
            return None
        path = Path(str(entry["path"]))
        if not path.exists():
            raise NotFoundError(
                f"what you registered for {asset.name} is gone",
                where=path,
                hint=f"assay assets add {asset.name} --path NEW, or assay assets remove {asset.name}",
            )
        return _from_entry(path, entry)

    def _present(self, asset: Asset) -> Located | None:
        entry = _read_entry(self._root / "names" / f"{asset.name}.json", _NAME_KEYS)
        if entry is None:
            return None
        folder = self._root / "sha256" / str(entry["sha256"])
        files = [folder / str(item) for item in entry["files"]]
        if not files or not all(file.is_file() for file in files):
            return None
        path = files[0] if entry["single"] else folder
        return Located(path, str(entry["sha256"]), sum(f.stat().st_size for f in files), str(entry["source"]))

    def _intact(self, asset: Asset, progress: Progress) -> Located | None:
        """The asset as it was fetched; None when it is not there or was changed since."""
        found = self._present(asset)
        entry = _read_entry(self._root / "names" / f"{asset.name}.json", _NAME_KEYS)
        if found is None or entry is None:
            return None
        same = asset.sha256 in (None, found.sha256) and entry.get("identity") == _identity(found.path)
        if same or content_hash(found.path) == found.sha256 == (asset.sha256 or found.sha256):
            return found
        progress.message(f"{asset.name} was changed on disk; fetching it again")
        shutil.rmtree(self._root / "sha256" / found.sha256, ignore_errors=True)
        return None

    def _fetch(self, asset: Asset, progress: Progress) -> Located:
        if self._offline:
            raise NotFoundError(
                f"{asset.name} is not on this machine, and the network is not to be used (offline)",
                hint=f"on a machine with a network: assay assets fetch {asset.name}; or get the file yourself ("
                f"{by_hand(asset)}) and register it: assay assets add {asset.name} --path FILE",
            )
        with machine_errors(self._root):
            partial = self._root / "partial" / asset.name
            partial.mkdir(parents=True, exist_ok=True)
        require_space(self._root, asset.size)
        problems: list[AssayError] = []
        for source in asset.sources:
            try:
                return self._take(asset, source, partial, progress)
            except MachineError:
                raise
            except AssayError as error:
                problems.append(error)
        if len(problems) == 1:
            raise problems[0]
        raise NotFoundError(
            f"no source gives {asset.name}", found="; ".join(str(p) for p in problems), hint=by_hand(asset)
        )

    def _take(self, asset: Asset, source: Source, partial: Path, progress: Progress) -> Located:
        got = obtain(asset, source, partial, progress)
        digest = content_hash(got.path)
        check_sum(asset, digest, got.origin)
        return self._keep(asset, partial / CONTENT, digest, got.origin, single=got.single)

    def _keep(self, asset: Asset, content: Path, digest: str, origin: str, *, single: bool) -> Located:
        home = self._root / "sha256" / digest
        with machine_errors(home):
            home.parent.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(home, ignore_errors=True)
            content.replace(home)
            shutil.rmtree(content.parent, ignore_errors=True)
        files = sorted(str(p.relative_to(home)) for p in home.rglob("*") if p.is_file())
        path = home / files[0] if single else home
        write_json(
            self._root / "names" / f"{asset.name}.json",
            {
                "sha256": digest,
                "files": files,
                "single": single,
                "source": origin,
                "fetched": _now(),
                "identity": _identity(path),
            },
        )
        return Located(path, digest, _size(path), origin)


def content_hash(path: Path) -> str:
    """SHA-256 of a file, or of a folder's tree: the names and hashes of its files, sorted."""
    if path.is_file():
        return sha256_file(path)
    digest = hashlib.sha256()
    for file in sorted(p for p in path.rglob("*") if p.is_file()):
        digest.update(f"{file.relative_to(path).as_posix()}\0{sha256_file(file)}\n".encode())
    return digest.hexdigest()


def quick_identity(path: Path) -> str:
    """SHA-256 over paths and sizes of a folder's files: for datasets of many gigabytes that stay where they are.

    Of one file it is the SHA-256 of its content.
    """
    if path.is_file():
        return sha256_file(path)
    digest = hashlib.sha256()
    for name, file in sorted((p.relative_to(path).as_posix(), p) for p in path.rglob("*") if p.is_file()):
        digest.update(f"{name}\0{file.stat().st_size}\n".encode())
    return digest.hexdigest()


def _from_entry(path: Path, entry: dict[str, Any]) -> Located:
    samples = entry.get("samples")
    return Located(
        path,
        str(entry["sha256"]),
        int(entry["size"]),
        "registered by you",
        samples if isinstance(samples, int) else None,
        (PARTIAL,) if entry.get("partial") is True else (),
    )


def _identity(path: Path) -> list[list[Any]]:
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    return [[file.name, file.stat().st_size, file.stat().st_mtime_ns] for file in files]


def _read_entry(path: Path, keys: frozenset[str] = frozenset({"sha256"})) -> dict[str, Any] | None:
    """An entry of the cache; a damaged one is as good as none: what it names is fetched or registered again."""
    try:
        entry = read_json(path)
    except (NotFoundError, InvalidInputError):
        return None
    return entry if isinstance(entry, dict) and keys <= set(entry) and isinstance(entry["sha256"], str) else None


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else sum(p.stat().st_size for p in path.rglob("*") if p.is_file())


def _discard(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
