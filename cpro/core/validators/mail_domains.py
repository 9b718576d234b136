"""The usual domains of e-mail addresses, and which of them a mistyped address probably meant."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

#: Domains of mailboxes that people of schools have. Those that look like another are here too: they are no mistake.
_COMMON = frozenset(
    """
    aol.com bbox.fr email.com free.fr gmail.com gmx.com gmx.fr hotmail.be hotmail.com hotmail.fr icloud.com laposte.net
    live.be live.com live.fr mac.com mail.com mailo.com mailo.fr me.com msn.com neuf.fr numericable.fr orange.fr
    outlook.be outlook.com outlook.fr pm.me proton.me protonmail.com rocketmail.com sfr.fr wanadoo.fr yahoo.com yahoo.fr
    ymail.com zoho.com
    """.split()
)
#: Likeness of two domains above which one is a near miss of the other: a letter of eight, two of sixteen.
_LIKENESS = 0.87


def find_meant_domain(email: str, *, besides: Collection[str] = ()) -> str:
    """Return the domain of which that of an address is a near miss, or "": a usual one, or one of those `besides`."""
    domain, known = email.rpartition("@")[2], _COMMON.union(besides)
    if not domain or domain in known:
        return ""
    return next(iter(get_close_matches(domain, sorted(known), n=1, cutoff=_LIKENESS)), "")
