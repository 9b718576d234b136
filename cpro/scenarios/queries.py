"""Read scenarios: always a known number of statements, however many rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import joinedload

from cpro.competences.models import Competence
from cpro.core.errors import NotFound
from cpro.core.permissions import Permission
from cpro.extensions import db
from cpro.scenarios.listing import ARCHIVED, BY_TITLE, IN_USE, MINE, PAGE_SIZE, Listing
from cpro.scenarios.models import Scenario, ScenarioCoAuthor, ScenarioCompetence, ScenarioLink
from cpro.students.models import Diploma, Division, TeacherDivision
from cpro.users.models import Account

#: Beyond, a list is refined rather than counted.
MOST_COUNTED = 1_000


@dataclass(frozen=True)
class ScenarioDetails:
    """A scenario with everything its page shows."""

    scenario: Scenario
    links: Sequence[ScenarioLink]
    competences: Sequence[Competence]
    co_authors: Sequence[Account]


@dataclass(frozen=True)
class Page:
    """One page of the list; `previous` and `next` are the scenarios before and after which the neighbours stand."""

    rows: Sequence[Scenario]
    codes: dict[int, list[str]]
    previous: int
    next: int


def get_scenario(scenario_id: int) -> Scenario:
    """Return a scenario of the school with its diploma and author, or raise `NotFound`."""
    found = db.session.scalars(
        select(Scenario)
        .where(Scenario.id == scenario_id)
        .options(joinedload(Scenario.diploma), joinedload(Scenario.author))
    ).one_or_none()
    if found is None:
        raise NotFound("Ce scénario n’existe pas.")
    return found


def get_details(scenario_id: int) -> ScenarioDetails:
    """Return a scenario with its links, competences and co-authors, or raise `NotFound`."""
    scenario = get_scenario(scenario_id)
    return ScenarioDetails(scenario, list_links(scenario.id), list_worked(scenario.id), list_co_authors(scenario.id))


def list_links(scenario_id: int) -> Sequence[ScenarioLink]:
    """Return the links of a scenario, in order."""
    return db.session.scalars(
        select(ScenarioLink)
        .where(ScenarioLink.scenario_id == scenario_id)
        .order_by(ScenarioLink.position, ScenarioLink.id)
    ).all()


def list_worked(scenario_id: int) -> Sequence[Competence]:
    """Return the competences that a scenario works on, in the order of their list."""
    return db.session.scalars(
        select(Competence)
        .join(ScenarioCompetence, ScenarioCompetence.competence_id == Competence.id)
        .where(ScenarioCompetence.scenario_id == scenario_id)
        .order_by(Competence.position, Competence.id)
    ).all()


def list_co_authors(scenario_id: int) -> Sequence[Account]:
    """Return the co-authors of a scenario, by name."""
    return db.session.scalars(
        select(Account)
        .join(ScenarioCoAuthor, ScenarioCoAuthor.account_id == Account.id)
        .where(ScenarioCoAuthor.scenario_id == scenario_id)
        .order_by(Account.search_key, Account.id)
    ).all()


def is_written_by(scenario: Scenario, account_id: int | None) -> bool:
    """Return whether someone is the author of a scenario, or one of its co-authors."""
    if account_id is None:
        return False
    return scenario.author_id == account_id or bool(
        db.session.scalar(
            select(ScenarioCoAuthor.id).where(
                ScenarioCoAuthor.scenario_id == scenario.id, ScenarioCoAuthor.account_id == account_id
            )
        )
    )


def list_possible_co_authors(author_id: int | None, kept: Sequence[int]) -> Sequence[Account]:
    """Return who may be co-author beside an author, by name: the teachers whose account is open, and those `kept`."""
    return db.session.scalars(
        select(Account)
        .where(
            or_(and_(Account.holds(Permission.SCENARIOS_EDIT), Account.is_active), Account.id.in_(kept)),
            Account.id != author_id,
        )
        .order_by(Account.search_key, Account.id)
    ).all()


def list_attached(scenario_id: int) -> dict[str, Sequence[ScenarioLink | ScenarioCompetence | ScenarioCoAuthor]]:
    """Return the rows attached to a scenario, by the names its form gives them."""
    return {
        "links": db.session.scalars(select(ScenarioLink).where(ScenarioLink.scenario_id == scenario_id)).all(),
        "competences": db.session.scalars(
            select(ScenarioCompetence).where(ScenarioCompetence.scenario_id == scenario_id)
        ).all(),
        "co_authors": db.session.scalars(
            select(ScenarioCoAuthor).where(ScenarioCoAuthor.scenario_id == scenario_id)
        ).all(),
    }


def find_usual_diploma(account_id: int) -> Diploma | None:
    """Return the diploma that the divisions of a teacher prepare for most often, or None."""
    return db.session.scalars(
        select(Diploma)
        .join(Division, Division.diploma_id == Diploma.id)
        .join(TeacherDivision, TeacherDivision.division_id == Division.id)
        .where(TeacherDivision.account_id == account_id)
        .group_by(Diploma.id)
        .order_by(func.count(TeacherDivision.id).desc(), Diploma.id)
        .limit(1)
    ).first()


def find_page(listing: Listing, account_id: int | None) -> Page:
    """Return one page of the list, after or before the scenario that the address names."""
    pivot = db.session.get(Scenario, listing.after or listing.before) if listing.after or listing.before else None
    backwards = pivot is not None and not listing.after
    statement = (
        select(Scenario)
        .where(*_conditions(listing, account_id))
        .options(joinedload(Scenario.diploma), joinedload(Scenario.author))
    )
    if pivot is not None:
        statement = statement.where(_beyond(listing, pivot, backwards=backwards))
    found = list(db.session.scalars(statement.order_by(*_order(listing, backwards=backwards)).limit(PAGE_SIZE + 1)))
    more, rows = len(found) > PAGE_SIZE, found[:PAGE_SIZE]
    if backwards:
        rows.reverse()
    has_previous, has_next = (more, True) if backwards else (pivot is not None, more)
    return Page(
        rows,
        list_codes_by_scenario([row.id for row in rows]),
        previous=rows[0].id if rows and has_previous else 0,
        next=rows[-1].id if rows and has_next else 0,
    )


def count_scenarios(listing: Listing, account_id: int | None) -> int:
    """Return how many scenarios the list holds, counting no further than one beyond `MOST_COUNTED`."""
    counted = select(Scenario.id).where(*_conditions(listing, account_id)).limit(MOST_COUNTED + 1).subquery()
    return db.session.scalar(select(func.count(counted.c.id))) or 0


def list_codes_by_scenario(scenario_ids: Collection[int]) -> dict[int, list[str]]:
    """Return the codes of the competences of some scenarios, {scenario id: codes}, in the order of their list."""
    if not scenario_ids:
        return {}
    rows = db.session.execute(
        select(ScenarioCompetence.scenario_id, Competence.code)
        .join(Competence, Competence.id == ScenarioCompetence.competence_id)
        .where(ScenarioCompetence.scenario_id.in_(scenario_ids))
        .order_by(Competence.position, Competence.id)
    )
    codes: dict[int, list[str]] = {}
    for scenario_id, code in rows:
        codes.setdefault(scenario_id, []).append(code)
    return codes


def count_for_diploma(diploma_id: int) -> int:
    """Return how many scenarios are written for a diploma."""
    return db.session.scalar(select(func.count(Scenario.id)).where(Scenario.diploma_id == diploma_id)) or 0


def count_in_use() -> int:
    """Return how many scenarios the school has in use."""
    return db.session.scalar(select(func.count(Scenario.id)).where(Scenario.archived_at.is_(None))) or 0


def find_worked(competence_ids: Collection[int]) -> set[int]:
    """Return which of some competences a scenario works on."""
    return set(
        db.session.scalars(
            select(ScenarioCompetence.competence_id).where(ScenarioCompetence.competence_id.in_(competence_ids))
        )
    )


def _conditions(listing: Listing, account_id: int | None) -> list[ColumnElement[bool]]:
    found = [Scenario.search_key.contains(word, autoescape=True) for word in listing.words]
    if listing.diploma:
        found.append(Scenario.diploma.has(Diploma.code == listing.diploma))
    if listing.author == MINE:
        shared = select(ScenarioCoAuthor.scenario_id).where(ScenarioCoAuthor.account_id == account_id)
        found.append(or_(Scenario.author_id == account_id, Scenario.id.in_(shared)))
    if listing.competence:
        working = select(ScenarioCompetence.scenario_id).where(ScenarioCompetence.competence_id == listing.competence)
        found.append(Scenario.id.in_(working))
    if listing.state == IN_USE:
        found.append(Scenario.archived_at.is_(None))
    elif listing.state == ARCHIVED:
        found.append(Scenario.archived_at.is_not(None))
    return found


def _order(listing: Listing, *, backwards: bool) -> tuple[Any, Any]:
    if listing.order == BY_TITLE:
        return (Scenario.search_key.desc(), Scenario.id.desc()) if backwards else (Scenario.search_key, Scenario.id)
    return (Scenario.changed_at, Scenario.id) if backwards else (Scenario.changed_at.desc(), Scenario.id.desc())


def _beyond(listing: Listing, pivot: Scenario, *, backwards: bool) -> ColumnElement[bool]:
    """Return the condition of what stands after a scenario in the list's order (before it, going backwards)."""
    key: Any = Scenario.search_key if listing.order == BY_TITLE else Scenario.changed_at
    value = pivot.search_key if listing.order == BY_TITLE else pivot.changed_at
    ascending = (listing.order == BY_TITLE) is not backwards
    if ascending:
        return or_(key > value, and_(key == value, Scenario.id > pivot.id))
    return or_(key < value, and_(key == value, Scenario.id < pivot.id))
