"""Describe the stored data of an error page."""

from __future__ import annotations

_METHODS = {"GET": "page demandée", "HEAD": "page demandée", "POST": "formulaire envoyé"}
_CAUSES = {
    "BadRequest": "ce qui a été envoyé n’est pas ce que CPro attend",
    "CSRFError": "le formulaire venait d’une page périmée",
    "Conflict": "ce qui était demandé n’était plus possible",
    "DomainError": "une règle de CPro l’a refusé",
    "FieldErrors": "une règle de CPro l’a refusé",
    "Forbidden": "ce compte n’a pas ce droit",
    "MethodNotAllowed": "cette adresse ne s’utilise pas de cette façon",
    "NotFound": "rien ne se trouve à cette adresse, ou rien qui concerne ce compte",
    "RequestEntityTooLarge": "l’envoi était trop volumineux",
}
#: By status, what `_CAUSES` does not name.
_BY_STATUS = {
    429: "trop d’essais en peu de temps",
    503: "la base de données ou le serveur n’ont pas pu répondre",
    507: "le disque était plein",
}


def describe_route(route: str) -> str:
    """Return the requested route: the address without its values, or the path where no page exists."""
    method, _blank, rule = route.partition(" ")
    return f"{rule or 'adresse non gardée'} ({_METHODS.get(method, method)})"


def describe_cause(cause: str, status: int) -> str:
    """Return why the page was shown, with the name used in the logs."""
    usual = _BY_STATUS.get(status) or ("une panne de CPro" if status >= 500 else "une règle de CPro l’a refusé")
    return f"{_CAUSES.get(cause, usual)} ({cause} dans le journal du serveur)"
