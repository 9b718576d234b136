"""« Les incontournables »: the link of each line reaches a page that offers the act, or the line says who can."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from xml.etree.ElementTree import Element

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.core.formatting import MoreThan
from cpro.core.permissions import Role
from cpro.dashboard import views
from cpro.establishments.models import Establishment
from cpro.imports.models import ImportRun, RunState
from cpro.students.models import Division, Origin, Student
from cpro.transfers.models import Direction
from cpro.users.emergency.models import RoleLock
from cpro.users.models import Account
from cpro.users.sign_in_models import ActivationCode
from tests.factories import NOW, World, make_account, make_import, make_mef, make_student
from tests.helpers.browser import Browser
from tests.helpers.pages import Page, text_of

As = Callable[..., Browser]
Arrange = Callable[[], AbstractContextManager[Session]]
Prepare = Callable[[Session, World], object]
PUPIL_FILE = [{"name": "Eleves.xml", "kind": "Élèves (SIECLE)", "stored": ""}]
STAFF_FILE = [{"name": "sts_emp.xml", "kind": "Personnels et services (STS-Web)", "stored": ""}]
READERS = ("administrator", "head", "support")


@pytest.fixture(autouse=True)
def october() -> Iterator[None]:
    """Let it be the day of the factories."""
    with time_machine.travel(NOW, tick=True):
        yield


class Line:
    """One line, as the dashboard shows it."""

    def __init__(self, element: Element) -> None:
        parts = {part.get("class", ""): text_of(part) for part in element.iter("p")}
        self.title = parts["checklist-title"].rpartition(" (")[0]
        self.is_done = "is-done" in element.get("class", "")
        self.detail = parts.get("checklist-detail", "")
        self.figure = parts.get("checklist-figure", "")
        self.url = next(each.get("href", "") for each in element.iter("a"))


def lines(browser: Browser) -> dict[str, Line]:
    """Return the lines of a person's dashboard by title."""
    (checklist,) = (each for each in Page(browser.get("/admin/")).main.iter("ol") if each.get("class") == "checklist")
    return {line.title: line for line in map(Line, checklist.iter("li"))}


def reader(as_: As, role: str) -> Browser:
    """Return the browser of somebody who reads the dashboard of school "a"."""
    return as_(role, enter="a" if role == "support" else None)


def of_role(session: Session, world: World, role: Role) -> Account:
    return session.get_one(Account, world.a.account_ids[role.value])


def no_head(session: Session, world: World) -> None:
    of_role(session, world, Role.HEAD).is_active = False


def head_never_activated(session: Session, world: World) -> None:
    of_role(session, world, Role.HEAD).activated_at = None


def no_person(session: Session, world: World) -> None:
    session.get_one(Student, world.a.student_id).is_active = False
    of_role(session, world, Role.TEACHER).is_active = False


def without_code(session: Session, world: World) -> None:
    session.add(make_account(world.a.id, activated_at=None, password_hash=None))


def course(session: Session, world: World) -> None:
    session.add(make_mef(world.a.id))


def last_year(session: Session, world: World) -> None:
    session.add(make_import(world.a.id, school_year=2025))


def pending(session: Session, world: World) -> None:
    session.add(make_account(world.a.id, Role.ADMINISTRATOR, activated_at=None, consent_needed=True))


def without_ine(session: Session, world: World) -> None:
    session.add(make_student(world.a.id, ine=None))


def division_without_diploma(session: Session, world: World) -> None:
    session.get_one(Establishment, world.a.id).uses_siecle = False
    session.get_one(Division, world.a.division_id).diploma_id = None
    pupil = session.get_one(Student, world.a.student_id)
    pupil.division_id, pupil.mef_code = world.a.division_id, ""


def twin_divisions(session: Session, world: World) -> None:
    session.get_one(Establishment, world.a.id).uses_siecle = False
    session.get_one(Division, world.a.division_id).code = "2MELEC"
    twin = Division(establishment_id=world.a.id, code="2melec", label="")
    session.add(twin)
    session.flush()
    session.get_one(Student, world.a.student_id).division_id = world.a.division_id
    session.add(make_student(world.a.id, division_id=twin.id))


