from __future__ import annotations

import os
from pathlib import Path

from .conftest import Call, document


def test_status_and_rebuild(call: Call, asked_home: Path) -> None:
    for arguments in ((), ("status",), ("rebuild",)):
        code, out, _ = call("index", *arguments)
        assert code == 0
        lines = [" ".join(line.split()) for line in out.splitlines()]
        assert lines[0].startswith(f"index {asked_home}/index.duckdb (")
        assert lines[1:] == ["results 9", "rows 9 (a result may stand in several repositories)", "local 1 file"]
    found = document(call("index", "status", "--json"))
    assert (found["rows"], found["results"], found["files"], found["problems"]) == (9, 9, {"local": 1}, [])
    assert found["path"] == str(asked_home / "index.duckdb") and found["bytes"] > 0


def test_an_index_may_be_deleted_or_damaged(call: Call, asked_home: Path) -> None:
    before = call("results", "query", "--format", "csv", "-q")[1]
    (asked_home / "index.duckdb").unlink()
    assert call("results", "query", "--format", "csv", "-q")[1] == before
    (asked_home / "index.duckdb").write_bytes(b"no database" * 1000)
    assert call("results", "query", "--format", "csv", "-q")[1] == before
    (asked_home / "index.duckdb").write_bytes(b"")
    assert document(call("index", "rebuild", "--json"))["results"] == 9


def test_what_could_not_be_read_is_told(call: Call, asked_home: Path) -> None:
    (file,) = (asked_home / "repos").rglob("cm-result.json")
    broken = file.parent.parent / "2025-01-01.00-00-00.000000" / file.name
    broken.parent.mkdir()
    broken.write_text('[{"assay_row": {"uid"')
    code, out, err = call("index")
    assert code == 0 and " ".join(out.splitlines()[1].split()) == "results 9"
    assert f"not read: {broken}: not a list of rows" in err
    assert document(call("index", "status", "--json"))["problems"][0]["path"] == str(broken)
    # It is read as soon as it is whole.
    broken.write_text("[]")
    os.utime(broken, ns=(1, 1))
    assert document(call("index", "status", "--json"))["problems"] == []


def test_a_home_that_has_nothing(call: Call, results_home: Path) -> None:
    code, out, _ = call("index", "-h")
    assert code == 0 and "assay index rebuild" in out
    assert document(call("index", "status", "--json"))["results"] == 0
