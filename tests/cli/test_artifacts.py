from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

from assay.cli.main import run
from assay.cm.repository import create_repository

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _fresh(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CM_REPOS", raising=False)


def call(capsys: Capture, *arguments: str) -> tuple[int, str, str]:
    code = run([*arguments])
    out, err = capsys.readouterr()
    return code, out, err


def document(capsys: Capture, *arguments: str) -> object:
    code, out, err = call(capsys, *arguments, "--json")
    assert code == 0, out + err
    return json.loads(out)


def meta(capsys: Capture, name: str, *more: str) -> dict[str, object]:
    found = document(capsys, "show", "experiment", name, *more)
    assert isinstance(found, dict)
    return found["meta"]


def test_add_find_show_update_copy_move_remove(capsys: Capture, home: Path) -> None:
    code, out, _ = call(capsys, "add", "experiment", "one", "--tags", "a,b", "--set", "x=1", "--set", 'y.z="1"')
    assert code == 0 and out.startswith("added local:one, uid ")
    assert meta(capsys, "one")["x"] == 1 and meta(capsys, "one")["y"] == {"z": "1"}
    assert call(capsys, "update", "experiment", "one", "--tags", "c,-a", "--set", "x=true", "--unset", "y.z")[0] == 0
    changed = meta(capsys, "one")
    assert (changed["x"], changed["y"], changed["tags"]) == (True, {}, ["b", "c"])
    assert call(capsys, "copy", "experiment", "one", "two")[1].startswith("copied to local:two")
    assert call(capsys, "move", "experiment", "two", "three")[1].startswith("moved to local:three")
    code, out, _ = call(capsys, "find", "experiment")
    assert [line.split()[0] for line in out.splitlines()] == ["local:one", "local:three"]
    assert "would remove local:three" in call(capsys, "remove", "experiment", "t*", "--dry-run")[1]
    assert call(capsys, "remove", "experiment", "t*", "--yes")[1] == "removed local:three\n"
    assert [path.name for path in (home / "repos" / "local" / "experiment").iterdir()] == ["one"]


def test_find_by_tags_fields_and_wildcards(capsys: Capture) -> None:
    for name, watts in (("bert-offline", 100), ("bert-server", 300), ("resnet", 200)):
        call(capsys, "add", "experiment", name, "--tags", f"mlperf,{name[:4]}", "--set", f"power.watts={watts}")

    def aliases(*arguments: str) -> list[str]:
        found = document(capsys, "find", "experiment", *arguments)
        assert isinstance(found, list)
        return [each["alias"] for each in found]

    assert aliases() == ["bert-offline", "bert-server", "resnet"]
    assert aliases("bert-*") == ["bert-offline", "bert-server"]
    assert aliases("--tags", "mlperf,-bert") == ["resnet"]
    assert aliases("mlperf bert") == aliases("mlperf,bert") == ["bert-offline", "bert-server"]
    assert aliases("--where", "power.watts>100", "--where", "power.watts<300") == ["resnet"]
    assert aliases("local:resnet") == aliases("resnet", "--repo", "local") == ["resnet"]
    code, out, err = call(capsys, "find", "experiment", "nothing")
    assert (code, out, "nothing found" in err) == (0, "", True)
    assert "there is experiment" in call(capsys, "find", "experimnt")[2]
    code, out, _ = call(capsys, "find", "experiment", "resnet", "--paths")
    assert Path(out.strip()).joinpath("_cm.json").is_file()
    assert call(capsys, "find", "experiment", "--where", "watts")[0] == 2


def test_bases_are_shown_unless_raw(capsys: Capture) -> None:
    call(capsys, "add", "cfg", "base", "--tags", "base", "--set", "limit.a=1")
    call(capsys, "add", "experiment", "child", "--tags", "child", "--set", "limit.b=2", "--base", "cfg::base")
    assert meta(capsys, "child")["tags"] == ["base", "child"] and meta(capsys, "child")["limit"] == {"a": 1, "b": 2}
    assert meta(capsys, "child", "--raw")["_base"] == "cfg::base"
    assert "bases       cfg::base" in call(capsys, "show", "experiment", "child")[1]
    call(capsys, "update", "cfg", "base", "--set", "_base=experiment::child")
    code, _, err = call(capsys, "show", "experiment", "child")
    assert code == 4 and "experiment::child -> cfg::base -> experiment::child" in err
    assert call(capsys, "show", "experiment", "child", "--raw")[0] == 0


def test_yaml_stays_yaml(capsys: Capture, home: Path) -> None:
    call(capsys, "add", "experiment", "one", "--yaml", "--set", "a=1")
    folder = home / "repos" / "local" / "experiment" / "one"
    (folder / "_cm.yaml").write_text("# why\n" + (folder / "_cm.yaml").read_text())
    call(capsys, "update", "experiment", "one", "--set", "b=[1,2]")
    call(capsys, "move", "experiment", "one", "two")
    folder = folder.with_name("two")
    assert [path.name for path in folder.iterdir()] == ["_cm.yaml"]
    assert "# why" in (folder / "_cm.yaml").read_text() and meta(capsys, "two")["b"] == [1, 2]


def test_fields_from_a_file(capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text('{"a": {"b": null}, "uid": "ignored"}')
    call(capsys, "add", "experiment", "one", "--meta", str(tmp_path / "m.json"), "--uid", "0" * 16)
    assert meta(capsys, "one")["a"] == {"b": None} and meta(capsys, "one")["uid"] == "0" * 16
    (tmp_path / "m.json").write_text("[")
    assert call(capsys, "add", "experiment", "two", "--meta", str(tmp_path / "m.json"))[0] == 4


def test_twins_and_other_repositories(capsys: Capture, tmp_path: Path) -> None:
    for name in ("one", "two"):
        create_repository(tmp_path / name, "org@twins", uid="f" * 16)
        assert call(capsys, "repo", "add", str(tmp_path / name))[0] == 0
        assert call(capsys, "add", "experiment", "shared", "--repo", str(tmp_path / name), "--tags", name)[0] == 0
    code, _, err = call(capsys, "show", "experiment", "shared")
    assert code == 2 and f"{tmp_path / 'one'}:shared" in err and f"{tmp_path / 'two'}:shared" in err
    code, _, err = call(capsys, "add", "experiment", "org@twins:x")
    assert code == 2 and "fits 2 repositories" in err
    assert document(capsys, "show", "experiment", f"{tmp_path / 'two'}:shared")["tags"] == ["two"]  # type: ignore[index]
    assert call(capsys, "move", "experiment", f"{tmp_path / 'two'}:shared", "local:")[0] == 0
    assert document(capsys, "show", "experiment", "local:shared")["tags"] == ["two"]  # type: ignore[index]
    assert call(capsys, "copy", "experiment", "local:shared", "local:")[0] == 2
    code, _, err = call(capsys, "show", "experiment", "local:x", "--repo", "local")
    assert code == 2 and "named twice" in err


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("add", "experiment", "../out"), 2, "cannot be an alias"),
        (("add", "experiment", "a b"), 2, "cannot be an alias"),
        (("add", "experiment", "local:"), 2, "no target"),
        (("add", "experiment", "x", "--tags", "a,-b"), 2, "no tag 'b'"),
        (("add", "experiment", "x", "--set", "nothing"), 2, "no assignment"),
        (("add", "experiment", "x", "--uid", "XYZ"), 2, "cannot be a uid"),
        (("add", "nokind", "x"), 3, "unknown automation"),
        (("add", "../x,0123456789abcdef", "x"), 2, "cannot be an alias"),
        (("add", "experiment", "gone:x"), 3, "unknown repository"),
        (("show", "experiment", "gone"), 3, "unknown experiment"),
        (("update", "experiment", "one", "--set", "uid=x"), 2, "known by"),
        (("copy", "experiment", "one", "one"), 2, "already"),
        (("move", "experiment", "one", "/etc:x"), 3, "unknown repository"),
        (("remove", "experiment", "one"), 2, "nobody to ask"),
        (("remove", "experiment", "local:"), 2, "which artifacts"),
        (("remove", "experiment", "z*", "--yes"), 3, "is called"),
    ],
)
def test_what_cannot_be_done_is_told(capsys: Capture, arguments: tuple[str, ...], code: int, says: str) -> None:
    call(capsys, "add", "experiment", "one")
    found, _, err = call(capsys, *arguments)
    assert (found, says in err) == (code, True), err


