"""Session records: the official fields, hashes of what lies there, and sources that are ours."""

from __future__ import annotations

import hashlib
import json
import uuid
from pathlib import Path

from assay.power.phase import Phase
from assay.power.record import SessionRecord, hashes, own_modules, own_sources
from assay.rules.power import load_power


def test_a_record_has_the_fields_of_every_round(tmp_path: Path) -> None:
    (tmp_path / "power").mkdir()
    (tmp_path / "ranging").mkdir()
    (tmp_path / "ranging" / "spl.txt").write_bytes(b"samples")
    record = SessionRecord("night", uuid.uuid4(), uuid.uuid4(), {"debug": True})
    record.message("time", 1.0, "2.5", 3.0)
    for phase in Phase:
        for number in range(4):
            record.point(phase, number)
    record.save(tmp_path, "client.json")
    written = json.loads((tmp_path / "power" / "client.json").read_text())
    assert set(written) == {*load_power("v3.1").session_fields, "debug"}
    assert written["messages"] == [{"cmd": "time", "cmd_time": 1.0, "reply": "2.5", "reply_time": 3.0}]
    assert written["results"] == {"ranging/spl.txt": hashlib.sha1(b"samples").hexdigest()}
    assert [len(points) for points in written["phases"].values()] == [4, 4]
    assert written["uuid"] == {"client": str(record.client), "server": str(record.server)}


def test_a_point_that_is_set_again_takes_the_later_ones_away() -> None:
    record = SessionRecord()
    for number in (0, 1, 2, 0, 1):
        record.point(Phase.RANGING, number)
    assert len(record._phases[Phase.RANGING]) == 2


def test_hashes_go_by_path(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.txt").write_bytes(b"")
    assert hashes(tmp_path) == {"a/b.txt": "da39a3ee5e6b4b0d3255bfef95601890afd80709"}


def test_sources_are_ours_and_not_called_official() -> None:
    sources, accepted = own_sources(), [each for name in ("v3.0", "v3.1") for each in load_power(name).sources.sets()]
    assert "assay/power/director.py" in sources
    assert all(not set(sources) & set(each) for each in accepted)
    assert own_modules()["assay.power.client"] == "assay/power/client.py"
