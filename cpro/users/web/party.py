"""Whether this page may use passkeys, and why not."""

from __future__ import annotations

from flask import request

from cpro.extensions import application
from cpro.users.passkeys.party import Party, find_party


def usable_party() -> Party | None:
    """Return the relying party of this page, None if browsers refuse passkeys on it."""
    party = find_party(application.public_url)
    return party if party and party.origin == request.host_url.rstrip("/") else None


def describe_obstacle() -> str:
    """Return why passkeys do not work on this page, "" if they do."""
    if usable_party() is not None:
        return ""
    party = find_party(application.public_url)
    if party is not None:
        return f"Les clés d’accès ne fonctionnent qu’à l’adresse {party.origin} : ouvrez CPro à cette adresse."
    return (
        f"Les clés d’accès ne sont pas possibles ici : CPro est installé à l’adresse {application.public_url}, et les "
        "navigateurs n’en créent que sous un nom (jamais sous une adresse faite de chiffres) et en HTTPS."
    )
