"""How a server is set up by file and command line, what it listens on, and what it does when it cannot start."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from assay.base.settings import Settings
from assay.errors import AssayError, MachineError, NotFoundError, UsageError
from assay.playground.security.config import ServerConfig
from assay.playground.serve import checked, configured, listening, serve

SAFE = """base_url: https://results.example.org
allowed_hosts: [results.example.org]
secret: 0123456789abcdefghijklmnopqrstuvwxyz
metrics_token: 0123456789abcdef
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "server.yaml"
    path.write_text(text)
    return path


def test_without_a_file_it_is_a_single_users(tmp_path: Path) -> None:
    config = configured(None)
    assert (config.single_user, config.host, config.port, config.public) == (True, "127.0.0.1", 8080, False)
    assert configured(None, public=True).single_user is False
    assert configured(written(tmp_path, SAFE)).single_user is False


def test_the_command_line_goes_before_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, SAFE + "host: 192.0.2.1\nport: 9000\n")
    assert (configured(path).host, configured(path).port) == ("192.0.2.1", 9000)
    config = configured(path, host="192.0.2.2", port=0, public=True)
    assert (config.host, config.port, config.public) == ("192.0.2.2", 0, True)
    assert config.secret == "0123456789abcdefghijklmnopqrstuvwxyz"
    assert configured(written(tmp_path, SAFE + "public: true\n")).public is True


def test_secrets_that_stand_in_files_stay_what_they_are(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("0123456789abcdefghijklmnopqrstuvwxyz\n")
    path = written(tmp_path, "secret_file: secret\n")
    assert configured(path, port=1).secret == "0123456789abcdefghijklmnopqrstuvwxyz"
    with pytest.raises(NotFoundError):
        configured(written(tmp_path, "secret_file: nothing\n"))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", "localhost.evil.example"])
def test_a_single_users_is_for_this_machine(tmp_path: Path, host: str) -> None:
    with pytest.raises(UsageError, match="maintainer"):
        configured(None, host=host)
    with pytest.raises(UsageError, match="maintainer"):
        configured(written(tmp_path, f"single_user: true\nhost: '{host}'\n"))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1"])
def test_this_machine_has_several_names(host: str) -> None:
    assert configured(None, host=host).host == host


def test_only_public_ones_are_checked(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    checked(ServerConfig(), settings)
    with pytest.raises(UsageError, match="base_url is missing"):
        checked(ServerConfig(public=True), settings)
    checked(configured(written(tmp_path, SAFE), public=True), settings)
    (tmp_path / "playground.sqlite").touch(0o644)
    with pytest.raises(UsageError, match="chmod 600"):
        checked(configured(written(tmp_path, SAFE), public=True), settings)


def test_the_next_free_port_unless_one_is_asked_for() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(MachineError, match=str(port)):
            listening(ServerConfig(port=port), fixed=True)
        with listening(ServerConfig(port=port), fixed=False) as found:
            assert found.getsockname()[1] > port


def test_the_last_port_has_no_next_one() -> None:
    with socket.socket() as taken:
        try:
            taken.bind(("127.0.0.1", 65535))
        except OSError:
            pytest.skip("somebody else has it")
        taken.listen()
        with pytest.raises(MachineError, match="65535"):
            listening(ServerConfig(port=65535), fixed=False)


@pytest.mark.parametrize("host", ["nowhere.invalid", "a" * 70, "..", "999.1.1.1", "\0", "203.0.113.200", "::zz"])
def test_a_host_that_cannot_be_listened_on(host: str) -> None:
    with pytest.raises(MachineError, match="cannot listen"):
        listening(ServerConfig(host=host, port=0), fixed=True)


def test_what_is_wrong_is_told_before_it_is_ready(tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    config = ServerConfig(port=0)
    with listening(config, fixed=True) as sock, pytest.raises(AssayError):
        serve(
            Settings(home=tmp_path / "home"),
            config,
            sock,
            write_log=None,
            ready=lambda: pytest.fail("it said that it was ready"),
        )
