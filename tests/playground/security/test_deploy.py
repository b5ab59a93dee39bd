"""What is in deploy/ and in its how-to: it parses, it is safe, and it says the same everywhere."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from assay.playground.accounts.database import Database
from assay.playground.security.checks import unsafe_settings
from assay.playground.security.config import ServerConfig, load_config

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
SECRET = "Rk3v9xQ0mZ7pL2wT8yB5nC1dF6gH4jKs"
UID = 10001


@pytest.fixture
def config(tmp_path: Path) -> ServerConfig:
    """The example with secrets beside it."""
    shutil.copy(DEPLOY / "server.yaml", tmp_path)
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    for name in ("cookies", "metrics"):
        (secrets / name).write_text(f"{SECRET}\n")
    (secrets / "database-url").write_text(f"sqlite:///{tmp_path / 'playground.sqlite'}\n")
    return load_config(tmp_path / "server.yaml")


def test_the_example_is_safe_for_strangers(config: ServerConfig) -> None:
    assert config.public and config.secure and config.secret == SECRET
    assert unsafe_settings(config) == []
    assert config.database_url is not None
    Database(config.database_url).close()
    assert unsafe_settings(config) == [], "the database it made is private"


def test_the_example_says_what_holds_without_it(config: ServerConfig) -> None:
    assert (config.limits, config.upload) == (ServerConfig().limits, ServerConfig().upload)
    assert config.session_hours == ServerConfig().session_hours


def test_what_is_commented_out_is_right_too(tmp_path: Path) -> None:
    text = (DEPLOY / "server.yaml").read_text()
    whole = re.sub(r"^# ((?:oidc:|  \w+:).*)$", r"\1", text, flags=re.MULTILINE)
    assert whole != text
    (tmp_path / "server.yaml").write_text(whole)
    (tmp_path / "secrets").mkdir()
    for name in ("cookies", "metrics", "database-url", "oidc"):
        (tmp_path / "secrets" / name).write_text(SECRET)
    found = load_config(tmp_path / "server.yaml")
    assert found.oidc is not None and found.oidc.client_secret == SECRET


def test_the_container_has_no_root_and_no_secret() -> None:
    text = (DEPLOY / "Containerfile").read_text()
    lines = re.sub(r"\\\n", " ", text).splitlines()
    instructions = [line.split(maxsplit=1) for line in lines if line.strip() and not line.startswith("#")]
    names = [each[0] for each in instructions]
    assert set(names) <= {
        "FROM",
        "WORKDIR",
        "COPY",
        "RUN",
        "ENV",
        "USER",
        "VOLUME",
        "EXPOSE",
        "STOPSIGNAL",
        "HEALTHCHECK",
        "ENTRYPOINT",
        "CMD",
    }
    last = names.index("FROM", 1)
    assert dict(instructions[last:])["USER"] == f"{UID}:{UID}" and f"--uid {UID}" in text
    assert "/healthz" in dict(instructions[last:])["HEALTHCHECK"]
    assert not re.search(r"(?i)password|secret|token", text)
    for name, rest in instructions[:last]:
        if name == "COPY":
            assert all((ROOT / source).exists() for source in rest.split()[:-1]), rest
    assert yaml.safe_load(dict(instructions[last:])["CMD"])[:2] == ["serve", "--public"]


def test_the_lock_gives_plain_pins() -> None:
    """The container takes versions from the lock by this pattern."""
    text = (ROOT / "requirements" / "lock.txt").read_text()
    (pattern,) = re.findall(r"grep -E '(\^[^']+)'", (DEPLOY / "Containerfile").read_text())
    pins = re.findall(pattern + r".*$", text, flags=re.MULTILINE)
    assert len(re.findall(r"^[a-z0-9].*==", text, flags=re.MULTILINE)) > 50
    found = {
        line.partition("==")[0].partition("[")[0] for line in text.splitlines() if "==" in line and line[0].isalnum()
    }
    assert {"fastapi", "sqlalchemy", "uvicorn", "psycopg", "hatchling"} <= found
    assert len(pins) >= 50


def test_services_of_the_compose_file() -> None:
    document = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    services = document["services"]
    assert services["assay"]["read_only"] is True and services["assay"]["cap_drop"] == ["ALL"]
    assert (DEPLOY / services["assay"]["build"]["context"] / services["assay"]["build"]["dockerfile"]).is_file()
    assert "ports" not in services["assay"] and "ports" not in services["database"], "only the proxy is reached"
    for name, service in services.items():
        assert "no-new-privileges:true" in service["security_opt"], name
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            known = source in document["volumes"] or source == "./secrets" or (DEPLOY / source).is_file()
            assert known, volume
    assert "POSTGRES_PASSWORD" not in services["database"]["environment"]


def test_proxy_server_and_configuration_name_each_other(config: ServerConfig) -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    address = {name: services[name]["networks"]["inside"]["ipv4_address"] for name in ("assay", "proxy")}
    assert address["proxy"] in config.trusted_proxies
    caddy = (DEPLOY / "Caddyfile").read_text()
    assert f"{address['assay']}:{config.port}" in caddy
    assert caddy.split()[0] in config.allowed_hosts


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_the_unit_is_one_that_systemd_takes(tmp_path: Path) -> None:
    unit = tmp_path / "assay.service"
    # The program need not be installed here.
    unit.write_text((DEPLOY / "assay.service").read_text().replace("/opt/assay/bin/assay", "/bin/true"))
    command = ["systemd-analyze", "verify", "--man=no", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout.splitlines()[-1]


def test_the_unit_serves_strangers_and_gives_nothing_away() -> None:
    text = (DEPLOY / "assay.service").read_text()
    keys = dict(line.split("=", 1) for line in text.splitlines() if re.match(r"[A-Z]\w+=", line))
    assert "--public" in keys["ExecStart"]
    for key in ("NoNewPrivileges", "PrivateTmp", "ProtectHome", "RestrictNamespaces", "ProtectKernelModules"):
        assert keys[key] == "yes"
    assert (keys["ProtectSystem"], keys["User"], keys["CapabilityBoundingSet"]) == ("strict", "assay", "")


def test_the_how_to_knows_every_key() -> None:
    page = (ROOT / "docs" / "how-to" / "run-a-server.md").read_text()
    private = {"host", "port", "public", "single_user", "cookie_secure", "debug"}
    assert not [name for name in ServerConfig.model_fields if name not in private and f"`{name}`" not in page]
