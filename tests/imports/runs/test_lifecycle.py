"""What stops an import, or asks for a word first."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from cpro.audit.operations import About, record
from cpro.core.errors import DomainError
from cpro.core.jobs.models import Job, JobState
from cpro.core.permissions import Role
from cpro.core.transactions import unit_of_work
from cpro.establishments.gate import GateClosed
from cpro.establishments.models import Establishment
from cpro.imports.errors import (
    AnalysisOutdated,
    BrokenXML,
    ConfirmationMissing,
    EmptyImport,
    FilesDisagree,
    ImportUnderWay,
    OtherSchool,
)
from cpro.imports.models import ImportChange, ImportFinding, ImportQuestion, RunState
from cpro.imports.queries import get_run
from cpro.imports.runs.lifecycle import forget_findings, send_to_application
from cpro.users.operations.manual import create_manual_account
from tests.factories import NOW
from tests.helpers.imports import Desk
from tests.helpers.records import rows
from tests.helpers.siecle import FILES, students_xml

TWENTY = [{"id": str(number), "ine": ""} for number in range(1, 21)]


class TestDeposit:
    def test_deposit_a_file_of_another_school_is_refused(self, desk: Desk) -> None:
        before = desk.state()

        file = desk.file_of({"id": "1"}, uai="0999002X")
        with pytest.raises(OtherSchool, match="0999002X") as refusal:
            desk.import_files(file)

        assert file.name in refusal.value.message
        assert desk.state() == before

    def test_deposit_a_school_without_uai_imports_nothing(self, desk: Desk) -> None:
        with desk.open() as session:
            session.get_one(Establishment, desk.world.a.id).uai = None

        with pytest.raises(GateClosed, match="code UAI"):
            desk.import_files(desk.file_of({"id": "1"}))

    def test_deposit_two_files_of_one_kind_are_refused(self, desk: Desk) -> None:
        with pytest.raises(FilesDisagree, match="même type"):
            desk.import_files(FILES / "ElevesSansAdresses.xml", FILES / "ElevesAvecAdresses.xml")

    def test_deposit_files_of_two_years_are_refused(self, desk: Desk) -> None:
        with pytest.raises(FilesDisagree, match="2027-2028") as refusal:
            desk.import_files(FILES / "Structures.xml", desk.file_of({"id": "1"}, year=2027))

        assert list(refusal.value.errors) == ["files"]

    def test_deposit_an_empty_file_is_refused_and_nothing_waits(self, desk: Desk) -> None:
        desk.import_files(desk.file_of(*TWENTY))

        with pytest.raises(EmptyImport):
            desk.import_files(desk.write(students_xml("")))

        assert all(pupil["is_active"] for pupil in desk.students().values())
        assert desk.run(2).state is RunState.FAILED

    def test_deposit_a_damaged_file_leaves_no_import_waiting(self, desk: Desk) -> None:
        many = [{"id": str(number), "ine": ""} for number in range(1, 1000)]
        text = "<<ELEVE".join(desk.file_of(*many).read_text("iso-8859-15").rsplit("<ELEVE", 1))

        with pytest.raises(BrokenXML):
            desk.import_files(desk.write(text))

        assert desk.run(1).state is RunState.FAILED
        assert desk.students() == {}


class TestCheckConfirmations:
    def test_check_confirmations_another_school_year_must_be_confirmed(self, desk: Desk) -> None:
        path = desk.file_of(*TWENTY, year=2025)

        with pytest.raises(ConfirmationMissing, match="2025-2026"):
            desk.import_files(path, confirm=["deactivations"])
        assert desk.students() == {}

        desk.import_files(path, confirm=["year"])
        assert len(desk.students()) == 20

    def test_check_confirmations_more_than_a_fifth_of_deactivations_must_be_confirmed_with_the_figures(
        self, desk: Desk
    ) -> None:
        desk.import_files(desk.file_of(*TWENTY))

        with pytest.raises(ConfirmationMissing, match=r"5 élèves .* 20 \(25.%\)"):
            desk.import_files(desk.file_of(*TWENTY[:15]), confirm=["year"])
        assert all(pupil["is_active"] for pupil in desk.students().values())

        desk.import_files(desk.file_of(*TWENTY[:15]), confirm=["deactivations"])
        assert sum(pupil["is_active"] for pupil in desk.students().values()) == 15

    def test_check_confirmations_a_fifth_needs_no_confirmation(self, desk: Desk) -> None:
        desk.import_files(desk.file_of(*TWENTY))

        assert desk.import_files(desk.file_of(*TWENTY[:16]))["students"]["deactivated"] == 4


class TestOneAtATime:
    def test_one_import_at_a_time_a_deposit_waits_for_the_end_of_an_application(self, desk: Desk) -> None:
        run_id = desk.analyse(desk.file_of(*TWENTY))
        with desk.look(), unit_of_work():
            job_id = send_to_application(get_run(run_id), confirmations=(), by=desk.by, now=NOW).id

        with pytest.raises(ImportUnderWay):
            desk.analyse(desk.file_of(*TWENTY))

        with desk.open() as session:
            session.get_one(Job, job_id).state = JobState.FAILED
        assert desk.run(desk.analyse(desk.file_of(*TWENTY))).state is RunState.ANALYSED
        assert desk.run(run_id).state is RunState.REPLACED

    def test_one_import_at_a_time_both_schools_import_at_the_same_time(self, desk: Desk) -> None:
        ours = desk.analyse(desk.file_of(*TWENTY))
        theirs = desk.analyse(desk.file_of({"id": "1"}, uai="0999002X"), school="b")

        desk.apply(theirs, ["deactivations"], school="b")
        desk.apply(ours)

        assert (len(desk.students()), len(desk.students("b"))) == (20, 1)

    def test_one_import_at_a_time_another_school_does_not_see_the_import(self, desk: Desk) -> None:
        run_id = desk.analyse(desk.file_of(*TWENTY))

        with pytest.raises(DomainError, match="n’existe pas"):
            desk.apply(run_id, school="b")

    def test_one_import_at_a_time_a_person_created_by_hand_meanwhile_makes_the_analysis_outdated(
        self, desk: Desk
    ) -> None:
        run_id = desk.analyse(FILES / "sts_emp_0999001W_2026.xml")
        with desk.open():
            values = {"first_name": "Gérard", "last_name": "Cuivre-Fictif", "role": Role.TEACHER.value}
            create_manual_account(values, by=desk.by, now=NOW)

        with pytest.raises(AnalysisOutdated):
            desk.apply(run_id)

    def test_one_import_at_a_time_signing_in_meanwhile_does_not(self, desk: Desk) -> None:
        run_id = desk.analyse(FILES / "sts_emp_0999001W_2026.xml")
        with desk.open() as session:
            record(
                "account:signed-in",
                About("account", 1, "Alix GRANITE"),
                by=desk.by,
                now=NOW + timedelta(minutes=1),
                session=session,
            )

        assert desk.apply(run_id)["staff"]["created"] == 5


class TestForgetFindings:
    @pytest.mark.parametrize("model", [ImportChange, ImportFinding, ImportQuestion])
    def test_forget_findings_leaves_those_of_other_imports_and_of_the_other_school(
        self, desk: Desk, app: Flask, model: Any
    ) -> None:
        kept = desk.analyse(desk.file_of(*TWENTY))
        desk.apply(kept)
        theirs = desk.analyse(desk.file_of({"id": "1"}, uai="0999002X"), school="b")
        pending = desk.analyse(desk.file_of(*TWENTY[:18], {"id": "99", "ine": ""}))
        for run_id, school in ((kept, "a"), (pending, "a"), (theirs, "b")):
            with desk.open(school) as session:
                seen = {"severity": "warning", "code": "X", "file_kind": "Élèves", "line": 1, "sentence": "Vu."}
                asked = {"key": "student:x", "object_type": "student", "line": 1, "person": "X", "sentence": "Qui ?"}
                session.add(ImportFinding(run_id=run_id, **seen))
                session.add(ImportQuestion(run_id=run_id, candidates=[], can_create=True, **asked))
        before = runs_of(app, model)

        with desk.open():
            forget_findings(get_run(pending))

        assert runs_of(app, model) == [run_id for run_id in before if run_id != pending]
        desk.undo()
        assert desk.students() == {}


def runs_of(app: Flask, model: Any) -> list[int]:
    """Return the imports of the rows of a table."""
    return [row["run_id"] for row in rows(app, model)]
