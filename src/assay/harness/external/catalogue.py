"""The implementations that are known: those of assay, of registered CM repositories, of the user, or one by its path."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from assay.base.settings import Settings
from assay.cm.places import places
from assay.errors import InvalidInputError, unknown
from assay.harness.external.forms import read_implementation
from assay.harness.external.model import Implementation

FOLDER = "implementations"
_ENDINGS = (".yaml", ".yml")


def load_implementations(settings: Settings) -> dict[str, Implementation]:
    """All implementations by name; the user's own replaces a repository's, which replaces assay's.

    Raises:
        InvalidInputError: for a malformed manifest, or one that is not named after its implementation.
    """
    found: dict[str, Implementation] = {}
    with resources.as_file(resources.files("assay.harness") / FOLDER) as shipped:
        for folder in (shipped, *_of_repositories(settings), settings.home / FOLDER):
            for path in sorted(folder.glob("*.yaml")):
                implementation = read_implementation(path)
                if path.stem != implementation.name:
                    expected = f"{implementation.name}.yaml"
                    raise InvalidInputError(
                        "the file is not named after its implementation", where=path, expected=expected
                    )
                found[implementation.name] = implementation
    return found


def find_implementation(name: str, settings: Settings) -> Implementation:
    """An implementation by its name, or by the path of its manifest.

    Raises:
        NotFoundError: for an unknown name, with the closest ones, or a file that is not there.
        InvalidInputError: for a malformed manifest.
    """
    if "/" in name or name.endswith(_ENDINGS):
        return read_implementation(Path(name).expanduser().absolute())
    known = load_implementations(settings)
    if name.casefold() not in known:
        raise unknown("implementation", name, known, hint="assay implementations, or the path of a manifest")
    return known[name.casefold()]


def _of_repositories(settings: Settings) -> Iterator[Path]:
    """The folder of manifests of each registered repository, those that count more at the end."""
    cm_repos = str(settings.cm_repos) if settings.cm_repos else ""
    roots, _ = places(str(settings.home), cm_repos)
    yield from (Path(root) / FOLDER for root in reversed(roots))