def closed(session: Session, world: World) -> None:
    session.add(RoleLock(establishment_id=world.a.id, role=Role.TEACHER, locked_at=NOW, locked_by="Sol"))


def nothing_set(session: Session, world: World) -> None:
    school = session.get_one(Establishment, world.a.id)
    school.name, school.transfers_enabled = "", False


#: Title of each line, what shows it, its figure, and what its page offers whoever may do the act.
LINES: dict[str, tuple[Prepare, str, str]] = {
    "Rouvrir l’accès fermé d’urgence": (closed, "1", "Rouvrir"),
    "Ouvrir le compte du chef d’établissement": (no_head, "0", "Chef d’établissement"),
    "Faire activer le compte du chef d’établissement": (head_never_activated, "0", "Réinitialiser"),
    "Remettre les codes d’activation": (without_code, "1", "fiches"),
    "Rattacher les formations (MEF) à un diplôme": (course, "1", "Corriger"),
    "Choisir le diplôme des divisions": (division_without_diploma, "1", "Corriger"),
    "Vérifier les divisions aux codes proches": (twin_divisions, "1", "Corriger"),
    "Importer les élèves": (no_person, "0", "Analyser les fichiers"),
    "Importer les personnels": (no_person, "", "Analyser les fichiers"),
    "Donner l’accord du chef d’établissement": (pending, "1", "Donner mon accord"),
    "Compléter les INE": (without_ine, "2", "Gérer les imports"),
    "Renseigner l’établissement": (nothing_set, "2/3", "Valider"),
    "Activer les transferts": (nothing_set, "", "Valider"),
    "Déposer le logo et le cachet": (lambda session, world: None, "0/2", "Télécharger un logo"),
}


class TestChecklistLines:
    @pytest.mark.parametrize("role", READERS)
    @pytest.mark.parametrize("title", LINES)
    def test_checklist_its_link_reaches_a_page_that_offers_the_act_or_it_says_who_can(
        self, as_: As, arrange: Arrange, world: World, title: str, role: str
    ) -> None:
        prepare, figure, offered = LINES[title]
        browser = reader(as_, role)  # signed in before the head loses their account
        with arrange() as session:
            prepare(session, world)
        if role == "head" and prepare is no_head:
            pytest.skip("there is no head to read it")

        line = lines(browser)[title]

        assert (line.is_done, line.figure) == (False, figure)
        assert len(line.detail) > 20
        answer = browser.get(line.url, follow_redirects=True)
        assert answer.status_code == 200
        says_who = re.search(r"(peut|peuvent) le faire\.$", line.detail)
        if says_who:
            assert "administrateur" in line.detail or "chef d’établissement" in line.detail
        else:
            assert offered in Page(answer).text

    @pytest.mark.parametrize("title", LINES)
    def test_checklist_another_account_of_the_school_may_do_it(
        self, as_: As, arrange: Arrange, world: World, title: str
    ) -> None:
        browsers = [as_("administrator"), as_("head")]
        with arrange() as session:
            LINES[title][0](session, world)
        if LINES[title][0] is no_head:
            browsers.pop()

        details = [lines(browser)[title].detail for browser in browsers]

        assert any("le faire" not in detail for detail in details)

    def test_checklist_the_support_reads_who_can_for_each(self, as_: As, arrange: Arrange, world: World) -> None:
        with arrange() as session:
            for prepare, _figure, _offered in LINES.values():
                if prepare is not no_person:
                    prepare(session, world)

        for line in lines(reader(as_, "support")).values():
            assert line.is_done or line.detail.endswith(("peut le faire.", "peuvent le faire.")), line.title


