"""Queries on scenarios: always a fixed number of statements, however many rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import joinedload

from cpro.competences.models import Competence
from cpro.core.counts import count_rows
from cpro.core.errors import NotFound
from cpro.core.lists import ListState, Page, contains_words, find_page_from
from cpro.core.parsing import read_id
from cpro.core.permissions import Permission
from cpro.extensions import db
from cpro.scenarios.listing import ARCHIVED, BY_TITLE
from cpro.scenarios.models import Scenario, ScenarioCoAuthor, ScenarioCompetence, ScenarioLink
from cpro.students.models import Diploma, Division, TeacherDivision
from cpro.users.models import Account

#: Beyond this number the list is not counted: the user is expected to narrow it.
MOST_COUNTED = 1_000


@dataclass(frozen=True)
class ScenarioDetails:
    """A scenario with everything its page shows."""

    scenario: Scenario
    links: Sequence[ScenarioLink]
    competences: Sequence[Competence]
    co_authors: Sequence[Account]


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
    """Return whether an account is the author of a scenario, or one of its co-authors."""
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
    """Return the possible co-authors beside an author, by name: teachers whose account is open, and those `kept`."""
    return db.session.scalars(
        select(Account)
        .where(
            or_(and_(Account.holds(Permission.SCENARIOS_EDIT), Account.is_active), Account.id.in_(kept)),
            Account.id != author_id,
        )
        .order_by(Account.search_key, Account.id)
    ).all()


def list_attached(scenario_id: int) -> dict[str, Sequence[ScenarioLink | ScenarioCompetence | ScenarioCoAuthor]]:
    """Return the rows attached to a scenario, by field name of its form."""
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
    """Return the diploma of most of a teacher's divisions, else of the school's, or None."""
    taught = (TeacherDivision.division_id == Division.id) & (TeacherDivision.account_id == account_id)
    return db.session.scalars(
        select(Diploma)
        .join(Division, Division.diploma_id == Diploma.id)
        .outerjoin(TeacherDivision, taught)
        .group_by(Diploma.id)
        .order_by(func.count(TeacherDivision.id).desc(), func.count(Division.id).desc(), Diploma.id)
        .limit(1)
    ).first()


def find_page(asked: ListState, account_id: int | None) -> Page[Scenario]:
    """Return one page of the list, after or before the scenario that the URL names."""
    by_title = (Scenario.search_key, Scenario.id)
    return find_page_from(
        asked,
        select(Scenario)
        .where(*_conditions(asked, account_id))
        .options(joinedload(Scenario.diploma), joinedload(Scenario.author)),
        *(by_title if asked.sort == BY_TITLE else (Scenario.changed_at.desc(), Scenario.id.desc())),
    )


def count_scenarios(asked: ListState, account_id: int | None) -> int:
    """Return how many scenarios the list contains, or more than `MOST_COUNTED`."""
    return count_rows(select(Scenario.id).where(*_conditions(asked, account_id)), most=MOST_COUNTED)


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


def list_titles(beginning: str) -> set[str]:
    """Return the titles of the school's scenarios that begin with `beginning`."""
    return set(db.session.scalars(select(Scenario.title).where(Scenario.title.startswith(beginning, autoescape=True))))


def find_worked(competence_ids: Collection[int]) -> set[int]:
    """Return which of some competences a scenario works on."""
    return set(
        db.session.scalars(
            select(ScenarioCompetence.competence_id).where(ScenarioCompetence.competence_id.in_(competence_ids))
        )
    )


def _conditions(asked: ListState, account_id: int | None) -> list[ColumnElement[bool]]:
    chosen, found = asked.chosen, contains_words(asked.search, Scenario.search_key)
    if "diplome" in chosen:
        found.append(Scenario.diploma.has(Diploma.code == chosen["diplome"]))
    if "auteur" in chosen:
        shared = select(ScenarioCoAuthor.scenario_id).where(ScenarioCoAuthor.account_id == account_id)
        found.append(or_(Scenario.author_id == account_id, Scenario.id.in_(shared)))
    if "competence" in chosen:
        working = select(ScenarioCompetence.scenario_id)
        found.append(Scenario.id.in_(working.where(ScenarioCompetence.competence_id == read_id(chosen["competence"]))))
    if "etat" not in chosen:
        found.append(Scenario.archived_at.is_(None))
    elif chosen["etat"] == ARCHIVED:
        found.append(Scenario.archived_at.is_not(None))
    return found
