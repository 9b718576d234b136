"""What our own lists export is deposited again, and changes nothing; the same tables twice ask nothing."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.core.permissions import Role
from cpro.establishments.models import Establishment
from cpro.imports.diff.proposals import label_of
from cpro.imports.models import ImportChange, ImportFinding, ImportQuestion
from cpro.students.models import Student
from cpro.users.models import Account
from tests.factories import NOW, World, make_account, make_student
from tests.helpers.browser import Browser
from tests.helpers.deposits import analyse, apply
from tests.helpers.imports import Desk
from tests.helpers.pages import Page

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]
REAL = Path(__file__).parents[1] / "files" / "real-world"
TITLES = "Nom de famille;Nom d’usage;Prénom;Date de naissance;INE;Classe;Numéro;MEF;Date de sortie"
PUPILS = (
    "BLÉ;;Éva;02/02/2009;;2MELEC;;;",
    "ROUX;ROUX-NOIR;Zoé;;;2MELEC;;;",
    "Dupont;;Jean;01/03/2009;990000011DB;2MELEC;A-1;24725510310;",
    "ÖZ;;Ali;03/03/2009;;2MELEC;A-2;;",
    "MARTIN;;Lou;04/03/2009;;2MELEC;M-1;;",
    "MARTIN;;Lou;04/03/2009;;2MELEC;M-2;;",
)


@pytest.fixture(autouse=True)
def without_siecle(desk: Desk, arrange: Look, world: World) -> Iterator[None]:
    """Let school A say that it does not use SIECLE."""
    with arrange() as session:
        session.get_one(Establishment, world.a.id).uses_siecle = False
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def admin(as_: As) -> Browser:
    """Return the administrator's browser."""
    return as_("administrator")


def table(*lines: str, titles: str = TITLES) -> tuple[str, bytes]:
    """Return a table as CSV."""
    return "tableau.csv", "\r\n".join((titles, *lines)).encode("utf-8-sig")


def outcome(desk: Desk, address: str) -> tuple[int, int, int]:
    """Return how many changes and questions an analysis holds, and how many lines it refuses."""
    run_id = int(address.rsplit("/", 1)[-1])
    with desk.look() as session:
        changes = session.scalars(select(ImportChange).where(ImportChange.run_id == run_id)).all()
        questions = session.scalars(select(ImportQuestion).where(ImportQuestion.run_id == run_id)).all()
    counts = desk.run(run_id).counts
    return len(changes), len(questions), counts["students"]["refused"] + counts["staff"]["refused"]


def told(desk: Desk, code: str) -> list[tuple[int, str]]:
    """Return the findings of a code, of all imports: line and sentence."""
    with desk.look() as session:
        found = session.scalars(select(ImportFinding).where(ImportFinding.code == code).order_by(ImportFinding.id))
        return [(each.line, each.sentence.replace("\u202f", " ")) for each in found]


class TestWithoutINE:
    def test_without_ine_is_told_of_pupils_who_will_have_none_and_counted_so(
        self, app: Flask, admin: Browser, desk: Desk
    ) -> None:
        apply(app, admin, analyse(admin, table("DUPONT;;Jean;01/03/2009;990000011DB;2MELEC;A-1;;")))

        address = analyse(
            admin,
            table(
                "DUPONT;;Jean;01/03/2009;;2MELEC;A-1;;",
                "ÖZ;;Ali;03/03/2009;;2MELEC;A-2;;",
                "ROUX;;Zoé;02/03/2009;;2MELEC;;;01/09/2026",
                ";;Éva;02/03/2009;;2MELEC;;;",
            ),
        )

        assert [line for line, _sentence in told(desk, "INE_MISSING")] == [3]
        assert desk.run(int(address.rsplit("/", 1)[-1])).counts["students"]["without_ine"] == 1


