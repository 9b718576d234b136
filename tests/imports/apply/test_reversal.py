"""« Annuler le dernier import »: everything goes back, or nothing, with the reason."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from cpro.audit.models import AuditEntry
from cpro.core import events
from cpro.extensions import db
from cpro.imports.apply.reversal import undo
from cpro.imports.errors import UndoImpossible
from cpro.imports.models import ImportRun, RunState
from cpro.students.models import MEF, Division, Student, TeacherDivision
from cpro.users.models import Account
from tests.factories import NOW, make_student
from tests.helpers.imports import EVERYTHING, SAMPLES, Desk

ALIX = {"id": "1", "ine": "990000011DB"}
NOE = {"id": "2", "ine": "990000022CA", "PRENOM": "Noé"}


class TestUndo:
    def test_undo_the_first_import_goes_away_with_what_it_created(self, desk: Desk) -> None:
        before = desk.state()
        desk.import_files(*SAMPLES, accounts=True)

        desk.undo()

        assert desk.state() == before
        with desk.look() as session:
            assert session.scalar(select(func.count(MEF.id))) == 0
            lines = select(func.count(AuditEntry.id)).where(AuditEntry.action == "import:siecle:undone")
            assert session.scalar(lines) == 1

    def test_undo_corrections_deactivations_and_returns_go_back(self, desk: Desk) -> None:
        desk.import_files(desk.file_of(ALIX, NOE, {"id": "3", "PRENOM": "Zoé"}))
        desk.import_files(desk.file_of(ALIX, NOE), confirm=EVERYTHING)
        before = desk.state()
        changed = {**NOE, "id": "8", "PRENOM": "Noël", "division": "1MELEC"}
        desk.import_files(desk.file_of(changed, {"id": "3", "PRENOM": "Zoé"}, {"id": "9"}), confirm=EVERYTHING)
        assert desk.state() != before

        desk.undo()

        assert desk.state() == before

    def test_undo_a_division_that_it_corrected_has_its_label_back(self, desk: Desk) -> None:
        desk.import_files(desk.file_of({**ALIX, "division": "2MELEC1"}))
        before = desk.state()
        desk.import_files(*SAMPLES, confirm=EVERYTHING)
        assert _label_of(desk, "2MELEC1") == "2NDE PRO MELEC 1"

        desk.undo()

        assert desk.state() == before
        assert _label_of(desk, "2MELEC1") == ""

    def test_undo_a_division_that_it_corrected_and_somebody_named_since_is_left_so(self, desk: Desk) -> None:
        desk.import_files(desk.file_of({**ALIX, "division": "2MELEC1"}))
        desk.import_files(*SAMPLES, confirm=EVERYTHING)
        with desk.open() as session:
            session.scalars(select(Division).where(Division.code == "2MELEC1")).one().label = "Seconde"
        before = desk.state()

        with pytest.raises(UndoImpossible, match="« 2MELEC1 » a été modifié depuis"):
            desk.undo()

        assert desk.state() == before

    def test_undo_a_pupil_that_it_corrected_and_somebody_corrected_since_is_named(self, desk: Desk) -> None:
        desk.import_files(desk.file_of(ALIX, NOE))
        desk.import_files(desk.file_of({**ALIX, "PRENOM": "Alexis"}, {**NOE, "division": "1MELEC"}))
        with desk.open() as session:
            session.scalars(select(Student).where(Student.siecle_id == "2")).one().division_id = None
        before = desk.state()

        with pytest.raises(UndoImpossible, match="le dossier de Noé TESTEUR a changé depuis"):
            desk.undo()

        assert desk.state() == before

    @pytest.mark.parametrize(("what", "who"), [("name", "d’Anne-Maïwenn AUTREMENT"), ("divisions", "d’Éloïse NŒUD")])
    def test_undo_a_teacher_that_it_corrected_and_somebody_corrected_since_is_named(
        self, desk: Desk, what: str, who: str
    ) -> None:
        desk.import_files(*SAMPLES)
        text = SAMPLES[3].read_text("iso-8859-15").replace('<ENSEIGNANT ID="99001"', '<ENSEIGNANT ID="99003"')
        desk.import_files(desk.write(text.replace("<NOM_USAGE>BOBINE-TEST<", "<NOM_USAGE>AUTRE<")))
        with desk.open() as session:
            if what == "name":
                session.scalars(select(Account).where(Account.last_name == "AUTRE")).one().last_name = "AUTREMENT"
            else:
                teacher_id = session.scalars(select(Account.id).where(Account.login == "eloise.noeud")).one()
                session.delete(session.scalars(select(TeacherDivision).filter_by(account_id=teacher_id)).first())
        before = desk.state()

        with pytest.raises(UndoImpossible, match=f"le compte {who} a changé depuis"):
            desk.undo()

        assert desk.state() == before

    def test_undo_an_account_opened_by_it_and_given_to_another_pupil_stays(self, desk: Desk) -> None:
        desk.import_files(desk.file_of(ALIX, NOE), accounts=True)
        with desk.open() as session:
            alix, noe = (session.scalars(select(Student).where(Student.siecle_id == each)).one() for each in ("1", "2"))
            given, alix.account_id, noe.account_id = alix.account_id, None, None
            session.flush()
            noe.account_id = given
        before = desk.state()

        with pytest.raises(UndoImpossible, match="a changé depuis"):
            desk.undo()

        assert desk.state() == before

    def test_undo_teachers_go_back_to_their_divisions(self, desk: Desk) -> None:
        desk.import_files(*SAMPLES)
        before = desk.state()
        text = SAMPLES[3].read_text("iso-8859-15").replace('<ENSEIGNANT ID="99001"', '<ENSEIGNANT ID="99003"')
        desk.import_files(desk.write(text.replace("<NOM_USAGE>BOBINE-TEST<", "<NOM_USAGE>AUTRE<")))
        assert desk.state() != before

        desk.undo()

        assert desk.state() == before

    def test_undo_the_import_before_may_then_be_undone_in_turn(self, desk: Desk) -> None:
        desk.import_files(desk.file_of(ALIX))
        desk.import_files(desk.file_of(ALIX, NOE))

        desk.undo()
        desk.undo()

        assert desk.students() == {}

    def test_undo_listeners_undo_first(self, desk: Desk) -> None:
        desk.import_files(desk.file_of(ALIX))
        there: list[int] = []

        with events.import_undone.connected_to(lambda sender, **fact: there.append(len(desk_students(fact)))):
            desk.undo()

        assert there == [1]

    def test_undo_after_an_undo_the_same_file_may_come_again(self, desk: Desk) -> None:
        desk.import_files(*SAMPLES)
        desk.undo()

        assert desk.import_files(*SAMPLES)["students"]["created"] == 11


class TestCheckUndoable:
    def test_check_undoable_refuses_where_nothing_was_applied(self, desk: Desk) -> None:
        with pytest.raises(UndoImpossible, match="Aucun import"):
            desk.undo()

    def test_check_undoable_refuses_after_seven_days(self, desk: Desk) -> None:
        desk.import_files(desk.file_of(ALIX))

        with pytest.raises(UndoImpossible, match="7 jours"):
            desk.undo(NOW + timedelta(days=7))
        desk.undo(NOW + timedelta(days=6, hours=23))

    def test_undo_finds_nothing_in_the_other_school(self, desk: Desk) -> None:
        desk.import_files(desk.file_of(ALIX))

        with desk.look("b"), pytest.raises(UndoImpossible, match="Aucun import"):
            undo(by=desk.by, clock=lambda: NOW)

    @pytest.mark.parametrize(
        "what", ["a pupil corrected", "an account activated", "a division relabelled", "a newcomer"]
    )
    def test_check_undoable_refuses_once_imported_data_was_worked_on(self, desk: Desk, what: str) -> None:
        desk.import_files(*SAMPLES, accounts=True)
        with desk.open() as session:
            pupil = session.scalars(select(Student).where(Student.siecle_id == "900001")).one()
            if what == "a pupil corrected":
                pupil.first_name = "Alixe"
            elif what == "an account activated":
                session.get_one(Account, pupil.account_id).activated_at = NOW
            elif what == "a division relabelled":
                session.get_one(type(pupil).division.property.mapper.class_, pupil.division_id).label = "Autre"
            else:
                session.add(make_student(desk.world.a.id, division_id=pupil.division_id))
        before = desk.state()

        with pytest.raises(UndoImpossible, match="ne peut plus être annulé"):
            desk.undo()

        assert desk.state() == before
        with desk.look() as session:
            assert session.scalars(select(ImportRun)).one().state is RunState.APPLIED


def desk_students(fact: dict[str, object]) -> list[int]:
    """Return the pupils with an ELEVE_ID, as whoever listens sees them."""
    return list(db.session.scalars(select(Student.id).where(Student.siecle_id.is_not(None))))


def _label_of(desk: Desk, code: str) -> str | None:
    with desk.look() as session:
        return session.scalar(select(Division.label).where(Division.code == code))
