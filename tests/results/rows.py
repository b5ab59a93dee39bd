"""Rows and homes that hold them."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
from hypothesis import strategies as st

from assay.base.settings import Settings
from assay.cm.repository import local_repository
from assay.results.importers.source import Source
from assay.results.row import FORMAT, Accuracy, Count, Row, uid_of
from assay.results.store import open_store

SOURCE = Source("inference_results_v3.0", "https://example.org/inference_results_v3.0", "a" * 40, official=True)


def make_row(number: int = 0, **changes: Any) -> Row:
    """A row of a published result; another number is another system."""
    given: dict[str, Any] = {
        "round": "v3.0",
        "benchmark": "resnet",
        "scenario": "Offline",
        "division": "closed",
        "category": ("edge",),
        "organisation": "Acme",
        "system": f"box{number}",
        "task": "image-classification",
        "value": 100.0 + number,
        "unit": "Samples/s",
        "samples_per_second": 100.0 + number,
        "official": True,
        "source_kind": "submission",
    } | changes
    given.setdefault("location", f"{given['division']}/Acme/results/{given['system']}/resnet/{given['scenario']}")
    given.setdefault("uid", uid_of(given["round"], given["location"], given["benchmark"], given["scenario"]))
    return Row(**given)


def put(
    settings: Settings, rows: Iterable[Row], *, name: str = "one", experiment: str = "mlperf-inference--all"
) -> Path:
    """Write rows as one result file of the local repository, as small as they can be."""
    folder = local_repository(settings).root / "experiment" / f"{experiment}-{name}" / "2024-01-01.00-00-00.000000"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "cm-result.json"
    path.write_bytes(msgspec.json.encode([{"assay_row": row} for row in rows]))
    return path


def shown(settings: Settings, **options: Any) -> list[Row]:
    """Rows that the index shows, in the order of their uids."""
    with open_store(settings, **options) as store:
        names = [field.name for field in msgspec.structs.fields(Row)]
        picked = ", ".join(f'"{name}"' for name in names)
        found = store.run(f"SELECT {picked} FROM results ORDER BY uid").fetchall()
    return [
        msgspec.convert({name: value for name, value in zip(names, row, strict=True) if value is not None}, Row)
        for row in found
    ]


# ---- any row

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_NUMBER = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(
    [0.0, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 0.1, 1e22, 123456789.123456789]
)
_SEED = st.integers(0, 2**64 - 1) | st.sampled_from([2**63 - 1, 2**63, 2**64 - 1])
_COUNT = st.integers(0, 2**63 - 1) | st.just(2**53 + 1)


def _of(hint: Any) -> st.SearchStrategy[Any]:
    """Values of an annotation of a row."""
    if hint == Count:
        return _COUNT
    if get_origin(hint) in (Union, types.UnionType):
        return st.one_of(*(_of(each) for each in get_args(hint)))
    if get_origin(hint) is tuple:
        return st.lists(_of(get_args(hint)[0]), max_size=3).map(tuple)
    if get_origin(hint) is dict:
        return st.dictionaries(_TEXT, _TEXT, max_size=3)
    if hint is Accuracy:
        return any_of(Accuracy)
    if hint is type(None):
        return st.none()
    plain = {str: _TEXT, float: _NUMBER, bool: st.booleans(), int: _SEED}
    return plain[hint] if hint in plain else st.sampled_from(list(hint))


def any_of(kind: type[Any], **fixed: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Any struct of a kind, each field drawn from its annotation."""
    hints = get_type_hints(kind, include_extras=True)
    names = [field.name for field in msgspec.structs.fields(kind)]
    return st.builds(kind, **{name: _of(hints[name]) for name in names} | fixed)


def any_row() -> st.SearchStrategy[Row]:
    """Any row that can be kept."""
    return any_of(Row, format=st.just(FORMAT))


def rows_by_uid(rows: Iterable[Row]) -> list[Row]:
    """Rows in the order in which the index tells them, one for each uid."""
    return sorted({row.uid: row for row in reversed(list(rows))}.values(), key=lambda row: row.uid)


def fields_of(row: Row, *without: str) -> dict[str, Any]:
    """What a row holds, without some fields."""
    return {name: value for name, value in msgspec.structs.asdict(row).items() if name not in without}


def changed(settings: Settings, **changes: Any) -> Settings:
    """Settings with something else."""
    return dataclasses.replace(settings, **changes)
