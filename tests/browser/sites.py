"""Playgrounds on real ports with something of everything in them: for one user, and for several with accounts."""

from __future__ import annotations

import contextlib
import json
import shutil
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any
from zlib import crc32

import httpx2
import pytest
import uvicorn
from fastapi import FastAPI
from tests.conftest import make_classifier, make_pictures
from tests.playground.conftest import PASSWORD
from tests.playground.pages import together
from tests.playground.sending import PROGRAM, packed, small_tree, spoilt_tree
from tests.results.rows import put
from tests.submission.smalltree import SmallTree

from assay.base.settings import Settings
from assay.campaign.execute import run
from assay.campaign.request import RunRequest
from assay.loadgen.live import Snapshot
from assay.loadgen.record import RunStatus
from assay.loadgen.runs import RunFolder
from assay.playground.accounts.audit import CONSOLE
from assay.playground.accounts.service import Accounts
from assay.playground.accounts.settings import Hashing, SignUp
from assay.playground.accounts.viewer import Role, Scope
from assay.playground.app import create_app
from assay.playground.security.config import ServerConfig
from assay.playground.security.cookies import session_name
from assay.playground.security.requests import open_gate
from assay.playground.serve import listening
from assay.rules.model import Scenario

_CHEAP = Hashing(passes=1, memory_kib=8, lanes=1)
LIVE = "20260101-000000-mobilenet-v2-offline-performance-0001"
"""A run that goes on as long as this process."""
LONG = together.accepted(
    9, "ada", 50.0, system="a system whose name is longer than anybody's patience, x2 with sixteen accelerators, cooled"
)


@dataclass
class Site:
    """A playground that listens.

    Attributes:
        address: such as ``http://127.0.0.1:1234``.
        accounts: None for a single user.
        folder: for whatever tests want to write.
    """

    settings: Settings
    app: FastAPI
    address: str
    accounts: Accounts | None
    folder: Path
    _places: dict[str, str] = field(default_factory=dict)

    def cookie(self, name: str, role: Role = Role.CONTRIBUTOR) -> dict[str, Any]:
        """The cookie of somebody who has signed in; the account is made when there is none."""
        self.add(name, role)
        assert self.accounts is not None
        session = self.accounts.sign_in(name, PASSWORD, "192.0.2.1")
        return {"name": session_name(False), "value": session.cookie, "url": self.address}

    def add(self, name: str, role: Role = Role.CONTRIBUTOR) -> None:
        """Make an account with the password PASSWORD, unless there is one."""
        assert self.accounts is not None
        if name.casefold() not in {each.name.casefold() for each in self.accounts.people.list()}:
            self.accounts.people.add(name, role=role, password=PASSWORD, by=CONSOLE)

    def token(self, name: str) -> dict[str, str]:
        """The headers of a program that may read and push."""
        self.add(name)
        assert self.accounts is not None
        made = self.accounts.tokens.create(name, "test", [Scope.READ, Scope.PUSH], by=CONSOLE)
        return {"Authorization": f"Bearer {made.text}"}

    def send(self, path: Path, headers: dict[str, str] | None = None, **fields: str) -> str:
        """Send in a tree or the folder of a run, and wait for the verdict; the address of the upload."""
        given = {**PROGRAM, **(headers or {})}
        with httpx2.Client(base_url=self.address, headers=given, timeout=60) as client:
            answer = client.post("/api/uploads", files={"file": ("tree.tar.gz", packed(path))}, data=fields)
            assert answer.status_code == 202, answer.text
            address = str(answer.json()["address"])
            assert self.app.state.uploads.drained(60)
        return address

    def place(self, name: str) -> str:
        """The address of something that has to be made or looked up first."""
        if name not in self._places:
            self._places[name] = self._find(name)
        return self._places[name]

    def _find(self, name: str) -> str:
        if name == "accepted":
            return self.send(tree_of(self.folder / "good", "own").root)
        if name == "refused":
            return self.send(spoilt_tree(self.folder / "bad").root)
        if name == "run":
            return f"/runs/{finished(self.settings)}"
        best = self.json(
            "/explorer.json?round=v3.0&benchmark=resnet&category=edge&scenario=Offline&sort=-samples_per_joule"
        )
        first, second = (each["uid"] for each in best["rows"][:2])
        return {"result": f"/results/{first}", "compare": f"/compare?result={first}&result={second}"}[name]

    def json(self, path: str) -> Any:
        """The data of a page, for anybody."""
        answer = httpx2.get(self.address + path, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refresh(self) -> None:
        """Let the server see what was written to its files."""
        self.app.state.playground.index.refresh()


def tree_of(folder: Path, who: str) -> SmallTree:
    """A good tree whose logs are nobody else's: what somebody has sent in stays theirs."""
    tree = small_tree(folder)
    for scenario in (Scenario.OFFLINE, Scenario.SINGLE_STREAM):
        log = tree.run_log(scenario.value)
        log.write_text(log.read_text().replace("2000000", str(2_000_000 + crc32(who.encode()) % 1000)))
    return tree


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets=sockets)
        self.ready.set()