def test_strangers_text_does_not_steer_the_terminal(capsys: Capture, home: Path) -> None:
    call(capsys, "add", "experiment", "one")
    file = home / "repos" / "local" / "experiment" / "one" / "_cm.json"
    file.write_text(
        file.read_text().replace('"one"', '"one\\u001b[31m\\nx"').replace('"tags": []', '"tags": ["\\u202e"]')
    )
    for arguments in (("find", "experiment"), ("show", "experiment", "one*")):
        code, out, _ = call(capsys, *arguments)
        assert code == 0 and "\x1b" not in out and "\u202e" not in out


def test_what_cannot_be_read_is_passed_over_and_told(capsys: Capture, home: Path) -> None:
    call(capsys, "add", "experiment", "one")
    bad = home / "repos" / "local" / "experiment" / "bad"
    bad.mkdir()
    (bad / "_cm.json").write_text("{")
    code, out, err = call(capsys, "find", "experiment")
    assert (code, len(out.splitlines())) == (0, 1) and "1 unreadable artifact" in err
    assert call(capsys, "find", "experiment", "--where", "a=null")[0] == 0


@pytest.mark.parametrize(
    ("number", "says"), [(errno.ENOSPC, "no space left"), (errno.EROFS, "read-only"), (errno.EACCES, "no permission")]
)
def test_a_disk_that_takes_nothing_is_told_and_nothing_is_lost(
    capsys: Capture, home: Path, monkeypatch: pytest.MonkeyPatch, number: int, says: str
) -> None:
    call(capsys, "add", "experiment", "one", "--tags", "a")
    before = meta(capsys, "one")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, "refused")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    for arguments in (("update", "experiment", "one", "--tags", "b"), ("add", "experiment", "two")):
        code, _, err = call(capsys, *arguments)
        assert code == 5 and says in err
    monkeypatch.undo()
    monkeypatch.setenv("ASSAY_HOME", str(home))
    assert meta(capsys, "one") == before
    assert len(call(capsys, "find", "experiment")[1].splitlines()) == 1


