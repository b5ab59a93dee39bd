from __future__ import annotations

from pathlib import Path

import pytest

from assay.campaign.flow.forms import campaign_schema, folder_of, is_kept, read_campaign
from assay.errors import InvalidInputError, NotFoundError

from .lab import ENTRY, read_lab


def test_relative_paths_begin_at_the_files_folder(tmp_path: Path) -> None:
    campaign = read_lab(tmp_path)
    assert campaign.out == tmp_path / "tree"
    assert campaign.place("/elsewhere/x") == Path("/elsewhere/x")
    assert campaign.form.round == "v3.1"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"rehearsal": False}, "for rehearsals"),
        ({"entries": [ENTRY, ENTRY]}, "given twice"),
        ({"entries": [{**ENTRY, "label": "build"}]}, "label"),
        ({"entries": [{**ENTRY, "time_limit": "1h"}]}, "need an implementation"),
        ({"entries": [{**ENTRY, "implementation": "x", "backend": "openvino"}]}, "backend means nothing to x"),
        ({"entries": [{**ENTRY, "find_rate": True, "target_qps": {"Server": 5}}]}, "is not searched"),
        ({"category": "all"}, "category"),
        ({"power_ntp": "pool"}, "without power"),
        ({"entries": []}, "entries"),
        ({"division": "network"}, "division"),
        ({"categroy": "edge"}, "category"),
        ({"name": "../x"}, "name"),
        ({"entries": [{**ENTRY, "duration": "200"}]}, "not a duration"),
        ({"entries": [{**ENTRY, "target_latency": {"SingleStream": "soon"}}]}, "not a duration"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, changes: dict[str, object], says: str) -> None:
    with pytest.raises(InvalidInputError, match=says) as caught:
        read_lab(tmp_path, **changes)
    assert "lab.yaml" in str(caught.value.where)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_campaign(tmp_path / "none.yaml")


def test_every_key_is_explained_in_the_schema() -> None:
    schema = campaign_schema()
    for form in (schema, schema["$defs"]["EntryForm"]):
        without = [name for name, each in form["properties"].items() if "description" not in each]
        assert without in ([], ["format"])


def test_a_label_tells_settings_of_one_benchmark_apart(tmp_path: Path) -> None:
    form = read_lab(tmp_path, entries=[ENTRY, {**ENTRY, "label": "other", "system": "b"}], category="both").form
    assert [each.title for each in form.entries] == ["colours", "other"] and form.systems == ("./box.json", "b")
    assert [each.value for each in form.categories] == ["datacenter", "edge"]


def test_a_system_is_kept_or_a_file() -> None:
    assert is_kept("lab-xeon") and not is_kept("./x") and not is_kept("x.json")
    assert folder_of("./a/x.json") == "x" and folder_of("lab-xeon") == "lab-xeon"
