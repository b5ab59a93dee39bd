"""``server.conf`` of mlcommons/power-dev, in both forms."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from assay.errors import InvalidInputError, NotFoundError
from assay.power.configuration import read_configuration, written
from assay.power.host import DaemonProcess
from assay.power.wire import Address

OLD = """
[server]
ntpServer: ntp.example.com
[ptd]
ptd: D:\\PTD\\100%\\ptd.exe
deviceType: 77
interfaceFlag: -y
devicePort: C2PH13047V
channel: 1,2
"""
NEW = """
[server]
# ntpServer: ntp.example.com
listen: 192.168.1.2 4951
[ptd]
ptd: /opt/ptd
analyzerCount: 2
[analyzer1]
deviceType: 49
interfaceFlag: -y
devicePort: one
[analyzer2]
deviceType: 508
interfaceFlag: -g
gpibBoard: 0
devicePort: two
networkPort: 8889
dcFlag: -D
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "server.conf"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_old_form_has_one(tmp_path: Path) -> None:
    found = read_configuration(write(tmp_path, OLD))
    assert found.daemons == (DaemonProcess("D:\\PTD\\100%\\ptd.exe", 77, "C2PH13047V", "-y", channels=(1, 2)),)
    assert (found.listen, found.ntp) == (Address("0.0.0.0", 4950), "ntp.example.com")


def test_the_new_form_has_several(tmp_path: Path) -> None:
    found = read_configuration(write(tmp_path, NEW))
    one, two = found.daemons
    assert one == DaemonProcess("/opt/ptd", 49, "one", "-y")
    assert two == DaemonProcess("/opt/ptd", 508, "two", "-g", 8889, board=0, direct="-D")
    assert (found.listen, found.ntp) == (Address("192.168.1.2", 4951), None)
    # As the official server starts it, but for the order of options.
    assert two.config()["command"] == [
        "/opt/ptd", "-l", "samples.txt", "-p", "8889", "-b", "0", "-g", "-D", "508", "two",
    ]  # fmt: skip


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    daemons = read_configuration(write(tmp_path, NEW)).daemons
    again = read_configuration(write(tmp_path, written(daemons, Address("127.0.0.1", 7), "ntp")))
    assert (again.daemons, again.listen, again.ntp) == (daemons, Address("127.0.0.1", 7), "ntp")


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("analyzerCount: 2", "analyzerCount: many", "[ptd] analyzerCount"),
        ("analyzerCount: 2", "analyzerCount: 17", "[ptd] analyzerCount"),
        ("analyzerCount: 2", "analyzerCount: 3", "[analyzer3] deviceType"),
        ("deviceType: 49", "deviceType: wt310", "[analyzer1] deviceType"),
        ("devicePort: two", "", "[analyzer2] devicePort"),
        ("ptd: /opt/ptd", "", "[ptd] ptd"),
        ("networkPort: 8889", "networkPort: 88888", "[analyzer2] networkPort"),
        ("networkPort: 8889", "", "server.conf"),
        ("listen: 192.168.1.2 4951", "listen: here", "[server] listen"),
        ("deviceType: 49", "deviceType: 77", "[analyzer1] channel"),
        ("deviceType: 49", "deviceType: 48\nchannel: 1,2", "[analyzer1] channel"),
        ("deviceType: 49", "deviceType: 49\nchannel: 1,2", "[analyzer1] channel"),
        ("deviceType: 49", "deviceType: 49\nchannel: 99", "[analyzer1] channel"),
    ],
)
def test_what_is_not_right(tmp_path: Path, old: str, new: str, place: str) -> None:
    assert old in NEW
    with pytest.raises(InvalidInputError) as caught:
        read_configuration(write(tmp_path, NEW.replace(old, new)))
    assert str(caught.value.where).endswith(place)


@pytest.mark.parametrize("text", ["no section", "[server]\n[server]", "\xff\xfe", "[ptd]\nptd"])
def test_what_is_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "server.conf"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(InvalidInputError, match=r"no server\.conf"):
        read_configuration(path)


def test_what_is_not_there_or_no_file(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_configuration(tmp_path / "none.conf")
    os.mkfifo(tmp_path / "pipe.conf")
    with pytest.raises(NotFoundError):
        read_configuration(tmp_path / "pipe.conf")
    with pytest.raises(InvalidInputError, match="too large"):
        read_configuration(write(tmp_path, "#" * (1 << 21)))