class TestChecklistCounts:
    def test_checklist_counts_nothing_about_pupils_is_done_where_there_are_none(
        self, as_: As, arrange: Arrange, world: World
    ) -> None:
        with arrange() as session:
            no_person(session, world)

        found = lines(as_("administrator"))

        assert not found["Importer les élèves"].is_done
        assert "Compléter les INE" not in found

    @pytest.mark.parametrize(
        ("code", "counted"),
        [
            ({}, False),
            ({"expires_at": NOW - timedelta(minutes=1)}, True),
            ({"spent_at": NOW}, True),
        ],
        ids=["a good code", "an expired code", "a code voided by another"],
    )
    def test_checklist_counts_a_code_that_is_not_good_any_more_is_none(
        self, as_: As, arrange: Arrange, world: World, code: dict[str, object], counted: bool
    ) -> None:
        with arrange() as session:
            account = make_account(world.a.id, activated_at=None, password_hash=None)
            session.add(account)
            session.flush()
            values = {"code_hmac": "x" * 64, "created_at": NOW, "expires_at": NOW + timedelta(days=1), **code}
            session.add(ActivationCode(establishment_id=world.a.id, account_id=account.id, **values))

        assert ("Remettre les codes d’activation" in lines(as_("administrator"))) is counted

    def test_checklist_counts_the_other_schools_figures_are_not_ours(
        self, as_: As, arrange: Arrange, world: World
    ) -> None:
        with arrange() as session:
            for prepare in (head_never_activated, without_code, course, last_year):
                prepare(session, world)

        found = lines(as_("administrator", "b"))

        assert not {title for title in LINES if LINES[title][0] in (head_never_activated, without_code, last_year)} & {
            *found
        }

    def test_checklist_counts_a_course_that_pupils_bear_and_no_list_has_is_counted_without_siecle_too(
        self, as_: As, arrange: Arrange, world: World
    ) -> None:
        with arrange() as session:
            session.get_one(Establishment, world.a.id).uses_siecle = False
            session.get_one(Student, world.a.student_id).mef_code = "24725510399"

        line = lines(as_("administrator"))["Rattacher les formations (MEF) à un diplôme"]

        assert (line.is_done, line.figure) == (False, "1")
        assert "1 code est porté par des élèves sans être dans la liste" in line.detail

    @pytest.mark.parametrize(
        ("uses_siecle", "where"), [(True, "dans SIECLE"), (False, "dans votre tableau des élèves")]
    )
    def test_checklist_counts_say_where_an_ine_is_completed(
        self, as_: As, arrange: Arrange, world: World, uses_siecle: bool, where: str
    ) -> None:
        with arrange() as session:
            session.get_one(Establishment, world.a.id).uses_siecle = uses_siecle
            without_ine(session, world)

        assert (
            f"L’INE ne se saisit pas dans CPro : complétez-le {where}" in lines(as_("head"))["Compléter les INE"].detail
        )

    def test_checklist_counts_pupils_who_came_without_an_import_are_not_one(self, as_: As) -> None:
        found = lines(as_("administrator"))

        assert "Importer les élèves" not in found
        assert "Importer les personnels" not in found
        assert found["Avoir des élèves présents"].is_done

    @pytest.mark.parametrize("files", [PUPIL_FILE, STAFF_FILE, None], ids=["pupils", "staff", "neither"])
    def test_checklist_counts_say_of_each_import_what_the_steps_of_the_year_say(
        self, as_: As, arrange: Arrange, world: World, files: list[dict[str, str]] | None
    ) -> None:
        with arrange() as session:
            for each in (PUPIL_FILE, STAFF_FILE):
                session.add(make_import(world.a.id, school_year=2025, files=each))
            if files:
                session.add(make_import(world.a.id, files=files))
        browser = as_("administrator")

        found, steps = lines(browser), Page(browser.get("/admin/rentree")).text

        for title, step, own in (
            ("Importer les élèves", "Importer les élèves", PUPIL_FILE),
            ("Importer les personnels", "Importer les personnels et leurs services", STAFF_FILE),
        ):
            assert found[title].is_done is (files is own)
            assert f"{step} {'fait' if files is own else 'à faire'}" in steps
            said = "2026-2027 est en vigueur" if files is own else "celui de 2026-2027 reste à faire"
            assert said in found[title].detail

    def test_checklist_counts_staff_alone_imported_says_nothing_of_how_the_pupils_came(
        self, as_: As, arrange: Arrange, world: World
    ) -> None:
        with arrange() as session:
            session.get_one(Student, world.a.student_id).came_by = Origin.SIECLE
            session.add(make_import(world.a.id, files=STAFF_FILE))

        found = lines(as_("administrator"))

        assert found["Importer les personnels"].is_done
        assert "Aucun import d’élèves n’est en vigueur" in found["Avoir des élèves présents"].detail

    def test_checklist_counts_an_import_that_was_undone_counts_no_more(
        self, as_: As, arrange: Arrange, world: World
    ) -> None:
        with arrange() as session:
            last_year(session, world)
            session.add(make_import(world.a.id, state=RunState.UNDONE))
            session.flush()
            assert len(session.scalars(select(ImportRun)).all()) == 2

        assert not lines(as_("administrator"))["Importer les élèves"].is_done


