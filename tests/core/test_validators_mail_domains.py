"""Which domain a mistyped address probably meant; a domain that exists is no mistake."""

from __future__ import annotations

import pytest

from cpro.core.validators.mail_domains import find_meant_domain


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("gmial.com", "gmail.com"),
        ("gmai.com", "gmail.com"),
        ("gmail.con", "gmail.com"),
        ("hotmial.fr", "hotmail.fr"),
        ("wanado.fr", "wanadoo.fr"),
        ("yahou.fr", "yahoo.fr"),
        ("lycee-curi.fr", "lycee-curie.fr"),
        *((known, "") for known in ("gmail.com", "ymail.com", "mail.com", "live.be", "sfr.fr", "lycee-curie.fr")),
        *((other, "") for other in ("yahoo.de", "gmx.de", "lycee-ampere.fr", "maison.example")),
    ],
)
def test_find_meant_domain_of_an_address(typed: str, meant: str) -> None:
    assert find_meant_domain(f"lea@{typed}", besides={"lycee-curie.fr"}) == meant


def test_find_meant_domain_of_no_address() -> None:
    assert find_meant_domain("") == ""
