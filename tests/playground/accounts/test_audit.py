from __future__ import annotations

from assay.playground.accounts.audit import CONSOLE, Actor
from assay.playground.accounts.network import limit_key, truncated
from assay.playground.accounts.service import Accounts

from .conftest import Clock


def test_entries_come_newest_first_and_by_page(accounts: Accounts, clock: Clock) -> None:
    before = len(accounts.audit.entries())
    for number in range(5):
        clock.turn(seconds=1)
        accounts.audit.add("test", f"t{number}", by=CONSOLE, detail={"number": number})
    found = accounts.audit.entries(action="test", limit=3)
    assert [entry.target for entry in found] == ["t4", "t3", "t2"]
    assert [entry.target for entry in accounts.audit.entries(action="test", before=found[-1].id)] == ["t1", "t0"]
    assert accounts.audit.entries(target="t1")[0].detail == {"number": 1}
    assert len(accounts.audit.entries(account="console")) == 5
    assert len(accounts.audit.entries()) == before + 5


def test_only_the_network_of_an_address_is_kept(accounts: Accounts) -> None:
    for address in ("203.0.113.77", "2001:db8:1:2:3:4:5:6", "::ffff:203.0.113.77", "unix", "<script>"):
        accounts.audit.add("test", by=Actor("Ada", address))
    kept = [entry.address for entry in accounts.audit.entries(action="test")]
    assert kept == ["unknown", "unix", "203.0.113.0/24", "2001:db8:1::/48", "203.0.113.0/24"]


def test_a_long_target_is_cut(accounts: Accounts) -> None:
    accounts.audit.add("test", "x" * 10_000, by=CONSOLE)
    assert len(accounts.audit.entries(action="test")[0].target) == 500


def test_networks_and_customers() -> None:
    assert truncated("fe80::1%eth0") == "fe80::/48"
    assert limit_key("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::/64"
    assert limit_key("::ffff:192.0.2.1") == limit_key("192.0.2.1") == "192.0.2.1"
    assert limit_key("x" * 100) == "x" * 64