class TestOtherPerson:
    @pytest.mark.parametrize(
        ("line", "named"),
        [
            ("FLÉAU;;Ana;05/05/2010;990000011DB;2MELEC;B-9;;", "L’INE est celui d’un élève"),
            ("FLÉAU;;Ana;05/05/2010;;2MELEC;A-1;;", "Le numéro est celui d’un élève"),
            ("FLÉAU;;Ana;05/05/2010;990000011DB;2MELEC;A-1;;", "L’INE et le numéro sont ceux d’un élève"),
        ],
    )
    def test_other_person_the_sentence_says_which_number_is_whose(
        self, app: Flask, admin: Browser, desk: Desk, line: str, named: str
    ) -> None:
        apply(app, admin, analyse(admin, table("DUPONT;;Jean;01/03/2009;990000011DB;2MELEC;A-1;;")))

        address = analyse(admin, table(line))

        [(_line, sentence)] = told(desk, "TO_CONFIRM")
        assert sentence.startswith(named)
        assert "corrigez-en le numéro ou l’INE dans le fichier" in Page(admin.get(address)).text

    def test_other_person_of_the_staff_the_sentence_says_what_names_the_account(
        self, app: Flask, admin: Browser, desk: Desk
    ) -> None:
        titles = "Civilité;Nom;Prénom;Fonction;Discipline;Adresse électronique;Classes;Numéro"
        apply(app, admin, analyse(admin, table("Mme;Curie;Marie;ENS;;m.curie@cfa.example;;P1", titles=titles)))

        analyse(admin, table("M.;Curie;Pierre;ENS;;m.curie@cfa.example;;", titles=titles))

        [(_line, sentence)] = told(desk, "TO_CONFIRM")
        assert sentence.startswith("L’adresse électronique désigne un compte dont le nom ne correspond pas")


class TestStaffTold:
    TITLES = "Civilité;Nom;Prénom;Fonction;Discipline;Adresse électronique;Classes;Numéro"

    def test_staff_told_a_division_that_is_not_there_is_named(self, admin: Browser, desk: Desk) -> None:
        analyse(admin, table("Mme;Curie;Marie;ENS;;;2ALP, 9ZZZ;", titles=self.TITLES))

        assert [sentence for _line, sentence in told(desk, "DIVISION_UNKNOWN")] == [
            "Aucune division ne porte le code « 9ZZZ » : elle est laissée de côté."
        ]

    def test_staff_told_who_receive_no_account_are_called_as_people_do(self, admin: Browser, desk: Desk) -> None:
        analyse(admin, table("Mme;Vie;Anne;CPE;;;;", "M.;Gare;Jo;Chargé de mission;;;;", titles=self.TITLES))

        [(_line, sentence)] = told(desk, "NOT_TAUGHT")
        assert sentence.startswith("La fonction EDU (CPE) ne donne pas de compte")
        [(_line, sentence)] = told(desk, "WITHOUT_FUNCTION")
        assert "EDU" not in sentence
        assert label_of("WITHOUT_FUNCTION") == "fonction absente ou inconnue"

    def test_staff_told_a_head_is_told_to_be_without_address_then_to_wait(
        self, app: Flask, admin: Browser, desk: Desk
    ) -> None:
        head = table("Mme;Vigie;Anne;Proviseur;;a.vigie@cfa.example;;", titles=self.TITLES)

        apply(app, admin, analyse(admin, head))

        [(_line, sentence)] = told(desk, "HEAD_WITHOUT_EMAIL")
        assert sentence.startswith("L’adresse électronique d’un chef d’établissement n’est pas reprise")
        analyse(admin, head)
        assert [sentence for _line, sentence in told(desk, "HEAD_WAITING")] == [
            "Un compte de chef d’établissement attend l’accord du chef en place : l’import n’y touche pas."
        ]


