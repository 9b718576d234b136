"""The search of the head: each role finds what its lists would show, and nothing that they would hide."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from urllib.parse import quote
from xml.etree.ElementTree import Element

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.audit.models import AuditEntry
from cpro.inspectors.models import MandateDiploma
from cpro.students.models import Division, Student, TeacherDivision
from cpro.users.models import Account
from tests.factories import World, make_mandate, make_student
from tests.helpers.browser import Browser
from tests.helpers.pages import Page, text_of

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]

INE = "1234567890A"
PEOPLE = ("Élèves", "Apprenants", "Comptes", "Divisions")


def find(browser: Browser, text: str) -> dict[str, list[str]]:
    """Return what a search shows, {title of the group: names}."""
    answer = browser.get(f"/recherche?q={quote(text)}")
    assert answer.status_code == 200
    main = Page(answer).main
    return {
        text_of(next(section.iter("h2"))).split(" ")[0]: [_name_of(item) for item in section.iter("li")]
        for section in main.iter("section")
    }


def _name_of(item: Element) -> str:
    link = next(iter(item.iter("a")), None)
    return text_of(item) if link is None else (link.text or "").strip()


@pytest.fixture
def zephyr(world: World, arrange: Look) -> World:
    """Give both schools a pupil of the same name: with an INE and a division in A, in no division in B."""
    with arrange() as session:
        session.add(
            TeacherDivision(
                establishment_id=world.a.id,
                account_id=world.a.account_ids["teacher"],
                division_id=world.a.division_id,
            )
        )
        for school, division, ine in ((world.a, world.a.division_id, INE), (world.b, None, None)):
            session.add(
                make_student(
                    school.id, last_name=f"Zéphyr-{school.code}", first_name="Lou", division_id=division, ine=ine
                )
            )
    return world


class TestEverywhere:
    @pytest.mark.parametrize(
        ("role", "title"),
        [("administrator", "Élèves"), ("head", "Élèves"), ("support", "Élèves"), ("teacher", "Apprenants")],
    )
    def test_everywhere_finds_a_pupil_of_the_school_alone(self, as_: As, zephyr: World, role: str, title: str) -> None:
        found = find(as_(role, enter="a" if role == "support" else None), "zephyr")

        assert found == {title: ["ZÉPHYR-ALPHA Lou"]}

    def test_everywhere_hides_the_pupils_of_other_divisions_from_a_teacher(
        self, as_: As, zephyr: World, arrange: Look
    ) -> None:
        with arrange() as session:
            session.add(other := Division(establishment_id=zephyr.a.id, code="AUTRE", label="Zéphyr"))
            session.flush()
            session.add(make_student(zephyr.a.id, last_name="Zéphyr-ailleurs", division_id=other.id, ine=None))

        assert find(as_("teacher"), "zephyr") == {"Apprenants": ["ZÉPHYR-ALPHA Lou"]}
        assert "Divisions" in find(as_("head"), "zephyr")

    @pytest.mark.parametrize("text", ["zephyr", "alpha", "support", INE])
    def test_everywhere_finds_nobody_for_a_pupil(self, as_: As, zephyr: World, text: str) -> None:
        assert not set(PEOPLE) & set(find(as_("student"), text))

    def test_everywhere_reads_an_ine_for_those_alone_who_read_it_whole(self, as_: As, zephyr: World) -> None:
        for role in ("administrator", "head"):
            for typed in (f"{INE[:6]} {INE[6:]}", f"{INE[:4]} {INE[4:9]} {INE[9]} {INE[10:].lower()}"):
                assert find(as_(role), typed) == {"Élèves": ["ZÉPHYR-ALPHA Lou"]}, typed
        for browser in (as_("support", enter="a"), as_("teacher")):
            assert find(browser, INE) == {}
        assert find(as_("administrator", "b"), INE) == {}

    def test_everywhere_shows_an_inspector_the_diplomas_of_their_mandate_alone(
        self, as_: As, zephyr: World, arrange: Look
    ) -> None:
        with arrange() as session:
            session.add(make_student(zephyr.a.id, last_name="Zéphyr-sans-diplôme", division_id=None, ine=None))
            diploma = session.get_one(Division, zephyr.a.division_id).diploma_id
            session.add(mandate := make_mandate(zephyr, "a", all_diplomas=False))
            session.flush()
            session.add(MandateDiploma(establishment_id=zephyr.a.id, mandate_id=mandate.id, diploma_id=diploma))

        inspector = as_("inspector", enter="a")

        assert find(inspector, "zephyr") == {"Élèves": ["ZÉPHYR-ALPHA Lou"]}
        assert find(inspector, INE) == {}
        assert "Comptes" not in find(inspector, "alpha")

    def test_everywhere_sends_a_guest_to_sign_in_and_back(self, browser: Callable[[], Browser], world: World) -> None:
        answer = browser().get("/recherche?q=zephyr")

        assert answer.status_code == 303
        assert answer.location == "/connexion?suite=/recherche?q%3Dzephyr"

    def test_everywhere_finds_an_account_by_its_login(self, as_: As, world: World) -> None:
        login = world.logins["teacher"]

        assert len(find(as_("administrator"), login)["Comptes"]) == 1
        assert "Comptes" not in find(as_("teacher"), login)

    def test_everywhere_finds_an_account_by_its_whole_address(self, as_: As, world: World, arrange: Look) -> None:
        with arrange() as session:
            session.get_one(Account, world.a.account_ids["teacher"]).email = "prof@alpha.example"

        for text in ("prof@alpha.example", "Prof@Alpha.example"):
            assert len(find(as_("support", enter="a"), text)["Comptes"]) == 1
        assert "Comptes" not in find(as_("support", enter="a"), "prof@alpha")
        assert "Comptes" not in find(as_("support", enter="b"), "prof@alpha.example")

    def test_everywhere_finds_schools_before_one_is_entered(self, as_: As, world: World) -> None:
        support = as_("support")

        for text in ("0999001w", "alpha"):
            found = find(support, text)["Établissements"]
            assert len(found) == 1
            assert "alpha" in found[0].lower()
        assert "Établissements" not in find(as_("support", enter="a"), "alpha")
        assert "Établissements" not in find(as_("head"), "alpha")

    def test_everywhere_finds_for_an_inspector_the_schools_open_to_them(
        self, as_: As, world: World, arrange: Look
    ) -> None:
        with arrange() as session:
            session.add(make_mandate(world, "a"))
        inspector = as_("inspector")

        assert len(find(inspector, "alpha")["Établissements"]) == 1
        assert "Établissements" not in find(inspector, "beta")

    def test_everywhere_finds_pages_and_help_within_rights(self, as_: As, world: World) -> None:
        found = find(as_("administrator"), "conservation")

        assert found["Pages"] == ["Conservation"]
        assert found["Aide"][0] == "La conservation des données"
        assert "Pages" not in find(as_("teacher"), "conservation")
        assert find(as_("teacher"), "compte")["Pages"] == ["Mon compte"]

    @pytest.mark.parametrize(
        ("role", "text", "page"),
        [
            ("administrator", "cachet", "Logo"),
            ("teacher", "mot de passe", "Mon compte"),
            ("administrator", "ouvrir un compte", "Gérer les profils utilisateurs"),
            ("head", "fermer", "Urgence"),
            ("administrator", "effacer", "Conservation"),
            ("administrator", "importer", "Gérer les imports"),
            ("administrator", "importer les élèves", "Gérer les imports"),
            ("administrator", "changer de division", "Élèves"),
            ("administrator", "fiches d'activation", "Fiches d’activation"),
            ("administrator", "fiches d activation", "Fiches d’activation"),
            ("administrator", "fiche activation", "Fiches d’activation"),
            ("administrator", "sans INE", "Élèves sans INE"),
            ("head", "liste des élèves sans INE", "Élèves sans INE"),
            ("teacher", "scénario", "Écrire un scénario"),
        ],
    )
    def test_everywhere_finds_a_page_by_what_people_call_it(
        self, as_: As, world: World, role: str, text: str, page: str
    ) -> None:
        assert page in find(as_(role), text)["Pages"]

    def test_everywhere_understands_the_words_typed_for_a_division(self, as_: As, zephyr: World, arrange: Look) -> None:
        with arrange() as session:
            session.add(Division(establishment_id=zephyr.a.id, code="AUTRE", label="Seconde"))

        for role, codes in (("administrator", ["2ALP", "AUTRE"]), ("teacher", ["2ALP"])):
            browser = as_(role)
            for typed in ("classe", "Classes", "divisions"):
                found = find(browser, typed)
                assert found["Divisions"] == codes, (role, typed)
                assert found == find(browser, "division"), (role, typed)
            assert find(browser, "classe 2alp")["Divisions"] == ["2ALP"]
            assert "Divisions" not in find(browser, "classe introuvable")
        pages = find(as_("administrator"), "changer de classe")["Pages"]
        assert "Élèves" in pages
        assert any("Divisions" in each for each in find(as_("administrator"), "classe")["Pages"])

    def test_everywhere_offers_no_page_by_its_other_names_to_those_who_may_not_open_it(
        self, as_: As, world: World
    ) -> None:
        for text in ("cachet", "fermer", "ouvrir un compte", "effacer"):
            assert "Pages" not in find(as_("student"), text)

    def test_everywhere_counts_what_it_does_not_show(self, as_: As, world: World, arrange: Look) -> None:
        with arrange() as session:
            session.add_all(make_student(world.a.id, last_name=f"Quartz-{number}", ine=None) for number in range(7))

        page = Page(as_("head").get("/recherche?q=quartz"))

        section = next(page.main.iter("section"))
        assert text_of(next(section.iter("h2"))) == "Élèves 7"
        assert len([*section.iter("li")]) == 5
        assert [each.get("href") for each in section.iter("a")][-1] == "/admin/eleves/?recherche=quartz"

    def test_everywhere_shows_six_rather_than_five_and_a_link(self, as_: As, world: World, arrange: Look) -> None:
        with arrange() as session:
            session.add_all(make_student(world.a.id, last_name=f"Quartz-{number}", ine=None) for number in range(6))

        page = Page(as_("head").get("/recherche?q=quartz"))

        section = next(page.main.iter("section"))
        assert len([*section.iter("li")]) == 6
        assert "Tout voir" not in text_of(section)

    @pytest.mark.parametrize("text", ["%", "_", "--", "'", "é" * 200, "   "])
    def test_everywhere_answers_odd_texts(self, as_: As, world: World, text: str) -> None:
        assert as_("head").get("/recherche", query_string={"q": text}).status_code == 200

    def test_everywhere_is_written_in_the_journal_as_a_search_of_a_list(
        self, as_: As, zephyr: World, platform: Look, arrange: Look
    ) -> None:
        with arrange() as session:
            session.add(make_mandate(zephyr, "a"))
        for role in ("support", "inspector"):
            as_(role, enter="a").get(f"/recherche?q=zephyr+{INE}")
        as_("head").get("/recherche?q=zephyr")

        with platform() as session:
            lines = session.scalars(select(AuditEntry).where(AuditEntry.action == "list:searched")).all()
        assert {line.actor_role for line in lines} == {"support", "inspector"}
        assert {line.object_label for line in lines} == {"Recherche"}
        written = [str([*line.changes.values()]).replace("\\u202f", " ") for line in lines]
        assert all(INE not in each and "recherche « zephyr" in each for each in written)

    def test_everywhere_is_offered_on_each_page_of_who_is_signed_in(
        self, as_: As, browser: Callable[[], Browser]
    ) -> None:
        assert 'action="/recherche"' in as_("student").get("/mon-compte").text
        assert 'action="/recherche"' not in browser().get("/connexion").text

    def test_everywhere_keeps_pupils_who_left(self, as_: As, zephyr: World, arrange: Look) -> None:
        with arrange() as session:
            gone = session.scalars(select(Student).where(Student.last_name == "Zéphyr-alpha")).one()
            gone.is_active = False

        assert find(as_("head"), "zephyr") == {"Élèves": ["ZÉPHYR-ALPHA Lou"]}
        assert find(as_("teacher"), "zephyr") == {"Apprenants": ["ZÉPHYR-ALPHA Lou"]}
