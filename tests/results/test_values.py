from __future__ import annotations

from collections.abc import Iterator

import pytest

from assay.base.settings import Settings
from assay.errors import AssayError, NotFoundError, UsageError
from assay.results.store import Store, existing_store, open_store
from assay.results.values import spelt, strange, values_of

from .rows import make_row, put

pytestmark = pytest.mark.usefixtures("nothing_published")


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    put(
        settings,
        [
            make_row(0, organisation="NVIDIA", accelerator="H100-PCIe-80GB", category=("edge", "datacenter")),
            make_row(1, organisation="Acme", accelerator="h100-PCIE-80gb", round="v9.9", benchmark="own-net"),
            make_row(2, organisation=None, category=(), origin="local"),
            make_row(3, organisation="cTuning"),
        ],
    )
    with open_store(settings) as opened:
        yield opened


def test_values(store: Store) -> None:
    assert values_of(store, "organisation") == ["Acme", "NVIDIA", "cTuning"]
    assert values_of(store, "category") == ["datacenter", "edge"]
    assert values_of(store, "notes") == []
    with pytest.raises(UsageError, match="value holds no words"):
        values_of(store, "value")
    with pytest.raises(NotFoundError, match="unknown field 'organization'; expected organisation"):
        values_of(store, "organization")


@pytest.mark.parametrize(
    ("name", "given", "meant"),
    [
        ("scenario", "offline", "Offline"),
        ("division", "OPEN", "open"),
        ("category", "Edge", "edge"),
        ("round", "3.0", "v3.0"),
        ("round", "V3.0", "v3.0"),
        ("round", "9.9", "v9.9"),
        ("round", "v3.1", "v3.1"),
        ("benchmark", "ResNet50", "resnet"),
        ("benchmark", "OWN-NET", "own-net"),
        ("benchmark", "bert-99.9", "bert-99.9"),
        ("organisation", "nvidia", "NVIDIA"),
        ("organisation", "ctuning foundation", "cTuning"),
        ("task", "Image-Classification", "image-classification"),
    ],
)
def test_a_value_in_the_spelling_of_results(store: Store, name: str, given: str, meant: str) -> None:
    assert spelt(store, name, given) == meant


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("round", "v9", "v9.9"),
        ("benchmark", "resnet51", "resnet or retinanet or rnnt"),
        ("organisation", "Acm", "Acme"),
        ("organisation", "zzz", "Acme, NVIDIA, cTuning"),
        ("organisation", "", "Acme, NVIDIA, cTuning"),
        ("scenario", "Offlin", "Offline"),
        ("task", "x" * 1000, "image-classification"),
    ],
)
def test_what_no_result_has(store: Store, name: str, given: str, expected: str) -> None:
    with pytest.raises(AssayError) as caught:
        spelt(store, name, given)
    assert caught.value.expected == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('organisation == "nvidia"', ['no result has organisation "nvidia"; closest: NVIDIA']),
        ('"nvidia" == Organisation', ['no result has organisation "nvidia"; closest: NVIDIA']),
        ('organisation == "NVIDIA" and watts > 1e9', []),
        ('organisation != "nobody"', []),
        ('organisation like "nobody"', []),
        ('not (accelerator in ("H100", "zzz"))', [
            'no result has accelerator "H100"; closest: H100-PCIe-80GB, h100-PCIE-80gb',
            'no result has accelerator "zzz"',
        ]),
        ('category == "egde" or category == "edge"', ['no result has category "egde"; closest: edge']),
        ('rank(watts) == 1 and own_metric == "x"', []),
        ('organisation == "nobody" or organisation == "nobody"', ['no result has organisation "nobody"']),
    ],
)  # fmt: skip
def test_what_a_filter_asks_for_that_is_not_there(store: Store, text: str, told: list[str]) -> None:
    assert strange(store, text) == told


def test_the_index_as_it_is(settings: Settings) -> None:
    with existing_store(settings) as none:
        assert none is None
    put(settings, [make_row(0)])
    with open_store(settings):
        pass
    put(settings, [make_row(0), make_row(1)])
    with existing_store(settings) as old:
        assert old is not None
        assert len(old.run("SELECT uid FROM results").fetchall()) == 1
