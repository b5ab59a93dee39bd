from __future__ import annotations

import os
from pathlib import Path

import pytest

from assay.backends.openai_options import OPTIONS, read_endpoint
from assay.errors import InvalidInputError, NotFoundError, UsageError

HERE = {"address": "http://127.0.0.1:8000"}


@pytest.mark.parametrize(
    ("address", "base"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/v1"),
        ("127.0.0.1:8000/v1/", "http://127.0.0.1:8000/v1"),
        ("https://host.example/api/v1", "https://host.example/api/v1"),
        ("[::1]:9", "http://[::1]:9/v1"),
    ],
    ids=range(4),
)
def test_addresses(address: str, base: str) -> None:
    endpoint = read_endpoint({"address": address})
    assert endpoint.base == base
    assert endpoint.path == f"{base}/completions"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ftp://host",
        "http://",
        "http://h:99999",
        "http://h:0",
        "http://h/?q=1",
        "http://h/#f",
        "http://me:secret@host",
        "http://[",
        "http://me@h",
    ],
    ids=range(10),
)
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(UsageError, match="address") as caught:
        read_endpoint({"address": address})
    assert "secret" not in str(caught.value)


def test_the_usual_way() -> None:
    endpoint = read_endpoint(HERE)
    assert (endpoint.model, endpoint.key, endpoint.chat, endpoint.as_tokens) == ("", "", False, False)
    assert (endpoint.stream, endpoint.strict, endpoint.retries) == (True, True, 2)
    assert (endpoint.silent_s, endpoint.longest_s, dict(endpoint.fields)) == (120, 600, {})


def test_every_option() -> None:
    given = {
        "endpoint": "chat",
        "stream": "off",
        "decoding": "server",
        "timeout": "5s",
        "longest": "1.5",
        "retries": "0",
    }
    endpoint = read_endpoint({**HERE, **given, "model": "a/b:c", "field.n": "4", "field.stop": '["x"]'})
    assert endpoint.path.endswith("/v1/chat/completions")
    assert (endpoint.stream, endpoint.strict, endpoint.silent_s, endpoint.longest_s) == (False, False, 5, 1.5)
    assert (endpoint.model, endpoint.retries, dict(endpoint.fields)) == ("a/b:c", 0, {"n": 4, "stop": ["x"]})
    assert set(given) < set(OPTIONS)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("adress", "x", "no option 'adress'"),
        ("endpoint", "talk", "endpoint is completions or chat"),
        ("prompt", "ids", "prompt is text or tokens"),
        ("stream", "maybe", "stream is on or off"),
        ("timeout", "0", "number of seconds"),
        ("timeout", "nan", "number of seconds"),
        ("longest", "inf", "number of seconds"),
        ("retries", "-1", "retries is a number"),
        ("retries", "21", "retries is a number"),
        ("model", "a\nb", "no name of a model"),
        ("field.n", "four", "no JSON"),
        ("field.prompt", '"x"', "cannot be a further field"),
        ("field.a b", "1", "cannot be a further field"),
        ("field.n", "1" * 5000, "too long"),
    ],
    ids=range(14),
)
def test_options_that_do_not_exist(name: str, value: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_endpoint({**HERE, name: value})


def test_a_chat_takes_text() -> None:
    with pytest.raises(UsageError, match="as text"):
        read_endpoint({**HERE, "endpoint": "chat", "prompt": "tokens"})


def test_a_key_is_read_from_its_file_and_shown_to_nobody(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("sk-secret\n")
    endpoint = read_endpoint({**HERE, "key-file": str(path)})
    assert endpoint.key == "sk-secret"
    assert "sk-secret" not in repr(endpoint)


def test_a_key_is_not_sent_unprotected_by_accident(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("sk-secret")
    given = {"address": "http://host.example", "key-file": str(path)}
    with pytest.raises(UsageError, match="unprotected") as caught:
        read_endpoint(given)
    assert "sk-secret" not in str(caught.value)
    assert read_endpoint({**given, "insecure": "on"}).key
    assert read_endpoint({**given, "address": "https://host.example"}).key


@pytest.mark.parametrize("content", [b"", b"two words", b"a\nb", "schlüssel".encode(), b"x" * 9000], ids=range(5))
def test_files_that_hold_no_key(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    with pytest.raises(InvalidInputError, match="holds no key"):
        read_endpoint({**HERE, "key-file": str(path)})


def test_a_key_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_endpoint({**HERE, "key-file": str(tmp_path / "none")})
    with pytest.raises(InvalidInputError, match="cannot be read"):
        read_endpoint({**HERE, "key-file": str(tmp_path)})
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidInputError, match="cannot be read"):
        read_endpoint({**HERE, "key-file": str(tmp_path / "pipe")})