def test_find_by_an_expression(capsys: Capture) -> None:
    call(capsys, "add", "experiment", "base", "--set", "power.watts=300", "--tags", "mlperf")
    call(capsys, "add", "experiment", "small", "--set", "power.watts=20", "--tags", "mlperf,edge")
    call(capsys, "add", "experiment", "heir", "--base", "experiment::base", "--set", "done=true")
    for text, names in (
        ("power.watts >= 100", ["base", "heir"]),
        ('tags contains "edge" or done', ["heir", "small"]),
        ("power.watts < 100 and not done", []),
        ("done is null and power.watts < 100", ["small"]),
    ):
        found = document(capsys, "find", "experiment", "--filter", text)
        assert isinstance(found, list)
        assert sorted(each["alias"] for each in found) == names
    found = document(capsys, "find", "experiment", "s*", "--filter", "power.watts > 0", "--tags", "-x")
    assert isinstance(found, list) and [each["alias"] for each in found] == ["small"]
    code, _, err = call(capsys, "find", "experiment", "--filter", "power.wats > 1")
    assert code == 4
    assert "unknown name 'power.wats'; expected power.watts\n  power.wats > 1\n  ^^^^^^^^^^" in err
    code, _, err = call(capsys, "find", "nothing", "--filter", "power.wats > 1")
    assert (code, err) == (0, "nothing found\n")
