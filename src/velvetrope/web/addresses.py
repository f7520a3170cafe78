"""Who is at the other end: the client's address behind proxies that are trusted."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

#: Entries of a forwarding header that are looked at; more are somebody's attempt to keep us busy.
_MOST_HOPS: Final = 32
#: Characters of an address with its zone and port; what is remembered must not be somebody's novel.
_LONGEST_ADDRESS: Final = 80
_HOST_BITS: Final = 64
_FORWARDING: Final = frozenset(
    {b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip", b"via"}
)
_LOOPBACK_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})


def parse(text: str) -> Address | None:
    """Read an address; IPv4 written as IPv6 counts as IPv4, ports and zones are dropped."""
    return _parse(text) if len(text) <= _LONGEST_ADDRESS else None


@lru_cache(maxsize=4096)
def _parse(text: str) -> Address | None:
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return address if mapped is None else mapped


@lru_cache(maxsize=4096)
def block_of(address: str) -> str:
    """Give what limits count by: an IPv4 address, or the 2^64 of IPv6 that one customer is given.

    What is no address counts as itself.
    """
    parsed = parse(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        return f"{int(parsed) >> _HOST_BITS:x}::/64"
    return address if parsed is None else str(parsed)


def is_in(address: Address, networks: Iterable[Network]) -> bool:
    return any(address.version == net.version and address in net for net in networks)


def values(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> list[bytes]:
    return [value for key, value in headers if key == name]


class ClientAddresses:
    """Finds the address that a request came from.

    Only a trusted peer is believed; then the rightmost address of `X-Forwarded-For` that isn't a
    trusted proxy's counts, since whatever stands left of it may be made up.
    """

    def __init__(self, trusted: Sequence[Network]) -> None:
        self._trusted = tuple(trusted)

    def of(self, scope: Mapping[str, Any]) -> str:
        """Give the address as text, the peer's own if nothing better is known; "" without one."""
        peer_text = peer_of(scope)
        if not self._trusted:
            return peer_text
        peer = parse(peer_text)
        if peer is None or not is_in(peer, self._trusted):
            return peer_text
        found = peer
        for hop in reversed(_hops(scope["headers"])):
            address = parse(hop)
            if address is None:
                break  # what stands left of nonsense can't be trusted either
            found = address
            if not is_in(address, self._trusted):
                break
        return str(found)

    def is_local(self, scope: Mapping[str, Any]) -> bool:
        """Tell whether somebody on this very machine asks, and no proxy for somebody else.

        A proxy on this machine shows itself by being trusted, by its headers, by the public name
        that it was asked for, or by the HTTP/1.0 that nginx speaks unless it is told otherwise.
        """
        if scope.get("http_version") == "1.0":
            return False
        peer = parse(peer_of(scope))
        if peer is None or not peer.is_loopback or is_in(peer, self._trusted):
            return False
        host = b"".join(values(scope["headers"], b"host")).decode("latin-1")
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        forwarded = any(key in _FORWARDING for key, _ in scope["headers"])
        return not forwarded and name.lower() in _LOOPBACK_HOSTS

    def is_secure(self, scope: Mapping[str, Any]) -> bool:
        """Tell whether the client speaks TLS, to a trusted proxy or to us."""
        peer = parse(peer_of(scope))
        if peer is not None and is_in(peer, self._trusted):
            said = values(scope["headers"], b"x-forwarded-proto")
            if said:
                return said[-1].rpartition(b",")[2].strip().lower() == b"https"
        return scope.get("scheme") == "https"


def peer_of(scope: Mapping[str, Any]) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


def _hops(headers: Iterable[tuple[bytes, bytes]]) -> list[str]:
    joined = b",".join(values(headers, b"x-forwarded-for")).decode("latin-1")
    return [hop for hop in joined.split(",") if hop.strip()][-_MOST_HOPS:]
