"""Metadata by inheritance: ``_base: automation::artifact``.

Mappings are merged deeply, lists are appended to the base's, everything else is replaced; ``_base`` itself is
gone from what comes out. Source: CM 4.2.0 (mlcommons/ck), loading of artifacts.
"""

from __future__ import annotations

from collections.abc import Callable

from assay.cm.artifact import Artifact
from assay.cm.meta import JsonObject, JsonValue
from assay.cm.names import Name
from assay.errors import InvalidInputError

_DEPTH = 10
Lookup = Callable[[Name, Name], Artifact]


def effective_meta(artifact: Artifact, lookup: Lookup) -> JsonObject:
    """The metadata of an artifact with that of its bases under it.

    Args:
        artifact: as it lies on disk.
        lookup: finds one artifact by automation and name.

    Raises:
        NotFoundError: for a base that is not there.
        InvalidInputError: for bases nested more than 10 deep, or in a circle.
    """
    return _resolved(artifact, lookup, _DEPTH)


def _resolved(artifact: Artifact, lookup: Lookup, depth: int) -> dict[str, JsonValue]:
    meta = dict(artifact.meta)
    base = meta.pop("_base", None)
    if not base:
        return meta
    if depth == 0:
        raise InvalidInputError(f"bases are nested more than {_DEPTH} deep", where=artifact.path)
    automation, separator, name = str(base).rpartition("::")
    kind = Name.parse(automation) if separator else artifact.automation
    return merged(_resolved(lookup(kind, Name.parse(name)), lookup, depth - 1), meta)


def merged(base: JsonObject, over: JsonObject) -> dict[str, JsonValue]:
    """A mapping over another, as CM merges them."""
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            result[key] = merged(old, value)
        elif isinstance(old, list) and isinstance(value, list):
            result[key] = [*old, *value]
        else:
            result[key] = value
    return result