class TestExports:
    @pytest.mark.parametrize("file_format", ["csv", "xlsx"])
    def test_exports_of_pupils_change_nothing(self, app: Flask, admin: Browser, desk: Desk, file_format: str) -> None:
        apply(app, admin, analyse(admin, table(*PUPILS)))
        with desk.open() as session:
            for name in ("Sans", "Parti"):
                session.add(make_student(desk.world.a.id, last_name="Écrit", first_name=name, is_active=name == "Sans"))

        exported = admin.get(f"/admin/eleves/export/{file_format}/")
        address = analyse(admin, (f"eleves.{file_format}", exported.data))

        assert outcome(desk, address) == (0, 0, 0)

    def test_exports_to_a_workbook_hold_birth_dates_as_dates(self, app: Flask, admin: Browser, desk: Desk) -> None:
        apply(app, admin, analyse(admin, table(PUPILS[0])))

        with zipfile.ZipFile(io.BytesIO(admin.get("/admin/eleves/export/xlsx/").data)) as book:
            sheet = book.read("xl/worksheets/sheet1.xml").decode()

        assert re.findall(r'<c r="[A-Z]2" s="\d"><v>(\d+)</v></c>', sheet) == ["39846"]

    @pytest.mark.parametrize("file_format", ["csv", "xlsx"])
    def test_exports_of_accounts_change_nothing(
        self, app: Flask, admin: Browser, desk: Desk, world: World, file_format: str
    ) -> None:
        titles = "Civilité;Nom;Prénom;Fonction;Discipline;Adresse électronique;Classes;Numéro"
        staff = "Mme;Curie;Marie;ENS;Physique;marie.curie@cfa.example;2MELEC;P1", "M.;Sans;Rien;ENS;;;;"
        apply(app, admin, analyse(admin, table(*PUPILS), table(*staff, titles=titles)))
        with desk.open() as session:
            closed = make_account(world.a.id, Role.TEACHER, login="ferme.depuis", last_name="Fermé")
            closed.is_active = False
            session.add(closed)
        before = desk.accounts()

        exported = admin.get(f"/admin/utilisateurs/export/{file_format}/")
        address = analyse(admin, (f"utilisateurs.{file_format}", exported.data))

        assert outcome(desk, address) == (0, 0, 0)
        assert desk.accounts() == before

    def test_exports_as_a_user_saw_them_change_nothing(self, app: Flask, admin: Browser, desk: Desk) -> None:
        apply(app, admin, analyse(admin, table(PUPILS[0])))

        assert outcome(desk, analyse(admin, REAL / "11-notre-export.csv")) == (0, 0, 0)

    @pytest.mark.parametrize("file_format", ["csv", "xlsx"])
    def test_exports_with_a_merged_row_change_nothing(
        self, app: Flask, admin: Browser, desk: Desk, file_format: str
    ) -> None:
        apply(app, admin, analyse(admin, table(*PUPILS)))
        with desk.open() as session:
            kept = session.scalars(select(Student).where(Student.last_name == "BLÉ")).one()
            session.add(
                make_student(
                    kept.establishment_id,
                    **{name: getattr(kept, name) for name in ("last_name", "first_name", "birth_date", "division_id")},
                    is_active=False,
                    departed_on=kept.birth_date,
                    merged_into_id=kept.id,
                )
            )

        exported = admin.get(f"/admin/eleves/export/{file_format}/")
        assert outcome(desk, analyse(admin, (f"eleves.{file_format}", exported.data))) == (0, 0, 0)
        assert told(desk, "MERGED") == []

        title, *lines = admin.get("/admin/eleves/export/csv/").text.splitlines()
        merged = admin.get("/admin/eleves/export/csv/?situation=doublons").text.splitlines()[1:]
        assert outcome(desk, analyse(admin, ("eleves.csv", "\n".join([title, *lines, *merged]).encode()))) == (0, 0, 0)
        assert [sentence for _line, sentence in told(desk, "MERGED")] == [
            "Cette ligne est un doublon déjà réuni à une autre fiche : elle est laissée de côté."
        ]

    def test_exports_a_departure_written_in_one_is_asked_about(self, app: Flask, admin: Browser, desk: Desk) -> None:
        apply(app, admin, analyse(admin, table(*PUPILS[:3])))
        exported = admin.get("/admin/eleves/export/csv/").text.replace("présent", "parti le 01/09/2026")

        changes, questions, _refused = outcome(desk, analyse(admin, ("eleves.csv", exported.encode())))

        assert (changes, questions) == (1, 2)


class TestTwice:
    def test_twice_without_numbers_nothing_is_asked(self, app: Flask, admin: Browser, desk: Desk) -> None:
        titles = "Civilité;Nom;Prénom;Fonction;Discipline;Adresse électronique;Classes;Numéro"
        files = table(*PUPILS), table("Mme;Curie;Marie;ENS;Physique;;2MELEC;", titles=titles)
        apply(app, admin, analyse(admin, *files))

        changes, questions, refused = outcome(desk, analyse(admin, *files))

        assert (questions, refused) == (0, 0)
        assert changes == 1  # the factories' teacher, whom the table does not name, is proposed


class TestBirthDate:
    def test_birth_date_completed_or_corrected_is_asked_about(self, app: Flask, admin: Browser, desk: Desk) -> None:
        first, second = REAL / "10-naissance-completee-1.csv", REAL / "10-naissance-completee-2.csv"
        apply(app, admin, analyse(admin, first))

        address = analyse(admin, second)
        assert outcome(desk, address) == (0, 2, 2)
        admin.post(f"{address}/reponses", {"geste": "evident"})
        apply(app, admin, address)

        with desk.look() as session:
            born = session.execute(
                select(Student.first_name, Student.birth_date).where(Student.last_name.in_(["BLÉ", "ROUX"]))
            )
            assert sorted((name, str(day)) for name, day in born) == [("Zoé", "2009-05-05"), ("Éva", "2009-02-12")]
        assert outcome(desk, analyse(admin, second)) == (0, 0, 0)

    def test_birth_date_another_person_is_created_and_not_asked_about_again(
        self, app: Flask, admin: Browser, desk: Desk
    ) -> None:
        apply(app, admin, analyse(admin, table(PUPILS[0])))
        both = table(PUPILS[0], "BLÉ;;Éva;12/02/2009;;2MELEC;;;")

        address = analyse(admin, both)

        assert outcome(desk, address) == (1, 0, 0)
        apply(app, admin, address)
        assert outcome(desk, analyse(admin, both)) == (0, 0, 0)


