"""What the pages about pupils' accounts read of an address or of a form: shape only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import url_for
from markupsafe import Markup
from wtforms import Form, SelectChoice

from cpro.core.errors import DomainError, NotFound
from cpro.core.parsing import read_id
from cpro.establishments.queries import get_current_establishment
from cpro.students.accounts.queries import Selection, describe_student, list_students_without_account

#: Enough for every pupil of a school; more is no person's choice.
MOST_IDS = 10_000
_STUDENTS_OFFERED = 50


def read_selection(values: Any) -> Selection | None:
    """Return which pupils are meant by `ids` (repeated, or separated by commas), `division` or `tous`, or None.

    Raises `NotFound` for what is no id, `DomainError` for more ids than a school has pupils.
    """
    ids = read_ids(values.getlist("ids"))
    division = values.get("division", "").strip()
    if ids or division:
        return Selection(student_ids=tuple(ids), division=division)
    return Selection(is_everyone=True) if values.get("tous") == "oui" else None


def read_ids(given: Sequence[str]) -> list[int]:
    """Return the ids of repeated values, each of which may hold several separated by commas, each once."""
    words = [word.strip() for text in given for word in text.split(",") if word.strip()]
    if len(words) > MOST_IDS:
        raise DomainError("Cela fait trop d’élèves à la fois : procédez division par division.")
    ids = dict.fromkeys(read_id(word) for word in words)
    if None in ids:
        raise NotFound("Un de ces élèves n’existe pas dans votre établissement.")
    return [each for each in ids if each is not None]


def offer_students(form: Form) -> None:
    """Offer, in the field `student` of a form, the pupils without account whose name begins like the one typed."""
    sought = f"{form['last_name'].data or ''} {form['first_name'].data or ''}".strip()[:100]
    found = list_students_without_account(sought=sought, limit=_STUDENTS_OFFERED + 1)
    if sought and not found:
        found = list_students_without_account(limit=_STUDENTS_OFFERED + 1)
    shown = found[:_STUDENTS_OFFERED]
    form["student"].choices = [
        SelectChoice("", "Aucun : ce n’est pas un apprenant"),
        *(SelectChoice(str(each.id), describe_student(each)) for each in shown),
    ]
    if len(found) > len(shown):
        form["student"].description = (
            f"Pour un apprenant. Seuls les {_STUDENTS_OFFERED} premiers élèves sans compte sont proposés : tapez le "
            "nom de l’élève ci-dessous, puis validez pour réduire la liste."
        )
    elif not shown:
        form["student"].description = _no_account_left()


def _no_account_left() -> Markup:
    """Return what to do when every pupil present has an account: no choice of the list is any."""
    create_link = "" if get_current_establishment().uses_siecle else _link("eleves.create_view", "se créer à la main")
    return Markup(
        "Pour un apprenant. Tous les élèves présents ont un compte : il n’y a personne à choisir ici. Un élève qui "
        "manque peut {added}. Le compte d’un apprenant qui n’a pas d’élève se relie depuis sa fiche : {unlinked}."
    ).format(
        added=Markup(" ou ").join(filter(None, (_link("imports.index", "arriver par un import"), create_link))),
        unlinked=_link("utilisateurs.index_view", "voir ces comptes", etat="sans-eleve"),
    )


def _link(endpoint: str, words: str, **values: Any) -> Markup:
    return Markup('<a href="{url}">{words}</a>').format(url=url_for(endpoint, **values), words=words)