class TestJournal:
    def test_journal_the_support_is_called_so_beside_the_name(self, as_: As, world: World) -> None:
        reader(as_, "support").get("/admin/eleves/")
        head = as_("head")

        assert "Personne support (Support)" in Page(head.get("/admin/journal/")).text
        assert "Personne support (Support)" in head.get("/admin/journal/export/csv/").text
        assert "Alix GRANITE (" not in Page(head.get("/admin/journal/")).text


class TestChecklistOrder:
    def test_checklist_lines_go_from_the_school_to_its_people_then_to_what_waits(
        self, as_: As, arrange: Arrange, world: World
    ) -> None:
        browser = as_("administrator")
        with arrange() as session:
            for prepare in (head_never_activated, without_code, course, division_without_diploma, last_year, pending):
                prepare(session, world)
            session.add(make_account(world.a.id, Role.STUDENT))

        shown = [*lines(browser).values()]
        missing = [each.title for each in shown if not each.is_done]
        done = [each.title for each in shown if each.is_done]
        order = [
            "Préparer la rentrée 2026-2027",
            "Renseigner l’établissement",
            "Activer les transferts",
            "Déposer le logo et le cachet",
            "Faire activer le compte du chef d’établissement",
            "Remettre les codes d’activation",
            "Rattacher les formations (MEF) à un diplôme",
            "Choisir le diplôme des divisions",
            "Compléter les INE",
            "Importer les élèves",
            "Ouvrir les comptes des élèves",
            "Relier les comptes d’apprenants à leur élève",
            "Donner l’accord du chef d’établissement",
        ]

        assert missing and done
        assert [each.title for each in shown] == missing + done, (
            "what is to be done comes first, the reader’s own before what others do"
        )
        assert missing == [title for title in order if title in missing]
        assert done == [title for title in order if title in done]
        assert len(shown) == len(order)


class TestFigures:
    def test_figures_beyond_what_is_counted_are_said_to_be_more(self, as_: As, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(views, "count_together", lambda asked: dict.fromkeys(asked, MoreThan(10_000)))

        page = Page(as_("administrator").get("/admin/"))

        assert "Plus de 10 000 élèves présents dans l’établissement." in page.text
        assert "Plus de 10 000 personnes n’ont ni mot de passe ni code valable" in page.text
        assert "Sans compte, plus de 10 000 élèves présents ne peuvent pas se connecter." in page.text
        assert "Plus de 50 000 connexions et plus de 50 000 autres actions inscrites au journal" in page.text
        assert "Plus de 60 000 transferts reçus et plus de 60 000 envoyés depuis six mois." in page.text
        assert "> 10 000" in page.text
        assert "Divisions et comptes activés" not in page.text
        assert "Relier les comptes d’apprenants" not in page.text

    def test_figures_of_charts_tell_their_change_since_the_week_and_the_month_before(
        self, as_: As, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        counted = {"sign-ins 2": 9, "sign-ins 3": 12, "other actions 2": 5, "other actions 3": 5}
        counted |= {f"{Direction.DESTINATION.value} 3": 6, f"{Direction.DESTINATION.value} 4": 4}
        monkeypatch.setattr(views, "count_together", lambda asked: {name: counted.get(name, 0) for name in asked})

        text = Page(as_("head").get("/admin/")).text

        assert (
            "La semaine dernière : 12 connexions, 3 de plus que la semaine d’avant ; "
            "5 autres actions, autant que la semaine d’avant."
        ) in text
        assert "Le mois dernier : 4 reçus, 2 de moins que le mois d’avant." in text
