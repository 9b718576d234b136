"""The site as browsers know it for passkeys: a name, and the one origin whose pages may ask for them."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Party:
    """What keys are made for and answer to."""

    #: the relying-party id: the host of the public address
    id: str
    origin: str


def find_party(public_url: str) -> Party | None:
    """Return the relying party of a public address, None where browsers make no passkey.

    Those are addresses of digits, and plain HTTP anywhere but on the machine itself.
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
