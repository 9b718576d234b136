"""Whether this page may ask the browser for a passkey, and what prevents it."""

from __future__ import annotations

from flask import request

from cpro.extensions import application
from cpro.users.passkeys.party import Party, find_party


def usable_party() -> Party | None:
    """Return the relying party of this page, None where browsers refuse it passkeys."""
    party = find_party(application.public_url)
    return party if party and party.origin == request.host_url.rstrip("/") else None


def describe_obstacle() -> str:
    """Return why no passkey works on this page, "" where they do."""
    if usable_party() is not None:
        return ""
    party = find_party(application.public_url)
    if party is not None:
        return f"Les clés d’accès ne fonctionnent qu’à l’adresse {party.origin} : ouvrez CPro à cette adresse."
    return (
        f"Les clés d’accès ne sont pas possibles ici : CPro est installé à l’adresse {application.public_url}, et les "
        "navigateurs n’en créent que sous un nom (jamais sous une adresse faite de chiffres) et en HTTPS."
    )
