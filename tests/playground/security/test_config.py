from __future__ import annotations

from pathlib import Path

import pytest

from assay.base.settings import Settings
from assay.errors import AssayError, InvalidInputError, NotFoundError
from assay.playground.accounts.settings import SignUp
from assay.playground.security.config import LOCAL_NAMES, ServerConfig, load_config

SECRET = "0123456789abcdefghijklmnopqrstuv"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "server.yaml"
    path.write_text(text)
    return path


def test_sizes_networks_and_names(tmp_path: Path) -> None:
    config = load_config(
        written(
            tmp_path,
            "host: 0.0.0.0\nbase_url: https://Results.example.org/\nallowed_hosts: ['*.Example.org']\n"
            "trusted_proxies: [10.0.0.0/8, '::1', unix]\nsign_up: open\n"
            "limits: {search: {per_minute: 30, burst: 5}, body: 2MiB}\nupload: {max_bytes: 4GiB, max_ratio: 50}\n",
        )
    )
    assert config.hosts == ("*.example.org", "results.example.org")
    assert (config.base_url, config.secure, config.sign_up) == ("https://Results.example.org", True, SignUp.OPEN)
    assert (config.upload.max_bytes, config.upload.max_files, config.limits.body) == (4 << 30, 200_000, 2 << 20)
    assert (config.limits.search.burst, config.limits.page.burst) == (5, ServerConfig().limits.page.burst)
    assert config.accounts.sign_up is SignUp.OPEN


def test_who_says_nothing_gets_a_server_of_the_own_machine() -> None:
    config = ServerConfig()
    assert (config.host, config.hosts, config.secure, config.public) == ("127.0.0.1", LOCAL_NAMES, False, False)
    assert config.upload.model_dump() == {
        "max_bytes": 2 << 30,
        "max_files": 200_000,
        "max_ratio": 200,
        "max_depth": 16,
        "max_unpacked": 16 << 30,
    }
    assert config.database(Settings(home=Path("/home"))) == "sqlite:////home/playground.sqlite"
    assert ServerConfig(database_url="postgresql://x/y").database(Settings(home=Path("/home"))) == "postgresql://x/y"


@pytest.mark.parametrize(
    ("base_url", "names"),
    [
        ("http://127.0.0.1:8080", ("127.0.0.1",)),
        ("http://[::1]:8080", ("[::1]",)),
        ("https://a.example", ("a.example",)),
    ],
)
def test_the_base_url_names_the_host(base_url: str, names: tuple[str, ...]) -> None:
    assert ServerConfig(base_url=base_url).hosts == names


def test_secrets_in_files_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    (tmp_path / "client").write_text("s3cret")
    config = load_config(
        written(
            tmp_path,
            "base_url: https://a.example\nsecret_file: secret\n"
            "oidc: {issuer: 'https://id.example', client_id: assay, client_secret_file: client}\n",
        )
    )
    assert config.secret == SECRET and config.oidc is not None and config.oidc.client_secret == "s3cret"
    assert SECRET not in repr(config) and "s3cret" not in repr(config)


@pytest.mark.parametrize("content", [b"", b"\n", b"a\nb", b"\xff\xfe", b"x" * 5000])
def test_a_file_that_holds_no_secret(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "secret").write_bytes(content)
    with pytest.raises(InvalidInputError) as caught:
        load_config(written(tmp_path, "port: 80\nsecret_file: secret\n"))
    assert "server.yaml:2: secret_file" in str(caught.value)


def test_a_file_with_a_secret_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError) as caught:
        load_config(written(tmp_path, "secret_file: nowhere\n"))
    assert "server.yaml:1" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("prot: 80", "1: prot"),
        ("port: 70000", "1: port"),
        ("port: 80\nlimits:\n  page: {per_minute: 0, burst: 1}", "3: limits.page.per_minute"),
        ("upload: {max_bytes: much}", "1: upload.max_bytes"),
        ("upload: {max_depth: 0}", "1: upload.max_depth"),
        ("base_url: results.example.org", "1: base_url"),
        ("base_url: https://a.example/path", "1: base_url"),
        ("base_url: 'https://u:p@a.example'", "1: base_url"),
        ("allowed_hosts: ['a.example:80']", "1: allowed_hosts"),
        ("allowed_hosts: ['*']", "1: allowed_hosts"),
        ("trusted_proxies: [proxy.example]", "1: trusted_proxies"),
        ("sign_up: maybe", "1: sign_up"),
        ("metrics_token: short", "1: metrics_token"),
        ("oidc: {issuer: 'http://id.example', client_id: x}", "1: oidc.issuer"),
        ("oidc: {issuer: 'https://id.example?x=1', client_id: x}", "1: oidc.issuer"),
        ("oidc: {issuer: 'https://id.example', client_id: x}", "base_url"),
        ("session_hours: 0", "1: session_hours"),
        ("secret: abc\nsecret_file: x", "both given"),
        ("log_format: xml", "1: log_format"),
    ],
)
def test_errors_have_line_and_key(tmp_path: Path, text: str, where: str) -> None:
    with pytest.raises(AssayError) as caught:
        load_config(written(tmp_path, text))
    assert where in str(caught.value)


def test_a_misspelt_key_is_told_with_what_is_meant(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError) as caught:
        load_config(written(tmp_path, "alowed_hosts: []"))
    assert caught.value.expected == "allowed_hosts or host"


@pytest.mark.parametrize(
    "text",
    [
        "metrics_token: hunter2\n",
        "secret: [hunter2]\n",
        "secret: hunter2\nsecret_file: x\n",
        "database_url: {password: hunter2}\n",
        "base_url: https://a.example\noidc: {issuer: 'https://id.example', client_id: x, client_secret: [hunter2]}\n",
    ],
)
def test_no_secret_stands_in_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        load_config(written(tmp_path, text))
    assert "hunter2" not in str(caught.value.to_dict())
