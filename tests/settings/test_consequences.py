"""« Ce que cela change »: the lines of each tab, in order, from what the school holds."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from flask import Flask, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.establishments.models import Establishment, Module
from cpro.settings.tabs import TABS
from cpro.students.models import Diploma
from tests.factories import World, make_scenario
from tests.helpers.browser import Browser
from tests.helpers.pages import Page, text_of

As = Callable[..., Browser]
Arrange = Callable[[], AbstractContextManager[Session]]

_WITHOUT_INE = "À surveiller 1 élève sans INE ne pourra pas être transféré. Voir la liste"
_SIDES = "En ordre 0 transfert reçu et 1 envoyé à ce jour."
#: The lines of each tab in the school of the tests: every module on, transfers off, nothing missing.
LINES = {
    "establishment": [
        "En ordre Vous pouvez créer des utilisateurs.",
        "En ordre Les passeports de 1 apprenant peuvent être exportés.",
    ],
    "transfers": [
        "Bloqué Les transferts sont désactivés : les données de vos élèves ne partent vers aucun établissement, "
        "et vous n’en recevez pas.",
        _WITHOUT_INE,
        _SIDES,
    ],
    "masks": [
        "À savoir L’écran des scénarios et ses impressions prennent les nouveaux intitulés dès que vous validez, "
        "pour le diplôme choisi seulement.",
        "En ordre 1 diplôme a des intitulés propres à l’établissement.",
    ],
    "pictures": [
        "À savoir Sans logo, sa place reste vide sur les passeports.",
        "À savoir Sans cachet de l’établissement, sa place reste vide sur les passeports.",
    ],
    "inspectors": [
        "En ordre 1 inspecteur a accès maintenant à l’établissement.",
        "À savoir Chaque page ouverte par un inspecteur est inscrite au journal et dans la liste de ses consultations.",
    ],
    "retention": [
        "En ordre Aucune donnée ne sera supprimée la nuit prochaine.",
        "À savoir Un ancien apprenant peut demander son passeport, et ses données peuvent le suivre dans un autre "
        "établissement, tant qu’elles sont conservées ici.",
        "À savoir Une copie déjà reçue par un autre établissement n’est pas touchée.",
    ],
    "modules": [
        "À savoir Désactiver « Passeport » en priverait 1 apprenant ; rien ne serait effacé.",
        "À savoir Désactiver « Scénarios » fermerait ses pages ; rien ne serait effacé.",
        "À surveiller Désactiver « Accès inspecteur » suspendrait aussitôt 1 accès en cours. Voir les accès",
    ],
}
_SUSPENDED = (
    "Bloqué Le module « Accès inspecteur » est désactivé : plus rien n’est ouvert à personne. Le réactiver rendrait "
    "1 accès en cours. Onglet Modules"
)
#: The lines that change once transfers are on and every module is off.
TURNED = {
    "establishment": [
        "En ordre Vous pouvez créer des utilisateurs.",
        "Bloqué Le module « Passeport » est désactivé : 1 passeport en attente.",
    ],
    "transfers": [
        "En ordre Les transferts sont activés : les données d’un élève qui change d’établissement le suivent, "
        "si l’autre établissement les a activés aussi.",
        _WITHOUT_INE,
        _SIDES,
    ],
    "inspectors": [_SUSPENDED],
}


def lines_of(page: Page) -> list[str]:
    """Return the lines of « Ce que cela change », each with the word of its level and its link."""
    asides = [each for each in page.main.iter("aside") if each.get("aria-labelledby") == "ce-que-cela-change"]
    return [text_of(item) for aside in asides for item in aside.iter("li")]


def addresses_of(app: Flask) -> dict[str, str]:
    with app.test_request_context():
        return {tab.key: url_for(tab.endpoint) for tab in TABS}


@pytest.mark.unit
def test_consequences_cover_each_tab() -> None:
    assert list(LINES) == [tab.key for tab in TABS]


def test_consequences_of_each_tab_are_in_order(app: Flask, as_: As, filled: World) -> None:
    head = as_("head")

    for key, address in addresses_of(app).items():
        assert lines_of(Page(head.get(address))) == LINES[key], key


def test_consequences_of_each_tab_follow_the_switches(app: Flask, as_: As, filled: World, arrange: Arrange) -> None:
    with arrange() as session:
        school = session.get_one(Establishment, filled.a.id)
        school.cnil_reference, school.transfers_enabled = "1234567", True
        for module in Module:
            setattr(school, f"{module.value}_enabled", False)
    head, addresses = as_("head"), addresses_of(app)

    for key, lines in TURNED.items():
        assert lines_of(Page(head.get(addresses[key]))) == lines, key
    assert [line.split(" est ")[0] for line in lines_of(Page(head.get(addresses["modules"])))] == [
        "Bloqué Le module « Passeport »",
        "Bloqué Le module « Scénarios »",
        "Bloqué Le module « Accès inspecteur »",
    ]


@pytest.mark.parametrize(
    ("count", "closed", "waiting"),
    [
        (0, "ses pages", "aucun scénario n’était en cours"),
        (1, "1 scénario en cours à son auteur", "1 scénario en cours attend, intact, qu’il soit réactivé"),
        (2, "2 scénarios en cours à leurs auteurs", "2 scénarios en cours attendent, intacts, qu’il soit réactivé"),
    ],
)
def test_describe_modules_counts_what_they_close_in_french(
    app: Flask, as_: As, world: World, arrange: Arrange, count: int, closed: str, waiting: str
) -> None:
    with arrange() as session:
        diploma_id = session.scalars(select(Diploma.id)).first()
        session.add_all(make_scenario(world.a, diploma_id) for _ in range(count))
        session.add(make_scenario(world.b, diploma_id))
    head, address = as_("head"), addresses_of(app)["modules"]

    assert f"fermerait {closed} ;" in lines_of(Page(head.get(address)))[1]
    with arrange() as session:
        school = session.get_one(Establishment, world.a.id)
        school.passport_enabled = school.scenarios_enabled = False
    off = lines_of(Page(head.get(address)))
    assert off[0].endswith("1 apprenant en est privé.")
    assert off[1].startswith(f"Bloqué Le module « Scénarios » est désactivé : {waiting}.")


def test_describe_particulars_names_each_missing_one(app: Flask, as_: As, filled: World, arrange: Arrange) -> None:
    with arrange() as session:
        school = session.get_one(Establishment, filled.a.id)
        school.name = school.email = ""

    assert lines_of(Page(as_("head").get(addresses_of(app)["establishment"]))) == [
        "Bloqué Le nom et l’adresse électronique manquent : 1 apprenant ne peut pas exporter son passeport. Compléter",
        "Bloqué Aucun nouvel utilisateur ne peut être créé.",
    ]


def test_consequences_give_the_administrator_no_link_to_a_tab_of_the_head(
    app: Flask, as_: As, filled: World, arrange: Arrange
) -> None:
    with arrange() as session:
        session.get_one(Establishment, filled.a.id).inspectors_enabled = False

    lines = lines_of(Page(as_("administrator").get(addresses_of(app)["inspectors"])))

    assert lines == [_SUSPENDED.removesuffix(" Onglet Modules")]


def test_consequences_of_the_particulars_alone_are_an_inspectors(app: Flask, as_: As, filled: World) -> None:
    page = Page(as_("inspector", enter="a").get(addresses_of(app)["establishment"]))

    assert lines_of(page) == []