class TestNumbers:
    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            ("ÖZ;;Alix;03/03/2009;;2MELEC;A-2;;", (1, 0)),
            ("OEZ;;Ali;03/03/2009;;2MELEC;A-2;;", (1, 0)),
            ("ÖZ;;Ali;13/03/2009;;2MELEC;A-2;;", (1, 0)),
            ("ÖZ;;Mehmet;03/03/2009;;2MELEC;A-2;;", (0, 1)),
            ("ÖZ;;Mehmet;13/03/2009;;2MELEC;A-2;;", (0, 1)),
            ("KAYA;;Ali;;;2MELEC;A-2;;", (0, 1)),
            ("ÖZ;;Ali;03/03/2009;;2MELEC;A-9;;", (0, 1)),
            ("Dupont;;Jean;01/03/2009;990000022CA;2MELEC;;;", (0, 1)),
        ],
    )
    def test_numbers_alone_tell_no_one(
        self, app: Flask, admin: Browser, desk: Desk, line: str, expected: tuple[int, int]
    ) -> None:
        kept = PUPILS[2] if line.startswith(("ÖZ", "OEZ", "KAYA")) else PUPILS[3]
        apply(app, admin, analyse(admin, table(*PUPILS[2:4])))

        assert outcome(desk, analyse(admin, table(kept, line)))[:2] == expected

    def test_numbers_an_answer_is_remembered_for_the_next_file(self, app: Flask, admin: Browser, desk: Desk) -> None:
        apply(app, admin, analyse(admin, table(*PUPILS[2:4])))
        renamed = table(PUPILS[2], "KAYA;;Mehmet;13/03/2009;;2MELEC;A-2;;")
        address = analyse(admin, renamed)
        with desk.look() as session:
            question = session.scalars(select(ImportQuestion)).one()
        admin.post(f"{address}/reponses", {question.field: "0"})
        apply(app, admin, address)

        address = analyse(admin, renamed)

        with desk.look() as session:
            again = session.scalars(select(ImportQuestion).where(ImportQuestion.run_id == 3)).one()
        assert (again.key, again.answer) == (question.key, 0)

    def test_numbers_a_refused_line_still_names_its_pupil(self, app: Flask, admin: Browser, desk: Desk) -> None:
        apply(app, admin, analyse(admin, table(*PUPILS[:3])))

        address = analyse(admin, table("BLÉ;;Éva;31/02/2009;;2MELEC;;;", PUPILS[2], PUPILS[1]))

        assert outcome(desk, address) == (0, 0, 1)


class TestStaff:
    def test_staff_of_another_name_with_the_same_address_is_asked_about(
        self, app: Flask, admin: Browser, desk: Desk
    ) -> None:
        apply(app, admin, analyse(admin, REAL / "85-nom-marital-1.csv"))
        second = REAL / "85-nom-marital-2.csv"

        address = analyse(admin, second)
        assert outcome(desk, address)[1:] == (1, 1)
        admin.post(f"{address}/reponses", {"geste": "evident"})
        apply(app, admin, address)

        with desk.look() as session:
            named = session.scalars(select(Account.last_name).where(Account.email == "jo.morel@ac-lyon.example")).all()
        assert named == ["MOREL-PETIT"]
        assert outcome(desk, analyse(admin, second))[1:] == (0, 0)

    def test_staff_a_number_of_another_name_is_asked_about(self, app: Flask, admin: Browser, desk: Desk) -> None:
        titles = "Nom;Prénom;Fonction;Numéro"
        apply(app, admin, analyse(admin, table("CURIE;Marie;ENS;P1", titles=titles)))

        assert outcome(desk, analyse(admin, table("DURAND;Paul;ENS;P1", titles=titles)))[1:] == (1, 1)
        assert outcome(desk, analyse(admin, table("CURIE;Marie;ENS;P2", titles=titles)))[1:] == (1, 1)
        assert outcome(desk, analyse(admin, table("CURIE-JOLIOT;Marie;ENS;P1", titles=titles)))[1:] == (0, 0)
