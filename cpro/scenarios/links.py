"""The links of a scenario: user input, normalised for storage."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from cpro.core.errors import DomainError
from cpro.core.validators import clean_text

LABEL_LENGTH, URL_LENGTH, MOST_LINKS = 150, 500, 30
_HAS_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?![0-9])")
_UNSAFE = re.compile(r"[\s<>\"\\^`{|}\x00-\x1f\x7f]")

Link = dict[str, str]


def normalise_links(rows: Sequence[Mapping[str, str]]) -> list[Link]:
    """Return the links of the non-blank rows, as `label` and `url`.

    Raises `DomainError` with a sentence that names each row to correct.
    """
    kept: list[Link] = []
    wrong: list[str] = []
    for number, row in enumerate(rows, 1):
        label, url = (row.get("label") or "").strip(), (row.get("url") or "").strip()
        if not label and not url:
            continue
        try:
            kept.append({"label": clean_text(label, max_length=LABEL_LENGTH), "url": normalise_url(url)})
        except DomainError as refusal:
            wrong.append(f"Lien {number} : {refusal.message[0].lower()}{refusal.message[1:]}")
    if wrong:
        raise DomainError(" ".join(wrong), field="links")
    if len(kept) > MOST_LINKS:
        raise DomainError(f"Un scénario a {MOST_LINKS} liens au plus : retirez-en.", field="links")
    return kept


def normalise_url(text: str) -> str:
    """Return an http or https address, https:// added when no scheme was typed. Raises `DomainError`."""
    if not text:
        raise DomainError("Il manque l’adresse.")
    if _UNSAFE.search(text):
        raise DomainError("L’adresse ne doit contenir ni espace, ni guillemet, ni chevron.")
    url = text if _HAS_SCHEME.match(text) else f"https://{text}"
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        raise DomainError("L’adresse n’est pas lisible : recopiez celle du navigateur.") from None
    if parts.scheme.lower() not in ("http", "https"):
        raise DomainError("L’adresse doit commencer par https:// ou http://.")
    if not host:
        raise DomainError("L’adresse n’est pas complète : recopiez celle du navigateur.")
    if "@" in parts.netloc:
        raise DomainError("L’adresse ne doit contenir ni identifiant ni mot de passe.")
    if len(url) > URL_LENGTH:
        raise DomainError(f"L’adresse dépasse {URL_LENGTH} caractères.")
    return url
