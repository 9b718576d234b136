"""Logins: « prenom.nom », folded, numbered for homonyms, unique in the school."""

from __future__ import annotations

import re
from collections.abc import Set

from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.core.validators import fold
from cpro.users.models import Account

MAX_LENGTH = 80
#: For a name without any Latin letter: a login is never empty.
_NAMELESS = "compte"


def propose_login(first_name: str, last_name: str) -> str:
    """Return « prenom.nom », at most 80 characters among a–z, 0–9, hyphen and one dot; never empty.

    Accents and ligatures are folded, hyphens kept, apostrophes, spaces and everything else removed. An empty part is
    left out.
    """
    parts = [part for part in (_folded(first_name), _folded(last_name)) if part]
    return ".".join(parts)[:MAX_LENGTH].strip(".-") or _NAMELESS


def free_login(taken: Set[str], base: str) -> str:
    """Return the base, or the base and the first free number from 2 on: zoe.martin, zoe.martin2…

    The base is shortened if the number would not fit in 80 characters.
    """
    login, number = base, 1
    while login in taken:
        number += 1
        login = f"{base[: MAX_LENGTH - len(str(number))]}{number}"
    return login


def find_taken_logins(session: Session, establishment_id: int, base: str) -> set[str]:
    """Return the logins of a school that begin like a base, deactivated accounts included."""
    beginning = base[: MAX_LENGTH - 8]  # at most what `free_login` keeps of a shortened base
    return set(
        session.scalars(
            select(Account.login).where(
                Account.establishment_id == establishment_id, Account.login.startswith(beginning, autoescape=True)
            )
        )
    )


def _folded(name: str) -> str:
    letters = re.sub(r"[^a-z0-9-]", "", re.sub(r"[\u2010-\u2015\u2212_]", "-", fold(name)))
    return re.sub(r"-{2,}", "-", letters).strip("-")
