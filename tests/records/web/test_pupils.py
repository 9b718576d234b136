"""The lists and the overview: filters, pages, the chart and its table, as many queries for many rows as for few."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.competences.models import Competence
from cpro.records.models import FicheState
from cpro.students.models import Division, Student, TeacherDivision
from tests.factories import World, make_mandate, make_student
from tests.helpers.browser import Browser
from tests.helpers.pages import Page, text_of, walk
from tests.helpers.records import set_up
from tests.helpers.statements import count_statements
from tests.records.conftest import MARKER, Class, make_bilan, make_evaluation, make_fiche

As = Callable[..., Browser]


def fill(session: Session, student_id: int, count: int) -> None:
    """Give a pupil so many records of each kind."""
    student = session.get_one(Student, student_id)
    competences = session.scalars(select(Competence).order_by(Competence.id)).all()
    for rank in range(count):
        day = date(2025, 9, 1) + timedelta(days=rank)
        session.add(make_fiche(student, title=f"Fiche {rank:03}", starts_on=day, ends_on=day))
        session.add(make_evaluation(student, competences[rank % 2], evaluated_on=day, level=1 + rank % 4))
        session.add(make_bilan(student, starts_on=day, ends_on=day))


class TestRecordsPagesQueries:
    @pytest.mark.parametrize("page", ["", "/fiches", "/evaluations", "/bilans"])
    @pytest.mark.parametrize("role", ["teacher", "student", "head"])
    def test_pupil_pages_ask_as_many_queries_for_many_records_as_for_few(
        self, app: Flask, as_: As, classroom: Class, page: str, role: str
    ) -> None:
        browser, address = as_(role), f"/eleves/{classroom.own}{page}"
        few = count_statements(app, lambda: browser.get(address))
        set_up(app, lambda session: fill(session, classroom.own, 60))

        assert count_statements(app, lambda: browser.get(address)) == few

    @pytest.mark.parametrize("role", ["teacher", "head"])
    def test_pupils_asks_as_many_queries_for_many_pupils_as_for_few(
        self, app: Flask, as_: As, classroom: Class, world: World, role: str
    ) -> None:
        browser = as_(role)
        few = count_statements(app, lambda: browser.get("/eleves"))

        def crowd(session: Session) -> None:
            pupils = [make_student(world.a.id, division_id=classroom.division) for _ in range(45)]
            session.add_all(pupils)
            session.flush()
            for pupil in pupils:
                fill(session, pupil.id, 2)

        set_up(app, crowd)

        assert count_statements(app, lambda: browser.get("/eleves")) == few


class TestPupils:
    def test_pupils_words_are_sought_without_accents(self, as_: As, classroom: Class) -> None:
        text = as_("teacher").get("/eleves?recherche=beryl+zoe").text

        assert "BÉRYL" in text
        assert "AGATE" not in text

    def test_pupils_a_wildcard_is_a_letter_like_another(self, as_: As, classroom: Class) -> None:
        assert "Aucun apprenant ne répond" in as_("teacher").get("/eleves?recherche=%25").text

    def test_pupils_those_who_left_are_found(self, as_: As, classroom: Class) -> None:
        browser = as_("teacher")

        assert "DÉPART" not in browser.get("/eleves").text
        text = Page(browser.get("/eleves?situation=partis")).text
        assert "DÉPART" in text and "parti le 01/09/2026" in text and "AGATE" not in text

    @pytest.mark.parametrize(
        "odd", ["situation=rien", "page=mot", "page=-3", "page=99999999999999999999", "division=%20"]
    )
    def test_pupils_an_odd_address_is_an_ordinary_page(self, as_: As, classroom: Class, odd: str) -> None:
        assert "AGATE" in as_("teacher").get(f"/eleves?{odd}").text

    def test_pupils_pages_keep_the_filters(self, app: Flask, as_: As, classroom: Class, world: World) -> None:
        set_up(
            app,
            lambda session: session.add_all(
                make_student(world.a.id, last_name="Foule", division_id=classroom.division) for _ in range(60)
            ),
        )

        browser, address = as_("teacher"), "/eleves?recherche=foule"

        assert len(Page(browser.get(address)).rows()) == 50
        assert len(walk(browser, address)) == 60
        assert "recherche=foule" in Page(browser.get(address)).neighbour("last")

    @pytest.mark.parametrize("place", ["apres", "avant"])
    @pytest.mark.parametrize("hidden", ["stranger", "elsewhere"])
    def test_pupils_a_place_that_one_may_not_see_is_one_that_never_existed(
        self, app: Flask, as_: As, classroom: Class, world: World, place: str, hidden: str
    ) -> None:
        def fill(session: Session) -> None:
            session.get_one(Division, classroom.other_division).code = "3AUTRE"  # sorts after the teacher's
            session.add_all(make_student(world.a.id, division_id=classroom.division) for _ in range(60))

        set_up(app, fill)
        browser = as_("teacher")

        def shown(place_id: int) -> str:
            return Page(browser.get(f"/eleves?{place}={place_id}")).text

        assert shown(getattr(classroom, hidden)) == shown(10**9) != shown(classroom.gone)

    def test_pupils_a_place_that_a_filter_hides_is_kept(self, as_: As, classroom: Class) -> None:
        shown = Page(as_("teacher").get(f"/eleves?situation=partis&apres={classroom.mate}"))

        assert [row[0].split()[0] for row in shown.rows()] == ["DÉPART"] and shown.neighbour("first")

    def test_pupils_of_a_teacher_stand_by_division_those_of_a_head_by_name(
        self, app: Flask, as_: As, classroom: Class, world: World
    ) -> None:
        def fill(session: Session) -> None:
            others = Division(establishment_id=world.a.id, code="1AAA", label="")
            session.add(others)
            session.flush()
            session.add(
                TeacherDivision(
                    establishment_id=world.a.id, account_id=world.a.account_ids["teacher"], division_id=others.id
                )
            )
            for number in range(40):
                of = {"last_name": f"Foule{number:02}", "division_id": (classroom.division, others.id)[number % 2]}
                session.add(make_student(world.a.id, **of))

        set_up(app, fill)

        taught, everybody = (walk(as_(role), "/eleves?recherche=foule") for role in ("teacher", "head"))

        assert [row[1] for row in taught] == sorted(row[1] for row in taught)
        assert [row[0].split()[0] for row in everybody] == [f"FOULE{number:02}" for number in range(40)]

    def test_pupils_the_fiches_that_wait_are_counted_and_found(self, app: Flask, as_: As, classroom: Class) -> None:
        browser = as_("teacher")
        assert "fiche à valider en 2ALP" not in Page(browser.get("/eleves")).text

        set_up(
            app,
            lambda session: session.add(
                make_fiche(session.get_one(Student, classroom.own), state=FicheState.SUBMITTED)
            ),
        )

        page = Page(browser.get("/eleves"))
        assert "1 fiche à valider en 2ALP" in page.text
        assert "/eleves?division=2ALP&situation=a-valider" in page.links
        assert "1 à valider" in page.text
        found = Page(browser.get("/eleves?situation=a-valider")).text
        assert "AGATE" in found and "BÉRYL" not in found


class TestPupilPages:
    def test_fiches_by_state_and_by_page(self, app: Flask, as_: As, classroom: Class) -> None:
        set_up(app, lambda session: fill(session, classroom.own, 25))
        browser, address = as_("head"), f"/eleves/{classroom.own}/fiches"

        assert len(Page(browser.get(address)).rows()) == 20
        assert len(Page(browser.get(f"{address}?page=2")).rows()) == 7
        assert len(Page(browser.get(f"{address}?etat=draft")).rows()) == 1
        assert "Aucune fiche n’est dans cet état" in browser.get(f"{address}?etat=submitted").text
        assert browser.get(f"{address}?etat=rien&page=mot").status_code == 200

    @pytest.mark.parametrize(
        "odd", ["student_id=mot", "student_id=2", "endpoint=x", "_method=x", "_scheme=x&_external=1", "_anchor=x"]
    )
    @pytest.mark.parametrize("part", ["fiches", "evaluations", "bilans"])
    def test_pupil_pages_nothing_in_the_address_leads_the_next_page_elsewhere(
        self, app: Flask, as_: As, classroom: Class, part: str, odd: str
    ) -> None:
        set_up(app, lambda session: fill(session, classroom.own, 25))
        address = f"/eleves/{classroom.own}/{part}"

        answer = as_("head").get(f"{address}?{odd}")

        links = [link.get("href") or "" for link in Page(answer).main.iter("a") if link.get("rel") == "next"]
        assert links == [f"/eleves/{classroom.mate}/{part}", f"{address}?page=2"]  # the next pupil, the next page

    def test_pupil_pages_a_code_that_two_diplomas_share_is_offered_under_both_names(
        self, app: Flask, as_: As, classroom: Class
    ) -> None:
        def evaluate(session: Session) -> None:
            student, foreign = (
                session.get_one(Student, classroom.own),
                session.get_one(Competence, classroom.foreign_competence),
            )
            session.add(make_evaluation(student, foreign, diploma_code="CAP-X", diploma_label="CAP X"))

        set_up(app, evaluate)

        page = Page(as_("head").get(f"/eleves/{classroom.own}/evaluations?competence=C1"))

        assert len(page.rows()) == 2
        assert f"C1 : Compétence 1 {MARKER} ou D’un autre diplôme {MARKER}" in page.text

    def test_pupil_pages_an_inspector_whose_number_is_that_of_the_pupils_account_is_not_the_pupil(
        self, app: Flask, as_: As, classroom: Class, world: World
    ) -> None:
        def same_number(session: Session) -> None:
            session.add(make_mandate(world))
            session.get_one(Student, classroom.mate).account_id = world.inspector_id

        set_up(app, same_number)

        text = Page(as_("inspector", enter="a").get(f"/eleves/{classroom.mate}")).text

        assert "Zoé BÉRYL n’a pas encore de fiche" in text
        assert "Vous n’avez" not in text

    @pytest.mark.parametrize(
        ("role", "opened"),
        [
            ("head", {"pupil", "account", "records"}),
            ("administrator", {"pupil", "account"}),
            ("support", {"pupil", "account"}),
            ("inspector", {"pupil", "records"}),
            ("teacher", {"records"}),
            ("student", {"records"}),
        ],
    )
    def test_list_other_pages_each_page_of_a_pupil_leads_to_those_one_may_open(
        self, app: Flask, as_: As, classroom: Class, world: World, role: str, opened: set[str]
    ) -> None:
        account_id = world.a.account_ids["student"]
        set_up(app, lambda session: session.add(make_mandate(world)))
        pages = {
            "pupil": f"/admin/eleves/details/?id={classroom.own}",
            "account": f"/admin/utilisateurs/details/?id={account_id}",
            "records": f"/eleves/{classroom.own}",
        }
        browser = as_(role, enter="a") if role in ("inspector", "support") else as_(role)

        for name, address in pages.items():
            answer = browser.get(address)
            assert (answer.status_code == 200) is (name in opened), name
            if name in opened:
                assert {each for each in pages if pages[each] in Page(answer).links} - {name} == opened - {name}, name

    def test_evaluations_of_one_competence(self, app: Flask, as_: As, classroom: Class) -> None:
        set_up(app, lambda session: fill(session, classroom.own, 4))

        page = Page(as_("head").get(f"/eleves/{classroom.own}/evaluations?competence=C2"))

        assert len(page.rows()) == 2
        assert all(row[0].startswith("C2") for row in page.rows())

    def test_pupil_pages_the_overview_says_the_same_figures_as_a_table(
        self, app: Flask, as_: As, classroom: Class
    ) -> None:
        set_up(app, lambda session: fill(session, classroom.own, 4))

        text = Page(as_("student").get(f"/eleves/{classroom.own}")).text

        assert "5 évaluations de 2 compétences, du 01/09/2025 au 18/09/2026." in text
        assert "01/09/2025 : 1, maîtrise insuffisante" in text
        assert "04/09/2025 : 4, très bonne maîtrise" in text

    def test_pupil_pages_an_empty_pupil_says_what_to_do(self, as_: As, classroom: Class) -> None:
        text = Page(as_("teacher").get(f"/eleves/{classroom.mate}")).text

        assert "n’a pas encore d’évaluation" in text
        assert "n’a pas encore de fiche" in text
        assert "n’a pas encore de bilan" in text


class TestEmptyForms:
    @pytest.mark.parametrize(
        ("form", "fields"),
        [
            ("{own}/fiches/nouvelle", ("title", "place", "starts_on", "ends_on")),
            ("{own}/bilans/nouveau", ("starts_on", "ends_on", "body")),
            ("{own}/evaluations/nouvelle", ("competence", "level", "evaluated_on")),
            ("evaluer/{division}", ("competence", "evaluated_on")),
        ],
    )
    def test_empty_forms_all_that_is_missing_is_marked_and_reported_at_once(
        self, as_: As, classroom: Class, form: str, fields: tuple[str, ...]
    ) -> None:
        browser, address = as_("teacher"), f"/eleves/{form.format(own=classroom.own, division=classroom.division)}"
        assert Page(browser.get(address)).text.count("(obligatoire)") == len(fields)

        answer = browser.post(address)

        assert answer.status_code == 422
        assert all(Page(answer).error(field) for field in fields)


class TestFiltersInUse:
    @pytest.mark.parametrize(
        ("address", "words"),
        [
            (
                "/eleves?recherche=a&division={division}&situation=tous",
                ["division {division}", "présents et partis", "recherche « a »", "Tout montrer"],
            ),
            ("/eleves/{own}/fiches?etat=draft", ["brouillon", "Tout montrer"]),
            ("/eleves/{own}/evaluations?competence=C1", ["C1", "Tout montrer"]),
            ("/eleves", []),
        ],
    )
    def test_filters_in_use_are_words_that_can_be_taken_away(
        self, as_: As, classroom: Class, address: str, words: list[str]
    ) -> None:
        main = Page(as_("head").get(address.format(own=classroom.own, division="2TNE"))).main
        lists = [each for each in main.iter("ul") if each.get("class") == "listing-words"]
        found = [text_of(each).removeprefix("Retirer le filtre : ") for each in lists for each in each.iter("a")]

        assert found == [each.format(division="2TNE") for each in words]
