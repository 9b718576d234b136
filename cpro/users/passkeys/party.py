"""The relying party of passkeys: a name, and the only origin whose pages may use them."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Party:
    """The relying party that keys are created for."""

    #: the relying-party id: the host of the public address
    id: str
    origin: str


def find_party(public_url: str) -> Party | None:
    """Return the relying party of a public URL, None if browsers create no passkeys for it.

    That is the case for IP addresses, and for plain HTTP except on localhost.
    """
    address = urlsplit(public_url)
    host = address.hostname or ""
    if not host or _is_digits(host) or (address.scheme != "https" and host != "localhost"):
        return None
    return Party(host, f"{address.scheme}://{address.netloc}")


def _is_digits(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
