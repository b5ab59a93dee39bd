from __future__ import annotations

import pytest

from assay.backends.kserve_options import OPTIONS, Remote, read_remote
from assay.errors import UsageError


def remote(address: str, **more: str) -> Remote:
    return read_remote({"address": address, "model": "m", **more})


@pytest.mark.parametrize(
    ("address", "shown", "protocol"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000", "http"),
        ("http://127.0.0.1:8000/v2/", "http://127.0.0.1:8000", "http"),
        ("https://example.org/models", "https://example.org:443/models", "http"),
        ("grpc://host", "grpc://host:8001", "grpc"),
        ("grpcs://host:9", "grpcs://host:9", "grpc"),
        ("host:9", "http://host:9", "http"),
        ("host", "http://host:8000", "http"),
        ("http://[::1]:8000", "http://[::1]:8000", "http"),
    ],
)
def test_addresses_in_every_spelling(address: str, shown: str, protocol: str) -> None:
    found = remote(address)
    assert (found.address, found.protocol) == (shown, protocol)


def test_the_protocol_may_be_told_beside_the_address() -> None:
    assert remote("host:1", protocol="grpc").address == "grpc://host:1"
    assert remote("grpc://host:1", protocol="grpc").protocol == "grpc"
    for address, protocol in (("http://host", "grpc"), ("host", "soap")):
        with pytest.raises(UsageError):
            remote(address, protocol=protocol)


@pytest.mark.parametrize(
    "address",
    [
        "ftp://host",
        "http://",
        "http://user:secret@host",
        "http://host:99999",
        "http://host?x=1",
        "grpc://host/path",
        "://",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="no address"):
        remote(address)


def test_the_path_of_a_model_holds_nothing_but_its_name() -> None:
    assert remote("host", version="2").model_path == "/v2/models/m/versions/2"
    assert read_remote({"address": "host", "model": "a?b#c"}).model_path == "/v2/models/a%3Fb%23c"
    assert remote("host", version="2").shown == "m version 2"
    for name in ("a/b", "a b", "a\n", "x" * 300):
        with pytest.raises(UsageError):
            read_remote({"address": "host", "model": name})


@pytest.mark.parametrize("key", ["address", "model"])
def test_what_is_missing_is_asked_for(key: str) -> None:
    given = {"address": "host", "model": "m"}
    del given[key]
    with pytest.raises(UsageError) as caught:
        read_remote(given)
    assert f"--backend-option {key}=" in (caught.value.expected or "")


@pytest.mark.parametrize("text", ["0", "-1", "soon", "nan", "inf", "1e9"])
def test_a_timeout_is_a_number_of_seconds(text: str) -> None:
    with pytest.raises(UsageError, match="seconds"):
        remote("host", timeout=text)


def test_other_options() -> None:
    found = remote("host", timeout="2.5s", binary="off", host="models.example.org")
    assert (found.timeout_s, found.binary, found.host) == (2.5, False, "models.example.org")
    assert remote("host").binary is None
    for more in ({"binary": "perhaps"}, {"host": "a\r\nX: y"}, {"binary": "on", "protocol": "grpc"}):
        with pytest.raises(UsageError):
            remote("host", **more)
    with pytest.raises(UsageError) as caught:
        remote("host", adress="x")
    assert caught.value.expected == "address"
    assert {"address", "model", "timeout"} <= OPTIONS.keys()
