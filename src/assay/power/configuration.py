"""The file that says which analyzers a director has: ``server.conf`` of mlcommons/power-dev, in its old and its new form.

The old form has one analyzer, in the section ``[ptd]``; the new one, since September 2024, has ``analyzerCount`` there and a
section ``[analyzer1]``, ``[analyzer2]`` and so on for each. A file of one form may hold the other, too: with sections of
analyzers they hold.

Source: ServerConfig in ptd_client_server/lib/server.py of mlcommons/power-dev, r1.0 to r3.0 and master (c4b3ad8).
"""

from __future__ import annotations

import configparser
from dataclasses import dataclass
from pathlib import Path

from assay.base.files import open_regular
from assay.errors import InvalidInputError, NotFoundError
from assay.power.host import DaemonProcess
from assay.power.samples import MOST_ANALYZERS
from assay.power.wire import Address

_MOST_BYTES = 1 << 20
_PORT, _DAEMON_PORT = 4950, 8888
_ONE_NUMBER, _TWO_NUMBERS = (48,), (59, 61, 77)
"""Kinds of analyzers of several channels, by how many numbers they are told: how many; or the first and how many."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What a file says.

    Attributes:
        daemons: one for each analyzer.
        listen: where the director listens.
        ntp: the time server.
    """

    daemons: tuple[DaemonProcess, ...]
    listen: Address
    ntp: str | None


def read_configuration(path: Path) -> Setup:
    """Read a file.

    Raises:
        NotFoundError: when it is not there.
        InvalidInputError: saying which section and option is wrong.
    """
    return _Reader(path).setup()


class _Reader:
    """One file, option by option."""

    def __init__(self, path: Path) -> None:
        self._path = path
        # The official server would put other options in for a %(name)s; nobody has one, and programs may have a %.
        self._file = configparser.ConfigParser(interpolation=None)
        try:
            with open_regular(path) as stream:
                text = stream.read(_MOST_BYTES + 1)
        except OSError as error:
            raise NotFoundError("the configuration is not there", where=path) from error
        if len(text) > _MOST_BYTES:
            raise InvalidInputError(
                "the configuration is too large", where=path, expected=f"at most {_MOST_BYTES:,} bytes"
            )
        try:
            self._file.read_string(text.decode("utf-8"))
        except (configparser.Error, UnicodeDecodeError) as error:
            found = str(error).splitlines()[0][:200]
            raise InvalidInputError("this is no server.conf", where=path, found=found) from error

    def setup(self) -> Setup:
        sections = [f"analyzer{number}" for number in range(1, self._count() + 1)]
        daemons = tuple(self._daemon(section) for section in sections)
        ports = [daemon.port for daemon in daemons]
        if len(set(ports)) < len(ports):
            raise InvalidInputError(
                "two daemons would listen at one port",
                where=self._path,
                expected="a networkPort of its own for each analyzer",
                found=", ".join(map(str, ports)),
            )
        return Setup(daemons, self._listen(), self._text("server", "ntpServer") or None)

    def _count(self) -> int:
        return self._number("ptd", "analyzerCount", 1, MOST_ANALYZERS, usual=1)

    def _daemon(self, section: str) -> DaemonProcess:
        if section == "analyzer1" and not self._file.has_section(section):
            section = "ptd"
        device = self._number(section, "deviceType", 1, 10_000)
        board = self._number(section, "gpibBoard", 0, 1000, usual=-1)
        return DaemonProcess(
            program=self._needed("ptd", "ptd"),
            device=device,
            device_port=self._needed(section, "devicePort"),
            interface=self._text(section, "interfaceFlag"),
            port=self._number(section, "networkPort", 1, 65_535, usual=_DAEMON_PORT),
            channels=self._channels(section, device),
            board=None if board < 0 else board,
            direct=self._text(section, "dcFlag"),
        )

    def _channels(self, section: str, device: int) -> tuple[int, ...]:
        text = self._text(section, "channel")
        words = [word.strip() for word in text.split(",")] if text else []
        wanted = 1 if device in _ONE_NUMBER else 2 if device in _TWO_NUMBERS else None
        fits = len(words) == wanted if wanted else len(words) <= 1
        if not fits or not all(word.isascii() and word.isdigit() and 0 < int(word) <= 16 for word in words):
            rule = {
                1: "how many channels",
                2: "the first channel and how many, such as 1,2",
                None: "one channel, or none",
            }
            raise self._wrong(section, "channel", f"{rule[wanted]} for device type {device}", text or "nothing")
        return tuple(int(word) for word in words)

    def _listen(self) -> Address:
        text = self._text("server", "listen") or f"0.0.0.0 {_PORT}"
        host, _, port = text.partition(" ")
        if not port.strip().isdecimal() or not 0 < int(port) <= 65_535:
            raise self._wrong("server", "listen", "an address and a port, such as 0.0.0.0 4950", text)
        return Address(host, int(port))

    def _number(self, section: str, option: str, least: int, most: int, *, usual: int | None = None) -> int:
        text = self._text(section, option)
        if not text and usual is not None:
            return usual
        if not (text.isascii() and text.isdigit() and len(text) < 7 and least <= int(text) <= most):
            raise self._wrong(section, option, f"a number from {least} to {most}", text or "nothing")
        return int(text)

    def _needed(self, section: str, option: str) -> str:
        text = self._text(section, option)
        if not text:
            raise self._wrong(section, option, "a value", "nothing")
        return text

    def _text(self, section: str, option: str) -> str:
        return self._file.get(section, option, fallback="").strip()

    def _wrong(self, section: str, option: str, expected: str, found: str) -> InvalidInputError:
        return InvalidInputError(
            f"{option} is not right", where=f"{self._path}: [{section}] {option}", expected=expected, found=found[:200]
        )


def written(daemons: tuple[DaemonProcess, ...], listen: Address, ntp: str) -> str:
    """A file that the official server reads, whichever form it knows.

    Args:
        daemons: one for each analyzer; of the old form only the first is read.
        listen: where the server listens.
        ntp: the time server, which it insists on.
    """
    lines = ["[server]", f"ntpServer: {ntp}", f"listen: {listen.host} {listen.port}"]
    # Either server passes over the other's sections with a warning.
    lines += ["[ptd]", f"ptd: {daemons[0].program}", *([f"analyzerCount: {len(daemons)}"] if len(daemons) > 1 else [])]
    lines += _analyzer(daemons[0])
    for number, daemon in enumerate(daemons, 1):
        lines += [f"[analyzer{number}]", *_analyzer(daemon)]
    return "".join(f"{line}\n" for line in lines)


def _analyzer(daemon: DaemonProcess) -> list[str]:
    lines = [f"networkPort: {daemon.port}", f"deviceType: {daemon.device}"]
    lines += [f"interfaceFlag: {daemon.interface}", f"devicePort: {daemon.device_port}"]
    lines += [f"channel: {','.join(map(str, daemon.channels))}"] if daemon.channels else []
    lines += [f"gpibBoard: {daemon.board}"] if daemon.board is not None else []
    return lines + ([f"dcFlag: {daemon.direct}"] if daemon.direct else [])
