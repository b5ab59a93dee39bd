from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.cm.names import Address, Name, TagQuery, check_alias
from assay.errors import UsageError

UID = "a0a2d123ef064bcb"


def test_the_four_forms_of_a_name() -> None:
    assert Name.parse("experiment") == Name("experiment")
    assert Name.parse(UID.upper()) == Name(uid=UID)
    assert Name.parse(f"experiment,{UID}") == Name.parse(f"{UID},experiment") == Name("experiment", UID)
    assert Name.parse("") == Name()


@pytest.mark.parametrize("text", ["a,b", "a,b,c", f"{UID},{UID}"])
def test_what_is_no_name(text: str) -> None:
    with pytest.raises(UsageError, match="not a CM name"):
        Name.parse(text)


def test_uids_decide_where_both_have_one() -> None:
    assert Name("other", UID).fits(Name("thing", UID))
    assert not Name("thing", UID).fits(Name("thing", "0" * 16))
    assert Name("thing", UID).fits(Name("THING"))
    assert not Name(uid=UID).fits(Name("thing"))


def test_wildcards_look_at_aliases_only() -> None:
    assert Name("mlperf-*--offline").fits(Name("mlperf-inference--v3.1--offline", UID))
    assert Name("v3.?").fits(Name("V3.1"))
    assert not Name("a*").fits(Name("", UID))
    assert Name().fits(Name("anything"))
    assert Name("a[bc]").fits(Name("a[bc]")) and not Name("a[bc]").fits(Name("ab"))


def test_addresses() -> None:
    assert Address.parse("local:bert") == Address(Name("bert"), Name("local"))
    assert Address.parse("local:") == Address(Name(), Name("local"))
    assert Address.parse(UID) == Address(Name(uid=UID))
    with pytest.raises(UsageError, match="not a CM address"):
        Address.parse("a:b:c")


def test_tags_are_all_of_and_none_of() -> None:
    query = TagQuery.parse(" mlperf, offline ,-power,, -")
    assert query == TagQuery(frozenset({"mlperf", "offline"}), frozenset({"power"}))
    assert query.fits(["offline", "mlperf", "edge"])
    assert not query.fits(["offline", "mlperf", "power"])
    assert not query.fits(["offline", "MLPerf"])
    assert TagQuery.parse("").fits([])


@given(
    st.lists(st.sampled_from(["a", "b", "c", "d"])),
    st.sets(st.sampled_from(["a", "b", "c", "d"])),
    st.sets(st.sampled_from("abcd")),
)
def test_a_tag_query_is_set_algebra(tags: list[str], wanted: set[str], unwanted: set[str]) -> None:
    query = TagQuery.parse(",".join([*wanted, *(f"-{tag}" for tag in unwanted)]))
    assert query.fits(tags) == (wanted <= set(tags) and not unwanted & set(tags))


@pytest.mark.parametrize(
    "alias", ["", "..", "../x", "a/b", "a b", "a,b", "a:b", "*", "-x", UID, "x" * 201, "a.", ".hidden"]
)
def test_aliases_that_are_refused(alias: str) -> None:
    with pytest.raises(UsageError, match="cannot be an alias"):
        check_alias(alias)


def test_aliases_of_the_real_repositories_are_taken() -> None:
    for alias in (
        "mlperf-inference--v3.1--edge--open--bert-99.9--offline",
        "mlcommons@cm4mlperf-results",
        "local",
        "resnet50_v1.5",
    ):
        assert check_alias(alias) == alias
