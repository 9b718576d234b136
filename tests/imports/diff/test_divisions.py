"""A class whose pupils prepare several diplomas: somebody chooses, and the files leave that choice alone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.establishments.models import Establishment
from cpro.imports.models import ImportFinding
from cpro.students.models import MEF, Diploma, Division
from tests.factories import World, make_diploma, make_mef
from tests.helpers.browser import Browser
from tests.helpers.deposits import analyse, apply
from tests.helpers.imports import EVERYTHING, Desk
from tests.helpers.pages import Page

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]
SCREEN = "/admin/divisions"
FIRST, SECOND = "24725510310", "25420010310"
MIXED = [{"id": "1", "ine": "", "division": "MIXTE"}, {"id": "2", "ine": "", "division": "MIXTE", "CODE_MEF": SECOND}]
PLAIN = {"id": "3", "ine": "", "division": "SIMPLE"}
pytestmark = pytest.mark.usefixtures("october")


@pytest.fixture
def division(desk: Desk, arrange: Look, world: World) -> int:
    """Return the id of an imported class, whose courses lead to the diplomas PRO and AUTRE."""
    with arrange() as session:
        diplomas = [make_diploma(code=code, short_label=code, establishment_id=world.a.id) for code in ("PRO", "AUTRE")]
        session.add_all([*diplomas, make_diploma(code="AILLEURS", establishment_id=world.b.id)])
        session.add(make_diploma(code="TIERS", establishment_id=world.a.id))
        session.flush()
        for code, diploma in zip((FIRST, SECOND), diplomas, strict=True):
            session.add(make_mef(world.a.id, code=code, diploma_id=diploma.id))
    desk.import_files(desk.file_of(*MIXED, PLAIN), confirm=EVERYTHING)
    with desk.look() as session:
        return session.scalars(select(Division.id).where(Division.code == "MIXTE")).one()


def diploma_of(desk: Desk, code: str) -> str | None:
    """Return the code of the diploma of a class."""
    with desk.look() as session:
        return session.scalar(
            select(Diploma.code).join(Division, Division.diploma_id == Diploma.id).where(Division.code == code)
        )


def choose(browser: Browser, division: int, diploma: str, **fields: str) -> int:
    """Choose a diploma as the page does, and return the status."""
    address = f"{SCREEN}/edit/?id={division}"
    return browser.post(address, {**browser.form(address), "diploma": diploma, **fields}).status_code


class TestEditMixedDivisionRefused:
    @pytest.mark.parametrize("role", ["head", "teacher", "support"])
    def test_edit_mixed_division_is_refused_to_others_than_the_administrator(
        self, as_: As, desk: Desk, division: int, role: str
    ) -> None:
        browser = as_(role, enter="a" if role == "support" else None)

        assert browser.get(f"{SCREEN}/edit/?id={division}").status_code == 403
        assert browser.post(f"{SCREEN}/edit/?id={division}", {"diploma": "PRO"}).status_code == 403
        assert diploma_of(desk, "MIXTE") is None

    def test_edit_mixed_division_is_refused_to_the_other_school(self, as_: As, desk: Desk, division: int) -> None:
        other = as_("administrator", "b")

        assert other.get(f"{SCREEN}/edit/?id={division}").status_code == 404
        assert other.post(f"{SCREEN}/edit/?id={division}", {"diploma": "40025520"}).status_code == 404

    def test_edit_mixed_division_asks_nothing_where_courses_give_the_diploma(
        self, as_: As, desk: Desk, division: int
    ) -> None:
        with desk.look() as session:
            plain = session.scalars(select(Division.id).where(Division.code == "SIMPLE")).one()
        browser = as_("administrator")
        address = f"{SCREEN}/edit/?id={plain}"

        assert "viennent de ses fichiers" in Page(browser.get(address)).text
        assert browser.post(address, {"diploma": "AUTRE"}).status_code == 403
        assert diploma_of(desk, "SIMPLE") == "PRO"

    def test_edit_mixed_division_refuses_a_diploma_its_courses_do_not_prepare(
        self, as_: As, desk: Desk, division: int
    ) -> None:
        browser = as_("administrator")

        for diploma in ("TIERS", "AILLEURS", "INCONNU"):
            assert choose(browser, division, diploma) == 422
        assert diploma_of(desk, "MIXTE") is None


class TestLargeDivision:
    @pytest.mark.parametrize(("size", "is_told"), [(60, False), (61, True)])
    def test_large_division_is_reported_and_imported(self, as_: As, desk: Desk, size: int, is_told: bool) -> None:
        pupils = [{"id": str(number), "ine": "", "division": "TOUS"} for number in range(1, size + 1)]

        browser = as_("administrator")
        page = Page(browser.get(analyse(browser, ("e.xml", desk.file_of(*pupils).read_bytes()))))

        with desk.look() as session:
            told = session.scalars(select(ImportFinding).where(ImportFinding.code == "LARGE_DIVISION")).all()
        assert [(each.object_label, each.sentence) for each in told] == [
            ("TOUS", "Le fichier met 61 élèves dans cette division : vérifiez leur division.")
        ] * is_told
        assert ("division très nombreuse : 1" in page.text) is is_told
        assert "Appliquer l’import" in page.text


class TestMixedDivision:
    def test_mixed_division_the_page_offers_those_of_its_courses_and_keeps_the_rest(
        self, as_: As, desk: Desk, division: int
    ) -> None:
        browser = as_("administrator")
        page = browser.get(f"{SCREEN}/edit/?id={division}")

        assert 'value="PRO"' in page.text
        assert 'value="AUTRE"' in page.text
        assert 'value="TIERS"' not in page.text
        assert choose(browser, division, "AUTRE", code="PIRATE", label="Autre nom") == 303
        assert diploma_of(desk, "MIXTE") == "AUTRE"
        with desk.look() as session:
            assert session.scalars(select(Division.code).where(Division.label == "Autre nom")).all() == []
        assert "a modifié une division" in Page(browser.get("/admin/journal/")).text

    def test_mixed_division_the_list_leads_there_for_that_class_alone(self, as_: As, division: int) -> None:
        text = as_("administrator").get(f"{SCREEN}/").text

        assert text.count("/edit/?id=") == 1
        assert f"/edit/?id={division}" in text

    def test_mixed_division_the_next_import_neither_undoes_it_nor_asks_again(
        self, app: Flask, as_: As, desk: Desk, division: int
    ) -> None:
        browser = as_("administrator")
        with desk.look() as session:
            asked = session.scalars(select(ImportFinding).where(ImportFinding.code == "SEVERAL_DIPLOMAS")).all()
        assert [finding.object_label for finding in asked] == ["MIXTE"]
        choose(browser, division, "AUTRE")

        again = [("e.xml", desk.file_of(*MIXED, PLAIN, {"id": "4", "ine": "", "division": "MIXTE"}).read_bytes())]
        address = analyse(browser, *again)
        assert "plusieurs diplômes" not in Page(browser.get(address)).text
        apply(app, browser, address)

        assert diploma_of(desk, "MIXTE") == "AUTRE"
        assert len(desk.students()) == 4

    def test_mixed_division_an_import_that_leaves_it_to_choose_leads_to_the_list(
        self, app: Flask, as_: As, desk: Desk, division: int
    ) -> None:
        browser = as_("administrator")

        address = analyse(browser, ("e.xml", desk.file_of(*MIXED).read_bytes()))
        foreseen = browser.get(address)
        done = apply(app, browser, address, "deactivations")

        assert "choisissez le sien dans la liste des divisions" in Page(done).text
        assert f'href="{SCREEN}/">Choisir le diplôme' not in foreseen.text
        assert f'href="{SCREEN}/">Choisir le diplôme' in done.text

    def test_mixed_division_once_its_courses_lead_to_one_diploma_the_files_give_it_again(
        self, as_: As, desk: Desk, division: int
    ) -> None:
        choose(as_("administrator"), division, "AUTRE")

        desk.import_files(desk.file_of(MIXED[0], PLAIN), confirm=EVERYTHING)

        assert diploma_of(desk, "MIXTE") == "PRO"

    def test_mixed_division_outside_siecle_any_class_is_corrected_by_hand(
        self, as_: As, desk: Desk, division: int, arrange: Look, world: World
    ) -> None:
        with arrange() as session:
            session.get_one(Establishment, world.a.id).uses_siecle = False
            assert session.scalars(select(MEF)).all()

        assert choose(as_("administrator"), division, "TIERS", label="Classe mixte") == 303
        assert diploma_of(desk, "MIXTE") == "TIERS"
