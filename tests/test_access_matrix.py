"""Who may open what: one table, one line a page, tried against the running application.

A column is a person: signed out, administrator, head, teacher, student of the school, support in the school,
inspector in no school, inspector inside the school by a mandate. « in » is 303 to the sign-in page, « choose » 303 to
the choice of a school.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from cpro.core.permissions import access_of
from cpro.users.web.guard import STATIC_ENDPOINTS
from tests.factories import World, make_mandate
from tests.helpers.browser import Browser
from tests.helpers.screens import screens

PEOPLE = ("anonymous", "administrator", "head", "teacher", "student", "support", "inspector", "inspector inside")
IN, CHOOSE = "in", "choose"

#: page: (what each of PEOPLE gets); 404 where there is nothing to see yet, the right being there.
GET = {
    "/": (IN, 303, 303, 303, 303, 303, CHOOSE, 303),
    "/connexion": (200, 303, 303, 303, 303, 303, 303, 303),
    "/activation": (200, 200, 200, 200, 200, 200, 200, 200),
    "/mot-de-passe-oublie": (200, 200, 200, 200, 200, 200, 200, 200),
    "/alpha/": (303, 303, 303, 303, 303, 303, 303, 303),
    "/mon-compte": (IN, 200, 200, 200, 200, 200, 200, 200),
    "/mon-compte/adresse": (IN, 200, 200, 200, 200, 404, 404, 404),
    "/ecoles": (IN, 403, 403, 403, 403, 200, 200, 200),
    "/admin/": (IN, 200, 200, 403, 403, 200, CHOOSE, 403),
    "/admin/parametres/": (IN, 303, 303, 403, 403, 303, CHOOSE, 303),
    "/admin/parametres/etablissement": (IN, 200, 200, 403, 403, 200, CHOOSE, 200),
    "/admin/parametres/etablissement/confirmer-adresse": (IN, 403, 200, 403, 403, 403, CHOOSE, 403),
    "/adresse/inconnue": (404, 404, 404, 404, 404, 404, 404, 404),
    "/admin/utilisateurs/accord-enseignants": (IN, 403, 200, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/transferts": (IN, 200, 200, 403, 403, 200, CHOOSE, 403),
    "/admin/parametres/transferts/effectues": (IN, 200, 200, 403, 403, 200, CHOOSE, 403),
    "/admin/parametres/transferts/effectues/999": (IN, 404, 404, 403, 403, 404, CHOOSE, 403),
    "/admin/parametres/transferts/effectues/999/recepisse.pdf": (IN, 404, 404, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/transferts/effectues/proposer": (IN, 200, 200, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/transferts/effectues/999/confirmer": (IN, 404, 404, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/transferts/effectues/999/accorder": (IN, 404, 404, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/transferts/effectues/999/accepter": (IN, 404, 404, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/transferts/effectues/999/refuser": (IN, 404, 404, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/transferts/effectues/999/reprendre": (IN, 404, 404, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/transferts/effectues/999/redemander": (IN, 404, 404, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/transferts/effectues/999/annuler": (IN, 404, 404, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/masques": (IN, 200, 200, 403, 403, 200, CHOOSE, 403),
    "/admin/parametres/masques?diplome=40025520": (IN, 200, 200, 403, 403, 200, CHOOSE, 403),
    "/admin/parametres/masques/reinitialiser?diplome=40025520": (IN, 200, 403, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/logo": (IN, 200, 200, 403, 403, 200, CHOOSE, 403),
    "/admin/parametres/logo/image/logo": (IN, 404, 404, 403, 403, 404, CHOOSE, 403),
    "/admin/parametres/logo/image/cachet": (IN, 404, 404, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/logo/apercu/premiere-page": (IN, 200, 200, 403, 403, 200, CHOOSE, 403),
    "/admin/parametres/logo/apercu/derniere-page": (IN, 200, 200, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/logo/supprimer/logo": (IN, 404, 404, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/historique?de=etablissement": (IN, 200, 200, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/historique?de=transferts": (IN, 200, 200, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/historique?de=masques": (IN, 200, 200, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/historique?de=logo": (IN, 200, 200, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/historique/999/retablir": (IN, 404, 404, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/historique/image/999": (IN, 404, 404, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/inspecteurs": (IN, 200, 200, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/inspecteurs/999/fermer": (IN, 403, 404, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/inspecteurs/999/prolonger": (IN, 403, 404, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/inspecteurs/999/consultations": (IN, 403, 404, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/modules": (IN, 403, 200, 403, 403, 403, CHOOSE, 403),
    "/admin/eleves-sans-ine": (IN, 200, 200, 403, 403, 200, CHOOSE, 403),
    "/admin/eleves/ouvrir-comptes": (IN, 200, 403, 403, 403, 403, CHOOSE, 403),
    "/admin/eleves/999/compte": (IN, 404, 403, 403, 403, 403, CHOOSE, 403),
    "/admin/utilisateurs/999/eleve": (IN, 404, 403, 403, 403, 403, CHOOSE, 403),
    "/admin/utilisateurs/999/relier": (IN, 404, 403, 403, 403, 403, CHOOSE, 403),
    "/admin/utilisateurs/999/delier": (IN, 404, 403, 403, 403, 403, CHOOSE, 403),
    "/admin/utilisateurs/liens": (IN, 403, 200, 403, 403, 403, CHOOSE, 403),
    "/admin/imports": (IN, 200, 403, 403, 403, 403, CHOOSE, 403),
    "/admin/imports/modele/eleves/csv": (IN, 200, 403, 403, 403, 403, CHOOSE, 403),
    "/admin/imports/999": (IN, 404, 403, 403, 403, 403, CHOOSE, 403),
    "/admin/imports/999/changements": (IN, 404, 404, 403, 403, 404, CHOOSE, 403),
    "/admin/imports/999/constats": (IN, 404, 404, 403, 403, 404, CHOOSE, 403),
    "/admin/imports/999/export/csv": (IN, 404, 404, 403, 403, 403, CHOOSE, 403),
    "/admin/imports/999/abandonner": (IN, 404, 403, 403, 403, 403, CHOOSE, 403),
    "/admin/imports/999/annuler": (IN, 404, 403, 403, 403, 403, CHOOSE, 403),
    "/admin/travaux/999": (IN, 404, 404, 403, 403, 403, CHOOSE, 403),
    "/admin/utilisateurs/fiches": (IN, 200, 403, 403, 403, 403, CHOOSE, 403),
    "/admin/utilisateurs/fiches/999": (IN, 404, 403, 403, 403, 403, CHOOSE, 403),
    "/admin/utilisateurs/fiches/999/fichier": (IN, 404, 403, 403, 403, 403, CHOOSE, 403),
    "/passeport/999.pdf": (IN, 403, 404, 404, 404, 403, CHOOSE, 403),
    "/mon-passeport.pdf": (IN, 403, 403, 403, 404, 403, CHOOSE, 403),
    "/mon-compte/mes-donnees.zip": (IN, 403, 403, 403, 404, 403, CHOOSE, 403),
    "/passeports": (IN, 403, 200, 200, 403, 403, CHOOSE, 403),
    "/passeports/travaux/999": (IN, 403, 404, 404, 403, 403, CHOOSE, 403),
    "/passeports/archives/999": (IN, 403, 404, 404, 403, 403, CHOOSE, 403),
    "/verifier": (200, 200, 200, 200, 200, 200, 200, 200),
    "/verifier/ABCD-EFGH-JKMN-PQRS": (404, 404, 404, 404, 404, 404, 404, 404),
    "/admin/diplomes/999/competences": (IN, 404, 404, 403, 403, 404, CHOOSE, 404),
    "/admin/diplomes/999/competences/modele": (IN, 404, 404, 403, 403, 404, CHOOSE, 404),
    "/admin/diplomes/999/competences/deposer": (IN, 404, 403, 403, 403, 403, CHOOSE, 403),
    "/admin/diplomes/999/competences/vider": (IN, 404, 403, 403, 403, 403, CHOOSE, 403),
    "/scenarios": (IN, 403, 200, 200, 403, 403, CHOOSE, 200),
    "/scenarios/nouveau": (IN, 403, 403, 200, 403, 403, CHOOSE, 403),
    "/scenarios/999": (IN, 403, 404, 404, 403, 403, CHOOSE, 404),
    "/scenarios/999/imprimer": (IN, 403, 404, 404, 403, 403, CHOOSE, 404),
    "/scenarios/999/modifier": (IN, 403, 403, 404, 403, 403, CHOOSE, 403),
    "/scenarios/999/archiver": (IN, 403, 403, 404, 403, 403, CHOOSE, 403),
    "/scenarios/999/reprendre": (IN, 403, 403, 404, 403, 403, CHOOSE, 403),
    "/eleves": (IN, 403, 200, 200, 403, 403, CHOOSE, 200),
    "/eleves/moi": (IN, 403, 403, 403, 200, 403, CHOOSE, 403),
    "/eleves/999": (IN, 403, 404, 404, 404, 403, CHOOSE, 404),
    "/eleves/999/fiches": (IN, 403, 404, 404, 404, 403, CHOOSE, 404),
    "/eleves/999/fiches/999": (IN, 403, 404, 404, 404, 403, CHOOSE, 404),
    "/eleves/999/evaluations": (IN, 403, 404, 404, 404, 403, CHOOSE, 404),
    "/eleves/999/bilans": (IN, 403, 404, 404, 404, 403, CHOOSE, 404),
    "/eleves/999/fiches/nouvelle": (IN, 403, 403, 404, 404, 403, CHOOSE, 403),
    "/eleves/999/fiches/999/modifier": (IN, 403, 403, 404, 404, 403, CHOOSE, 403),
    "/eleves/999/fiches/999/supprimer": (IN, 403, 403, 404, 404, 403, CHOOSE, 403),
    "/eleves/999/evaluations/nouvelle": (IN, 403, 403, 404, 403, 403, CHOOSE, 403),
    "/eleves/999/evaluations/999/modifier": (IN, 403, 403, 404, 403, 403, CHOOSE, 403),
    "/eleves/999/evaluations/999/supprimer": (IN, 403, 403, 404, 403, 403, CHOOSE, 403),
    "/eleves/999/bilans/nouveau": (IN, 403, 403, 404, 403, 403, CHOOSE, 403),
    "/eleves/999/bilans/999/modifier": (IN, 403, 403, 404, 403, 403, CHOOSE, 403),
    "/eleves/999/bilans/999/supprimer": (IN, 403, 403, 404, 403, 403, CHOOSE, 403),
    "/eleves/evaluer/999": (IN, 403, 403, 404, 403, 403, CHOOSE, 403),
    "/admin/parametres/conservation": (IN, 200, 200, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/historique?de=conservation": (IN, 200, 200, 403, 403, 403, CHOOSE, 403),
    "/aide/etablissement": (IN, 200, 200, 200, 200, 200, 200, 200),
    "/mentions/accessibilite": (200, 200, 200, 200, 200, 200, 200, 200),
    "/mentions/donnees-personnelles": (200, 200, 200, 200, 200, 200, 200, 200),
    "/sante/pret": (200, 200, 200, 200, 200, 200, 200, 200),
    "/sante": (200, 200, 200, 200, 200, 200, 200, 200),
}

#: Empty posts: 422, 404 or 303 mean that the right is there; nobody without it gets past 403.
POST = {
    "/connexion": (422, 422, 422, 422, 422, 422, 422, 422),
    "/deconnexion": (303, 303, 303, 303, 303, 303, 303, 303),
    "/activation": (422, 422, 422, 422, 422, 422, 422, 422),
    "/mot-de-passe-oublie": (422, 422, 422, 422, 422, 422, 422, 422),
    "/mon-compte": (IN, 422, 422, 422, 422, 422, 422, 422),
    "/mon-compte/adresse": (IN, 422, 422, 422, 422, 404, 404, 404),
    "/ecoles/{b}/entrer": (IN, 403, 403, 403, 403, 303, 404, 404),
    "/ecoles/quitter": (IN, 403, 403, 403, 403, 303, 303, 303),
    "/admin/parametres/etablissement": (IN, 303, 303, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/etablissement/confirmer-adresse": (IN, 403, 422, 403, 403, 403, CHOOSE, 403),
    "/adresse/inconnue": (404, 404, 404, 404, 404, 404, 404, 404),
    "/admin/utilisateurs/accord-enseignants": (IN, 403, 422, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/transferts": (IN, 303, 303, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/transferts/effectues/essayer": (IN, 409, 409, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/transferts/effectues/proposer": (IN, 422, 422, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/transferts/effectues/999/confirmer": (IN, 404, 404, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/transferts/effectues/999/accorder": (IN, 404, 404, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/transferts/effectues/999/accepter": (IN, 404, 404, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/transferts/effectues/999/refuser": (IN, 404, 404, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/transferts/effectues/999/reprendre": (IN, 404, 404, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/transferts/effectues/999/redemander": (IN, 404, 404, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/transferts/effectues/999/annuler": (IN, 404, 404, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/masques?diplome=40025520": (IN, 303, 403, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/masques/reinitialiser?diplome=40025520": (IN, 303, 403, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/logo/televerser/logo": (IN, 422, 422, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/logo/televerser/cachet": (IN, 422, 422, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/logo/supprimer/cachet": (IN, 404, 404, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/logo/annuler/logo": (IN, 422, 422, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/historique/999/retablir": (IN, 404, 404, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/inspecteurs": (IN, 403, 422, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/inspecteurs/999/fermer": (IN, 403, 404, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/inspecteurs/999/prolonger": (IN, 403, 404, 403, 403, 403, CHOOSE, 403),
    "/admin/parametres/modules": (IN, 403, 303, 403, 403, 403, CHOOSE, 403),
    "/admin/imports": (IN, 422, 403, 403, 403, 403, CHOOSE, 403),
    "/admin/imports/999/appliquer": (IN, 404, 403, 403, 403, 403, CHOOSE, 403),
    "/admin/imports/999/analyser": (IN, 404, 403, 403, 403, 403, CHOOSE, 403),
    "/admin/imports/999/reponses": (IN, 404, 403, 403, 403, 403, CHOOSE, 403),
    "/admin/imports/999/choix": (IN, 404, 403, 403, 403, 403, CHOOSE, 403),
    "/admin/imports/999/abandonner": (IN, 404, 403, 403, 403, 403, CHOOSE, 403),
    "/admin/imports/999/annuler": (IN, 404, 403, 403, 403, 403, CHOOSE, 403),
    "/passeports/divisions/999": (IN, 403, 404, 404, 403, 403, CHOOSE, 403),
    "/verifier": (422, 422, 422, 422, 422, 422, 422, 422),
    "/verifier/ABCD-EFGH-JKMN-PQRS": (404, 404, 404, 404, 404, 404, 404, 404),
    "/admin/diplomes/999/competences/deposer": (IN, 404, 403, 403, 403, 403, CHOOSE, 403),
    "/admin/diplomes/999/competences/vider": (IN, 404, 403, 403, 403, 403, CHOOSE, 403),
    "/scenarios/nouveau": (IN, 403, 403, 422, 403, 403, CHOOSE, 403),
    "/scenarios/999/modifier": (IN, 403, 403, 404, 403, 403, CHOOSE, 403),
    "/scenarios/999/archiver": (IN, 403, 403, 404, 403, 403, CHOOSE, 403),
    "/scenarios/999/reprendre": (IN, 403, 403, 404, 403, 403, CHOOSE, 403),
    "/scenarios/999/dupliquer": (IN, 403, 403, 404, 403, 403, CHOOSE, 403),
    "/admin/utilisateurs/fiches": (IN, 422, 403, 403, 403, 403, CHOOSE, 403),
    "/admin/eleves/ouvrir-comptes": (IN, 422, 403, 403, 403, 403, CHOOSE, 403),
    "/admin/utilisateurs/999/relier": (IN, 404, 403, 403, 403, 403, CHOOSE, 403),
    "/admin/utilisateurs/999/delier": (IN, 404, 403, 403, 403, 403, CHOOSE, 403),
    "/admin/utilisateurs/liens": (IN, 403, 303, 403, 403, 403, CHOOSE, 403),
    "/eleves/999/fiches/nouvelle": (IN, 403, 403, 404, 404, 403, CHOOSE, 403),
    "/eleves/999/fiches/999/modifier": (IN, 403, 403, 404, 404, 403, CHOOSE, 403),
    "/eleves/999/fiches/999/soumettre": (IN, 403, 403, 404, 404, 403, CHOOSE, 403),
    "/eleves/999/fiches/999/supprimer": (IN, 403, 403, 404, 404, 403, CHOOSE, 403),
    "/eleves/999/fiches/999/valider": (IN, 403, 403, 404, 403, 403, CHOOSE, 403),
    "/eleves/999/fiches/999/rendre": (IN, 403, 403, 404, 403, 403, CHOOSE, 403),
    "/eleves/999/evaluations/nouvelle": (IN, 403, 403, 404, 403, 403, CHOOSE, 403),
    "/eleves/999/evaluations/999/modifier": (IN, 403, 403, 404, 403, 403, CHOOSE, 403),
    "/eleves/999/evaluations/999/supprimer": (IN, 403, 403, 404, 403, 403, CHOOSE, 403),
    "/eleves/999/bilans/nouveau": (IN, 403, 403, 404, 403, 403, CHOOSE, 403),
    "/eleves/999/bilans/999/modifier": (IN, 403, 403, 404, 403, 403, CHOOSE, 403),
    "/eleves/999/bilans/999/supprimer": (IN, 403, 403, 404, 403, 403, CHOOSE, 403),
    "/eleves/evaluer/999": (IN, 403, 403, 404, 403, 403, CHOOSE, 403),
    "/admin/parametres/conservation": (IN, 403, 303, 403, 403, 403, CHOOSE, 403),
}


def _person(app: Flask, world: World, person: str) -> Browser:
    browser = Browser(app)
    if person == "anonymous":
        browser.get("/connexion")
        return browser
    role, _, inside = person.partition(" ")
    return browser.sign_in_as(world, role, enter="a" if person == "support" or inside else None)


@pytest.fixture
def world(world: World, arrange: Callable[[], AbstractContextManager[Session]]) -> World:
    """Open school A, and it alone, to the inspector."""
    with arrange() as session:
        session.add(make_mandate(world))
    return world


def _outcome(answer: object) -> int | str:
    status, location = answer.status_code, answer.headers.get("Location", "")  # type: ignore[attr-defined]
    if (status == 303 and location.startswith("/connexion?suite")) or (status == 303 and location == "/connexion"):
        return IN
    return CHOOSE if status == 303 and location == "/ecoles" else status


class TestMatrix:
    @pytest.mark.parametrize("person", PEOPLE)
    def test_each_page(self, app: Flask, world: World, person: str) -> None:
        column = PEOPLE.index(person)
        browser = _person(app, world, person)

        got = {page: _outcome(browser.get(page)) for page in GET}

        assert got == {page: line[column] for page, line in GET.items()}

    @pytest.mark.parametrize("person", PEOPLE)
    def test_each_post(self, app: Flask, world: World, person: str) -> None:
        column = PEOPLE.index(person)
        got = {}
        for page in POST:
            browser = _person(app, world, person)
            got[page] = _outcome(browser.post(page.format(b=world.b.id)))

        # leaving a school and signing out lead to the pages the shorthands name
        expected = {page: line[column] for page, line in POST.items()}
        shorthand = {"/deconnexion": IN, "/ecoles/quitter": CHOOSE}
        expected |= {page: word for page, word in shorthand.items() if expected[page] == 303}
        assert got == expected

    def test_the_table_holds_every_page(self, migrated_app: Flask) -> None:
        adapter = migrated_app.url_map.bind("localhost")
        generated = {screen.endpoint for screen in screens(migrated_app)}  # tests/test_screens.py goes through them
        for method, table in (("GET", GET), ("POST", POST)):
            tried = {adapter.match(page.format(b=1).partition("?")[0], method)[0] for page in table}
            there = {
                rule.endpoint
                for rule in migrated_app.url_map.iter_rules()
                if method in (rule.methods or ())
                and rule.endpoint not in STATIC_ENDPOINTS
                and rule.endpoint.partition(".")[0] not in generated
            }
            assert there <= tried, f"add a line for {method} {sorted(there - tried)}"

    def test_an_unmarked_route_is_refused(self, as_: Callable[..., Browser], app: Flask) -> None:
        def forgotten() -> str:
            return "secret"

        app.view_functions["forgotten"] = forgotten
        assert access_of(forgotten) is None
        rule = next(rule for rule in app.url_map.iter_rules() if rule.endpoint == "pages.ready")
        healthy = app.view_functions["pages.ready"]
        app.view_functions["pages.ready"] = forgotten
        try:
            answer = as_("administrator").get(rule.rule)
        finally:
            app.view_functions["pages.ready"] = healthy
            del app.view_functions["forgotten"]

        assert answer.status_code == 403
        assert "secret" not in answer.text
