"""Metadata by inheritance: ``_base: automation::artifact``.

Mappings are merged deeply, lists are appended to the base's, everything else is replaced; ``_base`` itself is
gone from what comes out. Source: CM 4.2.0 (mlcommons/ck), loading of artifacts.
"""

from __future__ import annotations

from collections.abc import Callable

from assay.cm.artifact import Artifact
from assay.cm.index import shown
from assay.cm.meta import JsonObject, JsonValue
from assay.cm.names import Address, Name
from assay.errors import AssayError, InvalidInputError, NotFoundError

_DEPTH = 10
Lookup = Callable[[Name, Address], Artifact]


def effective_meta(artifact: Artifact, lookup: Lookup) -> JsonObject:
    """The metadata of an artifact with that of its bases under it.

    Args:
        artifact: as it lies on disk.
        lookup: finds one artifact by automation and address.

    Raises:
        NotFoundError: for a base that is not there.
        InvalidInputError: for bases nested more than 10 deep, or in a circle; with the whole chain.
    """
    meta: dict[str, JsonValue] = {}
    # Children over their bases: the farthest base first.
    for each in reversed(base_chain(artifact, lookup)):
        own = dict(each.meta)
        own.pop("_base", None)
        meta = merged(meta, own)
    return meta


def base_chain(artifact: Artifact, lookup: Lookup) -> list[Artifact]:
    """The artifact, its base, the base of that, and so on.

    Raises:
        NotFoundError: for a base that is not there.
        InvalidInputError: for bases nested more than 10 deep, or in a circle; with the whole chain.
    """
    chain = [artifact]
    while base := chain[-1].meta.get("_base"):
        following = _base_of(chain, base, lookup)
        circle = following.path in [each.path for each in chain]
        chain.append(following)
        if circle:
            raise InvalidInputError("bases go in a circle", where=artifact.path, found=_told(chain))
        if len(chain) > _DEPTH + 1:
            raise InvalidInputError(
                f"bases are nested more than {_DEPTH} deep", where=artifact.path, found=_told(chain)
            )
    return chain


def _base_of(chain: list[Artifact], base: JsonValue, lookup: Lookup) -> Artifact:
    child = chain[-1]
    if not isinstance(base, str):
        raise InvalidInputError(
            "_base is no text", where=child.path, expected="automation::artifact", found=type(base).__name__
        )
    automation, separator, name = base.rpartition("::")
    try:
        return lookup(Name.parse(automation) if separator else child.automation, Address.parse(name))
    except NotFoundError as error:
        raise NotFoundError(
            f"the base {base!r} is not there", where=child.path, found=error.what, hint=error.hint
        ) from error
    except AssayError as error:
        raise InvalidInputError(f"the base {base!r} cannot be used", where=child.path, found=str(error)) from error


def _told(chain: list[Artifact]) -> str:
    return shown(" -> ".join(f"{each.automation.alias}::{each.alias or each.uid}" for each in chain))


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