@contextlib.contextmanager
def serving(settings: Settings, folder: Path, **options: Any) -> Iterator[Site]:
    """A playground in a thread; with accounts unless ``single_user`` is given."""
    config = ServerConfig.model_validate({"port": 0, "limits": {"enabled": False}, **options})
    accounts = None
    if not config.single_user:
        accounts = Accounts(config.database(settings), replace(config.accounts, hashing=_CHEAP))
    app = create_app(settings, config, open_gate(config, accounts, local_name="ada"))
    sock = listening(config, fixed=True)
    server = _Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="on", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
    thread.start()
    assert server.ready.wait(60), "the playground does not start"
    try:
        yield Site(settings, app, f"http://127.0.0.1:{sock.getsockname()[1]}", accounts, folder)
    finally:
        server.should_exit = True
        thread.join(timeout=30)


@contextlib.contextmanager
def own_site(template: Path, folder: Path) -> Iterator[Site]:
    """A single user's playground: runs, results of one's own, challenges, reports."""
    settings = _copied(template, folder)
    Running(settings)
    with serving(settings, folder, single_user=True) as site:
        yield site


@contextlib.contextmanager
def team_site(template: Path, folder: Path) -> Iterator[Site]:
    """A server with accounts that anybody may make: Mallory is in a private challenge, Maria looks after it."""
    with serving(_copied(template, folder), folder, sign_up=SignUp.OPEN) as site:
        site.add("Maria", Role.MAINTAINER)
        site.add("Mallory")
        assert site.accounts is not None
        site.accounts.memberships.admit("Mallory", together.SECRET, by=CONSOLE)
        yield site


def _copied(template: Path, folder: Path) -> Settings:
    home = folder / "home"
    shutil.copytree(template, home, symlinks=True)
    return Settings(home=home)


def make_home(folder: Path) -> Path:
    """A home with a real run of a tiny model, entries and results; made once, copied for each server."""
    home = folder / "home"
    manifests = home / "manifests"
    manifests.mkdir(parents=True)
    (manifests / "colours.yaml").write_text(
        "format: 1\nname: colours\nkind: model\ntask: image-classification\ntitle: Colours\nlicence: none\n"
        'sources: [{type: https, urls: ["http://127.0.0.1:9/never"]}]\n'
        "model: {benchmark: resnet, recipe: {resize: {short_side: 36}, crop: 32, output: {top: 1}}}\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_HOME", str(home))
        run(
            RunRequest(
                name="colours",
                model=make_classifier(folder / "colours.onnx"),
                dataset=str(make_pictures(folder / "pictures")),
                threads=1,
                duration_ns=2 * 10**8,
                mode="both",
                scenarios=(Scenario.OFFLINE,),
            )
        )
    settings = Settings(home=home)
    together.fill(settings)
    put(settings, [LONG], name="long")
    return home


@dataclass
class Running:
    """A run that this process seems to be doing.

    Attributes:
        written: looks at its progress so far.
    """

    settings: Settings
    name: str = LIVE
    written: int = 0

    def __post_init__(self) -> None:
        self.folder = RunFolder(self.settings.runs_dir / self.name)
        self.folder.path.mkdir()
        record = RunFolder(self.settings.runs_dir / finished(self.settings)).read()
        self.folder.write(
            replace(record, id=self.name, status=RunStatus.RUNNING, logs={}, created="2026-01-01T00:00:00+00:00")
        )
        (self.folder.path / "mlperf_log_detail.txt").write_text(":::MLLOG it goes on\n" * 40)
        self.look(4)

    def look(self, count: int) -> None:
        """Write how far it is, so many times."""
        with (self.folder.path / "progress.jsonl").open("a") as stream:
            for written in range(self.written + 1, self.written + count + 1):
                at = Snapshot(
                    written * 0.5, written * 100, written * 90, 180.0 + written, 2 * 10**6, 3 * 10**6, 4 * 10**6, 60.0
                )
                stream.write(json.dumps(asdict(at)) + "\n")
        self.written += count

    def end(self) -> None:
        """It is over."""
        self.folder.write(replace(self.folder.read(), status=RunStatus.FINISHED))


def finished(settings: Settings) -> str:
    """The run that was really done."""
    return next(each.name for each in settings.runs_dir.iterdir() if "colours-offline-performance" in each.name)
