"""Addresses as they are kept and counted: never whole in the audit log, by customer in a limit."""

from __future__ import annotations

import ipaddress

UNIX = "unix"
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def parse(text: str) -> Address | None:
    """An address of either kind, an embedded IPv4 address as that; None for anything else."""
    try:
        address = ipaddress.ip_address(text.strip().strip("[]").partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def truncated(text: str) -> str:
    """The network of an address: /24 of IPv4, /48 of IPv6; other texts are ``unix`` or ``unknown``."""
    address = parse(text)
    if address is None:
        return UNIX if text == UNIX else "unknown"
    return str(ipaddress.ip_network((address, 24 if address.version == 4 else 48), strict=False))


def limit_key(text: str) -> str:
    """Whom a rate is counted for: an IPv4 address, or a /64 of IPv6, which is what one customer has."""
    address = parse(text)
    if address is None:
        return text[:64]
    return str(address) if address.version == 4 else str(ipaddress.ip_network((address, 64), strict=False))
