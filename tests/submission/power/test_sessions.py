from __future__ import annotations

from pathlib import Path

from assay.submission.issue import Issue

from .damages import channels, client, put, server, take
from .measured import Measured, build


def issues(tmp_path: Path, check: str, *edits: object) -> list[Issue]:
    measured = build(tmp_path, "v3.0")
    for edit in edits:
        edit(measured)  # type: ignore[operator]
    return measured.checked("v3.0")[check]


def line_of(tmp_path: Path, issue: Issue) -> str:
    assert issue.line is not None
    return (tmp_path / issue.path).read_text(encoding="utf-8").splitlines()[issue.line - 1]


def test_sources_are_compared_with_the_closest_set(tmp_path: Path) -> None:
    (issue,) = issues(tmp_path, "client-sources", client(put("sources", "lib/client.py", value="1" * 40)))
    assert (issue.field, issue.found) == ("sources.lib/client.py", "1" * 40)
    assert issue.expected == "4c2b78fb4849a7e5b584ef792d82aaed20b17f57"
    assert "1111" in line_of(tmp_path, issue)


def test_no_more_than_three_sources_are_told(tmp_path: Path) -> None:
    found = issues(tmp_path, "server-sources", server(put("sources", value={"\ud800x": 1})))
    assert [(issue.found, issue.expected) for issue in found][:1] == [
        ("no such file", "da39a3ee5e6b4b0d3255bfef95601890afd80709")
    ]
    assert len(found) == 3


def test_a_name_of_a_source_is_shown_printable(tmp_path: Path) -> None:
    found = issues(tmp_path, "server-sources", server(put("sources", "\x1b[31m", value="x")))
    assert [issue.field for issue in found] == ["sources.?[31m"]


def test_identities_are_told_with_both(tmp_path: Path) -> None:
    (issue,) = issues(tmp_path, "identities", server(put("uuid", "server", value="1" * 32)))
    assert issue.found == "852a4d6a-ce1d-49cd-aab7-8d4c6b8dc462"
    assert issue.expected == "11111111-1111-1111-1111-111111111111 (server.json)"
    assert '"server": "852a' in line_of(tmp_path, issue)


def test_an_identity_that_is_none(tmp_path: Path) -> None:
    (issue,) = issues(tmp_path, "identities", client(take("uuid", "client")))
    assert (issue.field, issue.found) == ("uuid.client", "nothing")


def test_names_of_the_session(tmp_path: Path) -> None:
    (issue,) = issues(tmp_path, "session-name", client(put("session_name", value=None)))
    assert (issue.found, issue.expected) == ("None", "2023-03-01_18-00-00 (server.json)")


def test_messages_are_told_at_the_first_difference(tmp_path: Path) -> None:
    edits = client(put("messages", 1, "cmd", value="a")), client(put("messages", 2, "reply", value="b"))
    (issue,) = issues(tmp_path, "messages", *edits)
    assert (issue.field, issue.found, issue.expected) == ("messages[1].cmd", "a", "time (server.json)")
    assert '"cmd": "a"' in line_of(tmp_path, issue)


def test_answers_about_the_time_may_differ(tmp_path: Path) -> None:
    assert issues(tmp_path, "messages", client(put("messages", 1, "reply", value="another"))) == []


def test_versions_of_the_protocol(tmp_path: Path) -> None:
    def version(side: str, value: str) -> object:
        return lambda measured: measured.both(put("messages", 0, side, value=value))

    (issue,) = issues(tmp_path / "1", "messages", version("cmd", "mlcommons/power client v12"))
    assert (issue.found, issue.expected) == ("client v12", "v3 as the server")
    assert issues(tmp_path / "2", "messages", version("cmd", "hello, mlcommons/power client v3")) == []
    (issue,) = issues(tmp_path / "3", "messages", version("cmd", "mlcommons/power client v3 "))
    assert (issue.field, issue.expected) == ("messages[0].cmd", "mlcommons/power client v<number>")


def test_kinds_of_devices(tmp_path: Path) -> None:
    (issue,) = issues(tmp_path / "1", "device", server(put("ptd_config", "device_type", value="49")))
    assert (issue.found, issue.expected) == ("49", "one of 8, 35, 48, 49, 52, 77")
    assert issues(tmp_path / "2", "device", server(put("ptd_config", "device_type", value=49.0))) == []


def test_two_channels_are_asked_in_command_and_record(tmp_path: Path) -> None:
    def found(name: str, edit: object) -> list[str]:
        return [issue.code for issue in issues(tmp_path / name, "device", edit)]

    assert found("good", channels(1, 2, command="1,2")) == []
    assert found("record", channels(1, 2, 3, command="1,2")) == ["power-device-channels"]
    assert found("command", channels(1, 2, command="1")) == ["power-device-channels"]
    base = {"device_type": 77, "channel": [1, 2]}
    assert found("no -c", server(put("ptd_config", value={**base, "command": []}))) == ["power-device-channels"]
    assert found("end", server(put("ptd_config", value={**base, "command": ["-c"]}))) == ["power-device-unsupported"]
    assert found("no command", server(put("ptd_config", value=base))) == ["power-device-unsupported"]


def test_debug_is_told_with_its_value(tmp_path: Path) -> None:
    measured: Measured = build(tmp_path, "v3.1")
    measured.json("server", put("debug", value=0))
    (issue,) = measured.checked("v3.1")["debug"]
    assert (issue.field, issue.found, issue.expected) == ("debug", "0", "false, or nothing")
