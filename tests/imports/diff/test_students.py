"""A pupil without class is reported once: as not taken up, or as losing the class that they had."""

from __future__ import annotations

from tests.helpers.imports import Desk

ALIX = {"id": "1", "ine": "990000011DB"}


def test_student_analysis_reports_a_newcomer_without_class_once(desk: Desk) -> None:
    run_id = desk.analyse(desk.file_of({**ALIX, "division": ""}, {"id": "2", "ine": "990000022CA"}))

    assert [code for code, _line in desk.findings(run_id)] == ["NOT_ENROLLED"]


def test_student_analysis_reports_once_a_pupil_who_loses_the_class(desk: Desk) -> None:
    desk.import_files(desk.file_of(ALIX))

    run_id = desk.analyse(desk.file_of({**ALIX, "division": ""}))

    assert [code for code, _line in desk.findings(run_id)] == ["WITHOUT_CLASS"]


def test_student_analysis_reports_once_one_who_had_left(desk: Desk) -> None:
    desk.import_files(desk.file_of(ALIX, {"id": "2", "ine": "990000022CA"}))
    desk.import_files(desk.file_of({"id": "2", "ine": "990000022CA"}), confirm=["deactivations"])

    run_id = desk.analyse(desk.file_of({**ALIX, "division": ""}, {"id": "2", "ine": "990000022CA"}))

    assert [code for code, _line in desk.findings(run_id)] == ["NOT_ENROLLED"]
