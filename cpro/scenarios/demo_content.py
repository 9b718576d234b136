"""Scenarios of the demonstration: a few fictitious ones, by one teacher."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.competences.models import Competence
from cpro.core.richtext import from_typed
from cpro.core.validators import fold
from cpro.establishments.models import Establishment
from cpro.scenarios.models import Scenario, ScenarioCompetence, ScenarioLink
from cpro.students.models import Diploma
from cpro.users.models import Account

#: Diploma, title, co-intervention, competences, then the content of the worded fields.
_SCENARIOS = (
    (
        "40025520",
        "Rénover l’éclairage d’un atelier",
        True,
        ("C1", "C3", "C5"),
        {
            "description": "L’atelier de menuiserie du lycée est éclairé par **24 tubes fluorescents** de plus de "
            "vingt ans. L’intendance demande une étude, puis la rénovation d’une première travée.",
            "problematic": "Comment réduire de moitié la consommation sans perdre en confort ?\n\n"
            "1. Relever l’existant\n2. Mesurer l’éclairement\n3. Proposer deux solutions et les chiffrer",
            "equipment": "- Luxmètre\n- Logiciel d’éclairage\n- Caméra thermique",
            "resources": "Atelier, salle informatique",
            "knowledge": "Éclairement, puissance, énergie ; lecture d’un plan",
        },
        (("Guide de l’éclairage intérieur", "https://eclairage.example/guide"),),
    ),
    (
        "40025520",
        "Installer une borne de recharge",
        False,
        ("C2", "C4", "C7"),
        {
            "description": "Une petite entreprise équipe son parking d’une borne pour véhicule électrique.",
            "problematic": "Quelle protection choisir, et où la placer ?",
            "equipment": "- Borne de 7 kW\n- Tableau d’essai",
        },
        (),
    ),
    (
        "50025524",
        "Câbler un va-et-vient",
        False,
        ("CO2", "CO3"),
        {
            "description": "Commander l’éclairage d’un couloir depuis ses deux extrémités.",
            "equipment": "- Deux interrupteurs\n- Platine d’essai",
        },
        (),
    ),
)


def load(session: Session, school: Establishment, now: datetime) -> None:
    """Create the scenarios of a demonstration school, by its teacher; the national lists must be loaded."""
    author_id = session.scalars(
        select(Account.id).where(Account.establishment_id == school.id, Account.login == "enseignante")
    ).one()
    competences = {(each.diploma_id, each.code): each.id for each in session.scalars(select(Competence))}
    diplomas = {each.code: each.id for each in session.scalars(select(Diploma))}
    for number, (diploma, title, together, codes, texts, links) in enumerate(_SCENARIOS):
        changed_at = now - timedelta(days=3 * number)
        scenario = Scenario(
            establishment_id=school.id,
            diploma_id=diplomas[diploma],
            title=title,
            search_key=fold(title),
            is_co_intervention=together,
            author_id=author_id,
            created_at=changed_at,
            changed_at=changed_at,
            **{name: from_typed(text) for name, text in texts.items()},
        )
        session.add(scenario)
        session.flush()
        attached = {"establishment_id": school.id, "scenario_id": scenario.id}
        session.add_all(
            ScenarioCompetence(competence_id=competences[diplomas[diploma], code], **attached) for code in codes
        )
        session.add_all(
            ScenarioLink(label=label, url=url, position=position, **attached)
            for position, (label, url) in enumerate(links, 1)
        )
