"""What imports do to pupils, divisions and courses: the samples, the same file twice, the next year, the exceptions."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import func, select

from cpro.audit.models import AuditEntry
from cpro.core import events
from cpro.core.formatting import plural
from cpro.core.transactions import unit_of_work
from cpro.establishments.models import Establishment
from cpro.imports.diff import matching
from cpro.imports.errors import AnalysisOutdated, NotToApply
from cpro.imports.models import ImportChange, ImportFinding, RunState
from cpro.imports.parse.records import StudentRecord
from cpro.imports.queries import get_run
from cpro.imports.runs.lifecycle import send_to_application
from cpro.imports.summaries import summarise
from cpro.students.models import MEF, Diploma, Division, Origin, Student
from cpro.students.operations import record_change
from cpro.students.queries import count_without_ine
from tests.factories import NOW, make_student
from tests.helpers.imports import EVERYTHING, SAMPLES, Desk
from tests.helpers.siecle import FILES

ALIX = {"id": "1", "ine": "990000011DB"}
NOE = {"id": "2", "ine": "990000022CA", "PRENOM": "Noé"}
TODAY = NOW.date()


class TestApply:
    def test_analyse_the_analysis_counts_and_writes_nothing(self, desk: Desk) -> None:
        before = desk.state()

        analysis = desk.foresee(*SAMPLES)

        figures = analysis.counts["students"]
        assert (figures["created"], figures["without_ine"], figures["refused"]) == (11, 1, 0)
        assert analysis.counts["ignored"] == {"students": 2, "staff": 3}
        assert analysis.counts["staff"]["created"] == 5
        assert analysis.confirmations_needed == []
        assert desk.state() == before

    def test_apply_eleven_pupils_arrive_in_their_divisions(self, desk: Desk) -> None:
        desk.import_files(*SAMPLES)

        students = desk.students()
        assert len(students) == 11
        assert {"900006", "900008"} & students.keys() == set()
        assert students["900002"]["division"] == "T MELEC"
        assert students["900012"]["division"] == "2MELEC1"
        assert students["900013"]["last_name"] == "ANCIENFORMAT"
        assert students["900003"]["usage_name"] == "FICTIF DE LA MAQUETTE"
        assert students["900007"]["is_active"]
        assert [key for key, pupil in students.items() if pupil["ine"] is None] == ["900005"]
        assert students["900002"]["birth_date"] == dt.date(2008, 2, 29)

    def test_apply_with_addresses_or_zipped_they_are_the_same(self, desk: Desk) -> None:
        desk.import_files(*SAMPLES)

        for name in ("ElevesAvecAdresses.xml", "ExportXML_ElevesAvecAdresses.zip"):
            figures = desk.import_files(FILES / name)["students"]
            assert (figures["unchanged"], figures["created"], figures["changed"]) == (11, 0, 0)

    def test_apply_divisions_receive_labels_and_the_diploma_of_their_course(self, desk: Desk) -> None:
        desk.import_files(*SAMPLES)

        with desk.look() as session:
            melec = session.scalar(select(Diploma.id).where(Diploma.code == "40025520"))
            divisions = {division.code: division for division in session.scalars(select(Division))}
            links = {mef.code: (mef.label, mef.diploma_id) for mef in session.scalars(select(MEF))}
        assert (divisions["T MELEC"].label, divisions["T MELEC"].diploma_id) == ("TERMINALE PRO MELEC", melec)
        assert divisions["1CAPMM"].diploma_id is None
        assert links["24725510310"] == ("2NDPRO METIERS ELECTRICITE (MELEC)", melec)
        assert links["24125221210"][1] is None

    def test_apply_a_course_without_diploma_is_to_be_linked_and_its_division_follows(self, desk: Desk) -> None:
        run_id = desk.analyse(*SAMPLES)
        desk.apply(run_id)
        with desk.open() as session:
            cap = Diploma(establishment_id=desk.world.a.id, code="CAPMM", label="CAP", short_label="CAP")
            session.add(cap)
            session.flush()
            session.scalars(select(MEF).where(MEF.code == "24125221210")).one().diploma_id = cap.id
            cap_id = cap.id

        desk.import_files(*SAMPLES)

        assert "MEF_UNLINKED" in {code for code, _line in desk.findings(run_id)}
        with desk.look() as session:
            assert session.scalar(select(Division.diploma_id).where(Division.code == "1CAPMM")) == cap_id

    def test_apply_is_recorded_in_one_line_and_the_uai_is_locked(self, desk: Desk) -> None:
        heard: list[int] = []
        with events.import_applied.connected_to(lambda sender, run_id, **fact: heard.append(run_id)):
            run_id = desk.analyse(*SAMPLES)
            desk.apply(run_id)

        with desk.look() as session:
            lines = session.scalars(select(AuditEntry).where(AuditEntry.action == "import:siecle:applied")).all()
            about_people = select(func.count(AuditEntry.id)).where(AuditEntry.object_type.in_(["student", "account"]))
            assert session.scalar(about_people) == 0
            assert session.get_one(Establishment, desk.world.a.id).uai_locked_at == NOW
        assert [line.changes["students_created"] for line in lines] == [[None, 11]]
        assert heard == [run_id]

    def test_apply_the_changes_are_kept_with_the_import(self, desk: Desk) -> None:
        run_id = desk.analyse(*SAMPLES)
        desk.apply(run_id)

        with desk.look() as session:
            change = session.scalars(select(ImportChange).where(ImportChange.object_key == "900005")).one()
            pupil = session.get_one(Student, change.object_id)
        assert (pupil.last_name, change.changes["last_name"]) == ("SANSINE", (None, "SANSINE"))

    def test_apply_the_other_school_is_not_touched(self, desk: Desk) -> None:
        with desk.open("b") as session:
            session.add(make_student(desk.world.b.id, siecle_id="900001", ine="990000011DB", last_name="Autre"))
        before = desk.students("b")

        desk.import_files(*SAMPLES)

        assert desk.students("b") == before
        assert desk.students()["900001"]["last_name"] == "TESTEUR"


class TestApplyStaffFileAlone:
    def test_apply_says_of_a_staff_file_alone_what_was_deposited_and_all_it_changed(self, desk: Desk) -> None:
        counts = desk.import_files(SAMPLES[-1])
        structure = counts["structure"]

        assert structure["divisions_created"] > 0
        assert structure["mefs_created"] > 0
        assert plural(structure["divisions_created"], "division créée", "divisions créées") in summarise(
            counts, is_done=True
        )
        with desk.look() as session:
            kinds = set(session.scalars(select(ImportFinding.file_kind)))
            line = session.scalars(select(AuditEntry).where(AuditEntry.action == "import:siecle:applied")).one()
        assert kinds <= {"Personnels et services (STS-Web)"}
        assert {name: new for name, (_old, new) in line.changes.items() if name in structure} == structure


class TestApplyAgain:
    def test_apply_the_same_files_twice_change_nothing(self, desk: Desk) -> None:
        desk.import_files(*SAMPLES)
        before = desk.state()

        counts = desk.import_files(*SAMPLES)

        assert desk.state() == before
        assert (counts["students"]["unchanged"], counts["staff"]["unchanged"], counts["divisions"]) == (11, 5, 0)
        assert counts["students"]["changed"] == counts["staff"]["changed"] == 0

    def test_repeats_what_is_known_counts_as_the_rules_would(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        desk.import_files(*SAMPLES)
        asked: list[bool] = []
        repeats = matching.repeats
        monkeypatch.setattr(matching, "repeats", lambda *said: asked.append(repeats(*said)) or asked[-1])
        at_once = desk.foresee(*SAMPLES)
        monkeypatch.setattr(matching, "repeats", lambda *said: False)

        one_by_one = desk.foresee(*SAMPLES)

        assert asked.count(True) > 5
        assert (at_once.counts, at_once.confirmations_needed) == (one_by_one.counts, one_by_one.confirmations_needed)

    def test_select_known_has_the_order_of_a_record(self) -> None:
        assert StudentRecord._fields[1:8] == matching.Known._fields[2:9]

    def test_apply_a_pupil_who_came_by_hand_is_said_to_come_from_siecle_by_the_same_words(self, desk: Desk) -> None:
        desk.import_files(desk.file_of(ALIX))
        with desk.open() as session:
            pupil = session.scalars(select(Student).where(Student.siecle_id == "1")).one()
            pupil.came_by = Origin.HAND
            record_change("student:changed", pupil, {"came_by": (Origin.SIECLE.value, "hand")}, by=desk.by, now=NOW)

        counts = desk.import_files(desk.file_of(ALIX))["students"]

        assert (counts["changed"], counts["unchanged"]) == (1, 0)

    def test_apply_the_next_year_moves_pupils_creates_new_ones_and_deactivates_those_who_left(self, desk: Desk) -> None:
        desk.import_files(desk.file_of(ALIX, NOE))
        later = NOW.replace(year=2027)
        following = desk.file_of(
            {**ALIX, "division": "1MELEC"}, {"id": "3", "ine": "990000033AK", "PRENOM": "Zoé"}, year=2027
        )

        counts = desk.import_files(following, confirm=["deactivations"], now=later)["students"]

        students = desk.students()
        assert (counts["created"], counts["changed"], counts["deactivated"]) == (1, 1, 1)
        assert students["1"]["division"] == "1MELEC"
        assert (students["2"]["is_active"], students["2"]["departed_on"]) == (False, later.date())
        assert students["2"]["division"] == "2MELEC"

    def test_apply_who_comes_back_is_reactivated(self, desk: Desk) -> None:
        desk.import_files(desk.file_of(ALIX, NOE))
        desk.import_files(desk.file_of(ALIX), confirm=EVERYTHING)

        counts = desk.import_files(desk.file_of(ALIX, NOE))["students"]

        assert (counts["reactivated"], counts["created"]) == (1, 0)
        assert (desk.students()["2"]["is_active"], desk.students()["2"]["departed_on"]) == (True, None)

    def test_apply_a_leaving_date_deactivates_on_that_date(self, desk: Desk) -> None:
        desk.import_files(desk.file_of(ALIX, *({"id": str(n)} for n in range(10, 20))))
        others = [{"id": str(n)} for n in range(10, 20)]

        desk.import_files(desk.file_of({**ALIX, "DATE_SORTIE": "18/09/2026"}, *others))

        assert desk.students()["1"]["departed_on"] == dt.date(2026, 9, 18)
        assert not desk.students()["1"]["is_active"]

    def test_apply_an_ine_that_arrives_later_leaves_the_list_of_those_without(self, desk: Desk) -> None:
        desk.import_files(desk.file_of({"id": "1", "ine": ""}))
        with desk.look():
            assert count_without_ine(TODAY).active == 1

        desk.import_files(desk.file_of(ALIX))

        with desk.look():
            assert count_without_ine(TODAY).active == 0
        assert desk.students()["1"]["ine"] == "990000011DB"

    def test_apply_an_ine_that_disappears_is_kept(self, desk: Desk) -> None:
        desk.import_files(desk.file_of(ALIX))

        counts = desk.import_files(desk.file_of({"id": "1", "ine": ""}))["students"]

        assert (counts["unchanged"], desk.students()["1"]["ine"]) == (1, "990000011DB")

    def test_apply_another_number_under_the_same_ine_is_the_same_pupil(self, desk: Desk) -> None:
        desk.import_files(desk.file_of(ALIX, NOE))

        counts = desk.import_files(desk.file_of({**ALIX, "id": "7"}, NOE))["students"]

        assert (counts["changed"], counts["created"], counts["deactivated"]) == (1, 0, 0)
        assert {key: pupil["first_name"] for key, pupil in desk.students().items()} == {"7": "Alix", "2": "Noé"}

    def test_apply_a_refused_pupil_is_neither_written_nor_deactivated(self, desk: Desk) -> None:
        desk.import_files(desk.file_of(ALIX, NOE))

        counts = desk.import_files(desk.file_of({**ALIX, "DATE_NAISS": "31/02/2010"}, NOE))["students"]

        assert (counts["refused"], counts["deactivated"]) == (1, 0)
        assert desk.students()["1"]["is_active"]


class TestApplyDoubts:
    def test_apply_two_numbers_of_two_pupils_must_be_told_apart_by_a_person(self, desk: Desk) -> None:
        desk.import_files(desk.file_of(ALIX, NOE))
        before = desk.students()

        run_id = desk.analyse(desk.file_of({**ALIX, "id": "2"}, {**NOE, "id": "1"}))
        counts = desk.apply(run_id)["students"]

        assert (counts["refused"], counts["deactivated"]) == (2, 0)
        assert desk.students() == before
        assert [code for code, _ in desk.findings(run_id)].count("TO_CONFIRM") == 2

    def test_apply_a_namesake_without_number_is_never_taken_for_the_pupil(self, desk: Desk) -> None:
        born = dt.date(2010, 3, 14)
        with desk.open() as session:
            session.add(
                make_student(desk.world.a.id, last_name="Testeur", first_name="Alix", birth_date=born, ine=None)
            )

        run_id = desk.analyse(desk.file_of(ALIX))
        counts = desk.apply(run_id)["students"]

        assert (counts["refused"], counts["created"], counts["deactivated"]) == (1, 0, 0)
        assert "TO_CONFIRM" in {code for code, _ in desk.findings(run_id)}

    def test_apply_perfect_homonyms_with_numbers_are_two_people(self, desk: Desk) -> None:
        desk.import_files(desk.file_of(ALIX))

        run_id = desk.analyse(desk.file_of(ALIX, {**NOE, "PRENOM": "Alix"}))
        desk.apply(run_id)

        assert len(desk.students()) == 2
        assert "HOMONYM" in {code for code, _ in desk.findings(run_id)}

    def test_apply_a_number_given_to_another_person_is_not_believed(self, desk: Desk) -> None:
        desk.import_files(desk.file_of({"id": "1", "ine": ""}))
        before = desk.students()

        stranger = {"id": "1", "ine": "", "NOM_DE_FAMILLE": "INCONNU", "DATE_NAISS": "01/01/2009"}
        counts = desk.import_files(desk.file_of(stranger))["students"]

        assert (counts["refused"], desk.students()) == (1, before)


class TestApplyOutdated:
    @pytest.mark.parametrize("event", ["another import", "the next day"])
    def test_apply_an_analysis_of_other_data_is_not_applied(self, desk: Desk, event: str) -> None:
        if event == "another import":
            desk.import_files(desk.file_of(ALIX))
        run_id = desk.analyse(desk.file_of(ALIX, NOE))
        now = NOW
        if event == "another import":
            desk.import_files(desk.file_of({**ALIX, "division": "1MELEC"}))
        else:
            now += dt.timedelta(days=1)
        before = desk.students()

        with pytest.raises((AnalysisOutdated, NotToApply)):
            desk.apply(run_id, now=now)

        assert desk.students() == before

    def test_apply_a_pupil_changed_without_a_trace_is_noticed_too(self, desk: Desk) -> None:
        desk.import_files(desk.file_of(ALIX, NOE))
        run_id = desk.analyse(desk.file_of({**ALIX, "PRENOM": "Alixe"}, {**NOE, "division": "1MELEC"}))
        with desk.open() as session:
            session.scalars(select(Student).where(Student.siecle_id == "1")).one().first_name = "Alyx"

        with pytest.raises(AnalysisOutdated):
            desk.apply(run_id)

        assert desk.students()["2"]["division"] == "2MELEC"
        assert desk.run(run_id).state is RunState.ANALYSED

    def test_apply_an_import_is_applied_once(self, desk: Desk) -> None:
        run_id = desk.analyse(desk.file_of(ALIX))
        desk.apply(run_id)

        with pytest.raises(NotToApply):
            desk.apply(run_id)

    def test_deposit_a_new_deposit_replaces_the_pending_one(self, desk: Desk) -> None:
        first = desk.analyse(desk.file_of(ALIX))
        second = desk.analyse(desk.file_of(NOE))

        assert (desk.run(first).state, desk.run(second).state) == (RunState.REPLACED, RunState.ANALYSED)
        with desk.look(), pytest.raises(NotToApply), unit_of_work():
            send_to_application(get_run(first), confirmations=(), by=desk.by, now=NOW)
