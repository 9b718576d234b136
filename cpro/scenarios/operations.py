"""Create, update, duplicate, archive scenarios. None of their content goes into the journal."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError

from cpro.audit.operations import About, record
from cpro.competences.models import Competence
from cpro.competences.queries import list_competences
from cpro.core.concurrency import check_fresh
from cpro.core.errors import DomainError, FieldErrors, Forbidden, check_no_error
from cpro.core.formatting import plural
from cpro.core.parsing import read_id
from cpro.core.permissions import Actor
from cpro.core.richtext import read_rich
from cpro.core.validators import fold, read_line
from cpro.extensions import db
from cpro.masks.models import FieldKind, MaskKey
from cpro.scenarios import queries
from cpro.scenarios.links import Link, normalise_links
from cpro.scenarios.models import Scenario, ScenarioCoAuthor, ScenarioCompetence, ScenarioLink
from cpro.students.models import Diploma
from cpro.students.operations import DiplomaInUse
from cpro.students.queries import find_diploma

TITLE_LENGTH = 150
#: The worded fields that contain rich text, each in the column of its name.
RICH_FIELDS = tuple(key.value for key in MaskKey if key.kind is FieldKind.RICH_TEXT)
#: Suffix of the title of a copy; a copy of a copy takes the next number of the first title.
_COPY = re.compile(r" \(copie(?: [0-9]+)?\)$")
#: Labels of the parts of a scenario in the journal: masks do not change these.
_PARTS = {
    "diploma": "Diplôme",
    "title": "Titre",
    "co_intervention": "Co-intervention",
    **{key.value: key.default for key in MaskKey},
    "competences": "Compétences",
    "co_authors": "Co-auteurs",
}


class NotYourScenario(Forbidden):
    """The actor is neither the author nor a co-author of the scenario."""

    message = (
        "Seuls l’auteur et les co-auteurs de ce scénario peuvent le modifier. Dupliquez-le : la copie sera à vous."
    )


class Archived(DomainError):
    """The scenario is archived and cannot be changed."""

    status = 409

    message = "Ce scénario est archivé : reprenez-le d’abord."


def get_scenario_values(details: queries.ScenarioDetails) -> dict[str, Any]:
    """Return the values of a scenario for its form; their fingerprint detects concurrent changes."""
    scenario = details.scenario
    return {
        "diploma": scenario.diploma.code,
        "title": scenario.title,
        "co_intervention": scenario.is_co_intervention,
        **{name: getattr(scenario, name) for name in RICH_FIELDS},
        "links": [{"label": each.label, "url": each.url} for each in details.links],
        "competences": [str(each.id) for each in details.competences],
        "co_authors": [str(each.id) for each in details.co_authors],
    }


def create_scenario(
    values: Mapping[str, Any], *, copied_from: Scenario | None = None, by: Actor, now: datetime
) -> Scenario:
    """Create a scenario and return it; `values` are as returned by `get_scenario_values`, or by `prepare_copy`.

    Raises `FieldErrors`.
    """
    assert by.id is not None, "a scenario has an author"
    clean = _clean(values, author_id=by.id, kept_co_authors=())
    diploma: Diploma = clean["diploma"]
    scenario = Scenario(
        diploma_id=diploma.id,
        author_id=by.id,
        created_at=now,
        changed_at=now,
        **_columns(clean),
    )
    db.session.add(scenario)
    db.session.flush()
    _attach(scenario, clean)
    if copied_from is None:
        _record("scenario:created", scenario, diploma, {}, by=by, now=now)
        return scenario
    changes: dict[str, tuple[Any, Any]] = {"copied_from": (None, f"n° {copied_from.id}")}
    if diploma.id != copied_from.diploma_id:
        changes["diploma"] = (copied_from.diploma.short_label, diploma.short_label)
    _record("scenario:duplicated", scenario, diploma, changes, by=by, now=now)
    return scenario


def update_scenario(
    scenario_id: int, values: Mapping[str, Any], *, opened_on: str | None, by: Actor, now: datetime
) -> bool:
    """Change a scenario; return whether anything changed.

    Raises `NotFound`, `NotYourScenario`, `Archived`, `FieldErrors`, `StaleForm`.
    """
    details = _lock(scenario_id, by)
    scenario = details.scenario
    if scenario.archived_at is not None:
        raise Archived
    stored = get_scenario_values(details)
    clean = _clean(values, author_id=scenario.author_id, kept_co_authors=[each.id for each in details.co_authors])
    wanted = {**clean, "diploma": clean["diploma"].code}
    parts = [name for name, value in wanted.items() if value != stored[name]]
    if not parts:
        return False
    check_fresh(stored, opened_on, parts)
    for name, value in _columns(clean).items():
        setattr(scenario, name, value)
    scenario.diploma_id, scenario.changed_at = clean["diploma"].id, now
    _detach(scenario, parts)
    _attach(scenario, {name: clean[name] for name in parts})
    labels = [_PARTS[name] for name in parts]
    _record("scenario:changed", scenario, clean["diploma"], {"parts": (None, labels)}, by=by, now=now)
    return True


@dataclass(frozen=True)
class Copy:
    """Form values of a copy; for another diploma, which competences of the source it also has.

    `kept` have the same code and label there; `reworded` the same code and another label, and are not ticked;
    `left_out` are those of the source without such a code.
    """

    values: Mapping[str, Any]
    kept: Sequence[Competence] = ()
    reworded: Sequence[Competence] = ()
    left_out: Sequence[Competence] = ()


def prepare_copy(source: queries.ScenarioDetails, diploma: Diploma) -> Copy:
    """Return the values of a copy of a scenario, for a diploma; nothing is written before `create_scenario`.

    For another diploma, the competences with the same code and label are kept. The copy has no co-author.
    """
    values = {
        **get_scenario_values(source),
        "title": _name_copy(source.scenario.title),
        "diploma": diploma.code,
        "co_authors": [],
    }
    if diploma.id == source.scenario.diploma_id:
        return Copy(values)
    labels = {each.code: fold(each.label) for each in source.competences}
    there = [each for each in list_competences(diploma.id) if each.code in labels]
    kept = [each for each in there if fold(each.label) == labels[each.code]]
    reworded = [each for each in there if each not in kept]
    codes = {each.code for each in there}
    left_out = [each for each in source.competences if each.code not in codes]
    return Copy({**values, "competences": [str(each.id) for each in kept]}, kept, reworded, left_out)


def _name_copy(title: str) -> str:
    """Return the title of a copy: "… (copie)", or the first of "… (copie 2)" and so on that no scenario has."""
    base = _COPY.sub("", title)
    taken = queries.list_titles(base[: TITLE_LENGTH // 2])
    endings = (f" (copie {rank})" if rank > 1 else " (copie)" for rank in itertools.count(1))
    return next(each for ending in endings if (each := base[: TITLE_LENGTH - len(ending)] + ending) not in taken)


def archive_scenario(scenario_id: int, *, archived: bool, by: Actor, now: datetime) -> bool:
    """Archive a scenario, or restore it; return whether anything changed. Raises `NotFound`, `NotYourScenario`."""
    scenario = _lock(scenario_id, by).scenario
    if (scenario.archived_at is not None) is archived:
        return False
    scenario.archived_at = now if archived else None
    action = "scenario:archived" if archived else "scenario:restored"
    _record(action, scenario, scenario.diploma, {}, by=by, now=now)
    return True


def forbid_deletion(sender: object, *, diploma: Diploma, **_more: Any) -> None:
    """Refuse the deletion of a diploma for which scenarios are written. Raises `DiplomaInUse`."""
    count = queries.count_for_diploma(diploma.id)
    if count:
        who = plural(count, "scénario est écrit", "scénarios sont écrits")
        raise DiplomaInUse(f"{who} pour ce diplôme : il ne peut pas être supprimé.")


def list_used_competences(sender: object, *, ids: Collection[int], **_more: Any) -> set[int]:
    """Return the ids, among `ids`, of competences that a scenario works on; listens to `events.competences_used`."""
    return queries.find_worked(ids)


def get_audit_label(scenario: Scenario, diploma: Diploma) -> str:
    """Return the label of a scenario in the journal: its number and its diploma, nothing of its content."""
    return f"Scénario n° {scenario.id} ({diploma.short_label})"


def _lock(scenario_id: int, by: Actor) -> queries.ScenarioDetails:
    """Return a scenario that the actor may change, locked until the end of the action."""
    scenario = queries.get_scenario(scenario_id)
    if not queries.is_written_by(scenario, by.id):
        raise NotYourScenario
    db.session.refresh(scenario, with_for_update={"of": Scenario, "key_share": True})  # PostgreSQL locks no outer join
    return queries.get_details(scenario_id)


def _columns(clean: Mapping[str, Any]) -> dict[str, Any]:
    title = clean["title"]
    return {
        "title": title,
        "search_key": fold(title)[:200],
        "is_co_intervention": clean["co_intervention"],
        **{name: clean[name] for name in RICH_FIELDS},
    }


def _detach(scenario: Scenario, parts: Collection[str]) -> None:
    """Delete the attached rows of the changed parts."""
    for name, rows in queries.list_attached(scenario.id).items():
        if name in parts:
            for row in rows:
                db.session.delete(row)
    db.session.flush()


def _attach(scenario: Scenario, clean: Mapping[str, Any]) -> None:
    links: Sequence[Link] = clean.get("links", ())
    db.session.add_all(
        ScenarioLink(scenario_id=scenario.id, position=position, **link) for position, link in enumerate(links, 1)
    )
    db.session.add_all(
        ScenarioCompetence(scenario_id=scenario.id, competence_id=read_id(each))
        for each in clean.get("competences", ())
    )
    db.session.add_all(
        ScenarioCoAuthor(scenario_id=scenario.id, account_id=read_id(each)) for each in clean.get("co_authors", ())
    )
    try:
        db.session.flush()
    except IntegrityError as error:  # the diploma's list was changed since the competences were read
        raise FieldErrors(
            {"competences": "La liste des compétences vient de changer\u202f: validez à nouveau."}
        ) from error


def _clean(values: Mapping[str, Any], *, author_id: int, kept_co_authors: Sequence[int]) -> dict[str, Any]:
    """Return the values to store, named as in `get_scenario_values`, the diploma as a row. Raises `FieldErrors`."""
    errors: dict[str, str] = {}
    clean: dict[str, Any] = {
        "title": read_line(values, "title", TITLE_LENGTH, errors, required="Donnez un titre au scénario."),
        "co_intervention": bool(values.get("co_intervention")),
        **{name: read_rich(values, name, errors) for name in RICH_FIELDS},
    }
    try:
        clean["links"] = normalise_links(values.get("links") or ())
    except DomainError as refusal:
        errors["links"] = refusal.message
    clean["diploma"] = diploma = find_diploma(values.get("diploma") or "")
    if diploma is None:
        errors["diploma"] = "Choisissez un diplôme dans la liste."
    else:
        clean["competences"] = _clean_competences(diploma, values.get("competences") or (), errors)
    clean["co_authors"] = _clean_co_authors(values.get("co_authors") or (), author_id, kept_co_authors, errors)
    check_no_error(errors)
    return clean


def _clean_competences(diploma: Diploma, wanted: Sequence[str], errors: dict[str, str]) -> list[str]:
    offered = {str(each.id): each for each in list_competences(diploma.id)}
    if not set(wanted) <= offered.keys():
        errors["competences"] = (
            f"Une compétence cochée n’est pas de la liste du diplôme {diploma.short_label} : "
            "cochez à nouveau celles du scénario."
        )
    return [each for each in offered if each in wanted]


def _clean_co_authors(wanted: Sequence[str], author_id: int, kept: Sequence[int], errors: dict[str, str]) -> list[str]:
    """Return the co-authors, by name: teachers whose account is open, or who already were co-authors."""
    offered = {str(each.id): each for each in queries.list_possible_co_authors(author_id, kept)}
    unknown = set(wanted) - offered.keys()
    if unknown:
        errors["co_authors"] = "Un co-auteur n’est pas un enseignant de l’établissement : choisissez dans la liste."
    return [each for each in offered if each in wanted]


def _record(
    action: str,
    scenario: Scenario,
    diploma: Diploma,
    changes: Mapping[str, tuple[Any, Any]],
    *,
    by: Actor,
    now: datetime,
) -> None:
    record(action, About("scenario", scenario.id, get_audit_label(scenario, diploma)), by=by, now=now, changes=changes)
