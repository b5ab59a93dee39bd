from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from assay.submission.issue import Issue

from .damages import put, server, take
from .measured import BY_CLIENT, BY_SERVER, PTD_LOG, Measured, build, link


@pytest.fixture
def measured(tmp_path: Path) -> Measured:
    return build(tmp_path / "tree", "v3.0")


def issues(measured: Measured) -> list[Issue]:
    return measured.checked("v3.0")["hashes"]


@pytest.mark.parametrize("name", [*BY_CLIENT, *BY_SERVER])
def test_each_log_is_hashed(name: str, measured: Measured) -> None:
    old = (measured.path / name).read_bytes()
    measured.write(name, old + b" ")
    (issue,) = issues(measured)
    assert (issue.code, issue.path) == ("power-hash-differs", f"{measured.relative}/{name}")
    assert issue.found == hashlib.sha1(old + b" ").hexdigest()
    assert issue.expected == hashlib.sha1(old).hexdigest()
    assert issue.detail.endswith("(client.json)" if name in BY_CLIENT else "(server.json)")


@pytest.mark.parametrize("name", [*BY_CLIENT, *BY_SERVER])
def test_each_log_has_to_be_there(name: str, measured: Measured) -> None:
    (measured.path / name).unlink()
    assert [(issue.code, issue.path) for issue in issues(measured)] == [
        ("power-hashed-file-missing", f"{measured.relative}/{name}")
    ]


def test_a_record_that_nobody_made_is_missed_once(measured: Measured) -> None:
    server(take("results", "run_1/spl.txt"))(measured)
    (issue,) = issues(measured)
    assert (issue.code, issue.field) == ("power-hash-unrecorded", "results.run_1/spl.txt")
    assert issue.expected == "its SHA-1 here or in client.json"
    assert issue.line is not None


def test_the_servers_record_counts(measured: Measured) -> None:
    server(put("results", "power/client.log", value="1" * 40))(measured)
    found = issues(measured)
    assert [issue.code for issue in found] == ["power-hash-conflict", "power-hash-differs"]
    assert found[0].expected == f"{'1' * 40} (server.json)"
    assert found[0].line is not None
    assert found[1].expected == "1" * 40


def test_a_record_in_capitals_is_another_one(measured: Measured) -> None:
    def shout(data: dict[str, dict[str, str]]) -> None:
        data["results"][PTD_LOG] = data["results"][PTD_LOG].upper()

    server(shout)(measured)
    assert [issue.code for issue in issues(measured)] == ["power-hash-differs"]


@pytest.mark.parametrize("junk", [None, 5, [], {}, "\ud800", ["a"]])
def test_a_record_of_another_kind_is_another_one(junk: object, measured: Measured) -> None:
    server(put("results", PTD_LOG, value=junk))(measured)
    assert [issue.code for issue in issues(measured)] == ["power-hash-differs"]


def test_line_ends_of_the_daemons_log_are_mixed(measured: Measured) -> None:
    lines = [
        b"03-01-2023 18:00:05.000: Response to client sent: Hello\r\n",
        b"03-01-2023 18:00:06.000: Avg watts 5\r\n",
        b"03-01-2023 18:00:07.000: Completed test\n",
    ]
    measured.raw(PTD_LOG, b"".join(lines))
    measured.write(PTD_LOG, b"".join(lines).replace(b"\r", b""))
    (issue,) = issues(measured)
    assert issue.code == "power-hash-line-ends"
    measured.write(PTD_LOG, b"".join(lines).replace(b"\r", b"") + b"\n")
    (issue,) = issues(measured)
    assert issue.code == "power-hash-differs"


def test_a_link_inside_the_tree_is_the_file(measured: Measured) -> None:
    name = "power/client.log"
    (measured.path / name).rename(measured.root / "elsewhere")
    link(measured, name, "../../../../../../../../elsewhere")
    assert (measured.path / name).is_file()
    assert issues(measured) == []


def test_a_link_out_of_the_tree_is_no_file(measured: Measured, tmp_path: Path) -> None:
    name = "power/client.log"
    (measured.path / name).rename(tmp_path / "elsewhere")
    link(measured, name, str(tmp_path / "elsewhere"))
    (issue,) = issues(measured)
    assert (issue.code, issue.detail) == ("power-file-unreadable", "a link out of the tree is not followed")


def test_what_nobody_hashed_only_has_to_open(measured: Measured, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"")
    link(measured, "run_1/more.txt", str(tmp_path / "elsewhere"))
    link(measured, "run_1/folder", str(tmp_path))
    link(measured, "run_1/here", ".")
    assert issues(measured) == []
    link(measured, "run_1/round", "round")
    assert [(issue.code, issue.detail) for issue in issues(measured)] == [
        ("power-file-unreadable", "a link to nowhere")
    ]


def test_power_behind_a_link_is_not_seen(measured: Measured) -> None:
    (measured.path / "power").rename(measured.path / "watts")
    (measured.path / "power").symlink_to("watts")
    found = issues(measured)
    assert {issue.code for issue in found} == {"power-hashed-file-missing"}
    missing = {issue.path.removeprefix(f"{measured.relative}/") for issue in found}
    assert missing == {
        f"power/{name}" for name in ("client.json", "client.log", "ptd_logs.txt", "server.json", "server.log")
    }
