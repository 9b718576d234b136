"""Two schools with a scenario each, whose words must show to nobody else."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.competences.models import Competence
from cpro.competences.national import load
from cpro.core.permissions import Role
from cpro.scenarios.models import ScenarioCoAuthor, ScenarioCompetence, ScenarioLink
from cpro.students.models import Diploma
from tests.factories import World, make_account, make_scenario
from tests.helpers.browser import Browser

#: In every word of the scenarios below: nobody but their readers may be shown it.
SECRET = "secret-"


@dataclass(frozen=True)
class Written:
    """What tests need of the scenarios: ids."""

    #: of school "a" by its teacher, of school "b"
    own: int
    theirs: int
    #: a second teacher of school "a", without scenario
    colleague: int
    colleague_login: str
    diploma: int
    #: another national diploma
    other_diploma: int
    #: competences of the diploma, by code
    competences: dict[str, int]
    foreign_competence: int

    def page(self, end: str = "") -> str:
        """Return the address of the scenario of school "a"."""
        return f"/scenarios/{self.own}{end}"

    def typed(self, **values: Any) -> dict[str, Any]:
        """Return what a form posts, typed without script."""
        return {
            "title": "Éclairer l’atelier",
            "diploma": "40025520",
            "description": "Du **gras**",
            "links-0-label": "Guide",
            "links-0-url": "https://guide.example/",
            "competences": [str(self.competences["C1"])],
            **values,
        }


@pytest.fixture
def written(world: World, arrange: Callable[[], AbstractContextManager[Session]]) -> Written:
    """Write a scenario in each school, with a link and a competence."""
    with arrange() as session:
        load(session)
        diplomas = {each.code: each.id for each in session.scalars(select(Diploma))}
        melec, cap = diplomas[world.diploma_code], diplomas["50025524"]
        competences = {
            each.code: each.id for each in session.scalars(select(Competence).where(Competence.diploma_id == melec))
        }
        foreign = session.scalars(select(Competence).where(Competence.diploma_id == cap)).first()
        assert foreign is not None
        colleague = make_account(world.a.id, Role.TEACHER, first_name="Zoé", last_name="Zircon", login="zoe.zircon")
        own, theirs = make_scenario(world.a, melec), make_scenario(world.b, melec)
        session.add_all([colleague, own, theirs])
        session.flush()
        for scenario, school in ((own, world.a), (theirs, world.b)):
            attached = {"establishment_id": school.id, "scenario_id": scenario.id}
            session.add(
                ScenarioLink(label=f"Lien-secret-{school.code}", url="https://x.example/", position=1, **attached)
            )
            session.add(ScenarioCompetence(competence_id=competences["C1"], **attached))
        return Written(own.id, theirs.id, colleague.id, colleague.login, melec, cap, competences, foreign.id)


@pytest.fixture
def add_co_author(
    world: World, written: Written, arrange: Callable[[], AbstractContextManager[Session]]
) -> Callable[[], None]:
    """Return the action of making the colleague a co-author."""

    def add() -> None:
        with arrange() as session:
            session.add(
                ScenarioCoAuthor(establishment_id=world.a.id, scenario_id=written.own, account_id=written.colleague)
            )

    return add


@pytest.fixture
def as_colleague(browser: Callable[[], Browser], world: World, written: Written) -> Browser:
    """Return a browser signed in as the second teacher."""
    signed_in = browser()
    assert signed_in.sign_in(world.a.code, written.colleague_login, world.password).status_code == 303
    return signed_in
