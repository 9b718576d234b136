"""The gate: what is missing, in which order, and what that blocks, in live figures."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from cpro.establishments.gate import MissingParticular, missing_particulars
from tests.factories import World, make_establishment, make_student
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import set_school, set_up

URL = "/admin/parametres/etablissement"
COMPLETE = {"name": "Lycée", "email": "contact@lycee.example", "uai": "0999001W"}
As = Callable[..., Browser]


class TestMissingParticulars:
    @pytest.mark.parametrize(
        ("blank", "missing"),
        [
            ({}, []),
            ({"name": ""}, ["name"]),
            ({"email": ""}, ["email"]),
            ({"uai": None}, ["uai"]),
            ({"uai": None, "name": ""}, ["name", "uai"]),
            ({"uai": None, "email": "", "name": ""}, ["name", "email", "uai"]),
        ],
        ids=str,
    )
    def test_missing_particulars_are_reported_in_the_order_of_the_form(
        self, blank: dict[str, str | None], missing: list[str]
    ) -> None:
        school = make_establishment(**{**COMPLETE, **blank})

        assert [each.field for each in missing_particulars(school)] == missing

    def test_missing_particulars_are_called_as_people_call_them(self) -> None:
        school = make_establishment(name="", email="", uai=None)

        assert missing_particulars(school) == [
            MissingParticular("name", "le nom"),
            MissingParticular("email", "l’adresse électronique"),
            MissingParticular("uai", "le code UAI"),
        ]

    def test_missing_particulars_nothing_else_is_asked(self) -> None:
        assert missing_particulars(make_establishment(**COMPLETE, city="", phone="", signatory_name="")) == []


class TestRequireOpenGate:
    def test_require_open_gate_a_missing_address_names_the_pupils_it_stops(
        self, app: Flask, as_: As, world: World
    ) -> None:
        set_school(app, world.a.id, email="")
        gone = make_student(world.a.id, is_active=False)
        set_up(app, lambda session: session.add_all([gone, *(make_student(world.a.id) for _ in range(117))]))

        page = Page(as_("administrator").get(URL))

        assert "L’adresse électronique manque : 118 apprenants ne peuvent pas exporter leur passeport." in page.text
        assert "Aucun nouvel utilisateur ne peut être créé." in page.text
        assert "#email" in {link.get("href") for link in page.main.iter("a")}

    def test_require_open_gate_the_figure_is_live_and_the_schools_own(self, app: Flask, as_: As, world: World) -> None:
        for school in (world.a, world.b):
            set_school(app, school.id, email="", name="")
        set_up(app, lambda session: session.add(make_student(world.b.id)))

        sentence = "Le nom et l’adresse électronique manquent : "
        assert f"{sentence}1 apprenant ne peut pas exporter son passeport." in Page(as_("head").get(URL)).text
        assert f"{sentence}2 apprenants ne peuvent pas exporter" in Page(as_("head", "b").get(URL)).text

    def test_require_open_gate_filling_it_in_opens_the_gate_at_once(self, app: Flask, as_: As, world: World) -> None:
        set_school(app, world.a.id, email="")
        browser = as_("administrator")
        closed = Page(browser.get("/admin/")).text

        browser.post(URL, {"email": "contact@alpha.example"})

        assert "Manque : l’adresse électronique." in closed
        assert "2/3" in closed
        assert "Vous pouvez créer des utilisateurs." in Page(browser.get(URL)).text
        assert "3/3" in Page(browser.get("/admin/")).text

    def test_require_open_gate_the_sentence_is_typeset_as_french(self, app: Flask, as_: As, world: World) -> None:
        set_school(app, world.a.id, email="")

        assert "L’adresse électronique manque\u202f: 1 apprenant" in as_("administrator").get(URL).text
