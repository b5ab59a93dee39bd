"""What is wrong in a repository: everything that CM or assay would trip over, with its place."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from assay.base.units import format_size
from assay.cm.artifact import KNOWN, META, Artifact, is_artifact, read_artifact
from assay.cm.artifact_files import same
from assay.cm.fields import value_at
from assay.cm.inherit import base_chain
from assay.cm.library import Library
from assay.cm.meta import has_meta, is_uid, read_json_meta, read_yaml_meta
from assay.cm.names import check_alias
from assay.cm.repository import META as REPOSITORY_META
from assay.cm.repository import Repository, folders_in
from assay.errors import AssayError, UsageError

_MOST_LINKS = 20
# What base.files reads of a JSON file.
_MAX_JSON_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        kind: what sort of problem, in one word or two.
        where: file or folder, with the line where it is known.
        what: what is wrong.
    """

    kind: str
    where: str
    what: str


def verify(library: Library, repository: Repository) -> list[Problem]:
    """Everything that is wrong in a repository, by folders.

    Args:
        library: where bases may come from.
        repository: what is looked at.
    """
    artifacts: list[Artifact] = []
    problems = [*_repository(repository), *_links(repository)]
    for kind in folders_in(repository.root):
        inside: list[Artifact] = []
        for folder in folders_in(kind):
            if not is_artifact(folder):
                continue
            try:
                artifact = read_artifact(folder)
            except AssayError as error:
                problems.append(Problem("broken metadata", error.where or str(folder), _without_place(error)))
                continue
            inside.append(artifact)
            problems += _artifact(artifact)
        problems += _kinds(kind, inside)
        artifacts += inside
    return [*problems, *_twice(artifacts), *_bases(artifacts, library, repository)]


def twins(library: Library) -> list[Problem]:
    """Repositories that share an alias or a uid: they live side by side here, and CM takes only one of them."""
    problems = []
    for noun in ("alias", "uid"):
        groups: dict[str, list[Repository]] = defaultdict(list)
        for each in library.repositories:
            groups[each.alias.casefold() if noun == "alias" else each.uid].append(each)
        for key, group in groups.items():
            others = ", ".join(str(each.path) for each in group[1:])
            if others:
                problems.append(Problem(f"same {noun}", str(group[0].path), f"{noun} {key} is also that of {others}"))
    return problems


def _repository(repository: Repository) -> Iterator[Problem]:
    if not has_meta(repository.path, REPOSITORY_META):
        yield Problem("no metadata", str(repository.path), "no cmr.yaml: CM does not take it; assay keeps its identity")
        return
    place = str(repository.path / REPOSITORY_META)
    if not is_uid(repository.uid):
        yield Problem("odd name", place, f"uid {repository.uid!r} is not 16 lower-case hex digits")
    yield from _alias(repository.alias, place)
    if not repository.root.is_dir():
        yield Problem("no folder", place, f"the prefix {repository.meta.get('prefix')!r} names no folder")


def _artifact(artifact: Artifact) -> Iterator[Problem]:
    place = str(artifact.path)
    if not is_uid(artifact.uid):
        yield Problem("odd name", place, f"uid {artifact.uid!r} is not 16 lower-case hex digits")
    if artifact.alias:
        yield from _alias(artifact.alias, place)
    if artifact.path.name not in (artifact.alias, artifact.uid):
        yield Problem("odd folder", place, f"the folder is not called {artifact.alias or artifact.uid!r}")
    tags = artifact.meta.get("tags", [])
    if not isinstance(tags, list) or not all(isinstance(tag, str) and tag.strip() for tag in tags):
        yield Problem("wrong type", place, "tags have to be a list of texts")
    elif odd := [tag for tag in tags if isinstance(tag, str) and ("," in tag or tag.startswith("-"))]:
        yield Problem("odd tag", place, f"nobody can ask for the tag {odd[0]!r}")
    elif len(set(map(str, tags))) != len(tags):
        yield Problem("odd tag", place, "a tag is given twice")
    yaml_path, json_path = artifact.path / f"{META}.yaml", artifact.path / f"{META}.json"
    if yaml_path.is_file() and json_path.is_file():
        below, over = read_yaml_meta(yaml_path), read_json_meta(json_path)
        hidden = [key for key in below if key in over and not same(below[key], over[key])]
        if hidden:
            yield Problem("overridden", place, f"_cm.json says otherwise than _cm.yaml: {', '.join(hidden[:6])}")


def _alias(alias: str, place: str) -> Iterator[Problem]:
    try:
        check_alias(alias)
    except UsageError as error:
        yield Problem("odd name", place, str(error))


def _kinds(folder: Path, artifacts: list[Artifact]) -> Iterator[Problem]:
    """Whether all of a folder are of one kind: CM goes by the first."""
    known = {kind.alias: kind.uid for kind in KNOWN}
    for artifact in artifacts:
        kind, place = artifact.automation, str(artifact.path)
        if not kind.alias and not kind.uid:
            yield Problem("no automation", place, "neither automation_alias nor automation_uid")
        elif kind.alias and kind.alias != folder.name:
            yield Problem("wrong automation", place, f"a {kind.alias} in the folder of {folder.name}")
        elif kind.uid and known.get(kind.alias, kind.uid) != kind.uid:
            yield Problem("wrong automation", place, f"{kind.alias} has the uid {known[kind.alias]}, not {kind.uid}")
        elif kind.uid != artifacts[0].automation.uid:
            yield Problem("wrong automation", place, f"automation_uid differs from that of {artifacts[0].path.name}")


def _twice(artifacts: list[Artifact]) -> Iterator[Problem]:
    for noun in ("alias", "uid"):
        first: dict[tuple[str, str], Artifact] = {}
        for each in artifacts:
            key = each.alias.casefold() if noun == "alias" else each.uid
            other = first.setdefault((each.automation.alias, key), each)
            if key and other is not each:
                yield Problem(f"same {noun}", str(each.path), f"{noun} {key} is also that of {other.path}")


def _bases(artifacts: list[Artifact], library: Library, repository: Repository) -> Iterator[Problem]:
    lookup = library.lookup(repository)
    for artifact in artifacts:
        if value_at(artifact.meta, ("_base",)):
            try:
                base_chain(artifact, lookup)
            except AssayError as error:
                kind = "circle" if "circle" in error.what else "base"
                yield Problem(kind, error.where or str(artifact.path), _without_place(error))


def _links(repository: Repository) -> Iterator[Problem]:
    """Links that leave the tree, which are not followed, and JSON files that are too large to be read."""
    root, links = repository.path.resolve(), 0
    for folder, folders, files in os.walk(repository.path):
        folders[:] = sorted(name for name in folders if name != ".git")
        for name in sorted((*folders, *files)):
            path = Path(folder, name)
            if path.is_symlink():
                if not path.resolve().is_relative_to(root) and links < _MOST_LINKS:
                    links += 1
                    yield Problem("link", str(path), "leads out of the repository and is not followed")
            elif name.endswith(".json") and (size := path.stat().st_size) > _MAX_JSON_BYTES:
                bound = format_size(_MAX_JSON_BYTES)
                yield Problem("too large", str(path), f"{format_size(size)} of JSON, where at most {bound} are read")


def _without_place(error: AssayError) -> str:
    whole = str(error)
    return whole.removeprefix(f"{error.where}: ") if error.where else whole
