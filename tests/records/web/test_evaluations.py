"""Évaluations and bilans: what is chosen from, what is refused, a division at once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.audit.models import AuditEntry
from cpro.competences.models import Competence
from cpro.competences.queries import find_used
from cpro.core import tenancy
from cpro.records.models import Bilan, Evaluation, Fiche, Level
from cpro.scenarios.models import Scenario
from cpro.students.models import Division, Student
from tests.factories import NOW, World
from tests.helpers.browser import Browser
from tests.helpers.days import today
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, rows, set_school, set_up, watching
from tests.helpers.two_people import Shared, play
from tests.records.conftest import Class, make_fiche

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]


@pytest.fixture
def own(classroom: Class) -> str:
    """Return the address of the pupil's page."""
    return f"/eleves/{classroom.own}"


@pytest.fixture
def typed(classroom: Class) -> dict[str, Any]:
    """Return a valid évaluation."""
    return {
        "competence": str(classroom.competences[1]),
        "level": "3",
        "evaluated_on": "2026-10-01",
        "scenario": str(classroom.scenario),
        "fiche": "",
    }


class TestEvaluationLevels:
    def test_evaluation_levels_are_the_four_of_the_national_scale(self) -> None:
        assert [(level.value, level.label) for level in Level] == [
            (1, "maîtrise insuffisante"),
            (2, "maîtrise fragile"),
            (3, "maîtrise satisfaisante"),
            (4, "très bonne maîtrise"),
        ]


class TestCreateEvaluation:
    def test_create_evaluation_keeps_the_words_of_the_day(
        self, app: Flask, as_: As, classroom: Class, own: str, typed: dict[str, Any]
    ) -> None:
        uid = next(row["origin_uid"] for row in rows(app, Fiche) if row["id"] == classroom.fiche)
        browser = as_("teacher")

        with watching(app) as watch:
            answer = browser.post(f"{own}/evaluations/nouvelle", {**typed, "fiche": uid})

        row = rows(app, Evaluation)[-1]
        assert answer.status_code == 303
        assert (row["competence_code"], row["competence_label"], row["level"]) == ("C2", "Compétence 2", 3)
        assert (row["diploma_code"], row["diploma_label"]) == ("40025520", "Bac pro MELEC")
        assert (row["scenario_id"], row["scenario_title"][:8], row["fiche_uid"]) == (
            classroom.scenario,
            "Scénario",
            uid,
        )
        assert (watch.line["action"], watch.line["changes"]) == ("evaluation:created", {})

    @pytest.mark.parametrize("level", ["", "0", "5", "3.5", "trois", "-1", "٣", "9" * 50])
    def test_create_evaluation_no_other_level_than_the_four(
        self, app: Flask, as_: As, own: str, typed: dict[str, Any], level: str
    ) -> None:
        browser = as_("teacher")

        with nothing_written(app):
            answer = browser.post(f"{own}/evaluations/nouvelle", {**typed, "level": level})

        assert answer.status_code == 422
        assert "Choisissez un niveau de 1 à 4" in Page(answer).error("level")

    def test_create_evaluation_a_competence_of_another_diploma_is_refused(
        self, app: Flask, as_: As, classroom: Class, own: str, typed: dict[str, Any]
    ) -> None:
        browser = as_("teacher")

        for competence in (str(classroom.foreign_competence), "999", "mot", "9" * 40):
            with nothing_written(app):
                answer = browser.post(f"{own}/evaluations/nouvelle", {**typed, "competence": competence})
            assert answer.status_code == 422
            assert "Choisissez une compétence du diplôme" in Page(answer).error("competence")

    def test_create_evaluation_a_day_to_come_is_refused_on_the_schools_clocks(
        self, app: Flask, as_: As, world: World, own: str, typed: dict[str, Any]
    ) -> None:
        """At 22:30 in Paris it is tomorrow in Réunion."""
        tonight = "2026-10-05T20:30:00+00:00"
        for timezone, status in (("Europe/Paris", 422), ("Indian/Reunion", 303)):
            set_school(app, world.a.id, timezone=timezone)
            with time_machine.travel(tonight, tick=True):
                answer = as_("teacher").post(f"{own}/evaluations/nouvelle", {**typed, "evaluated_on": "2026-10-06"})
            assert answer.status_code == status, timezone

    @pytest.mark.parametrize("scenario", ["999", "mot"])
    def test_create_evaluation_an_unknown_scenario_is_refused(
        self, app: Flask, as_: As, own: str, typed: dict[str, Any], scenario: str
    ) -> None:
        answer = as_("teacher").post(f"{own}/evaluations/nouvelle", {**typed, "scenario": scenario})

        assert answer.status_code == 422
        assert "n’est plus proposé" in Page(answer).error("scenario")

    def test_create_evaluation_an_archived_scenario_or_the_module_off_offers_none(
        self, app: Flask, as_: As, classroom: Class, world: World, own: str, typed: dict[str, Any]
    ) -> None:
        browser = as_("teacher")
        assert "Scénario Marqueur" in browser.get(f"{own}/evaluations/nouvelle").text

        set_school(app, world.a.id, scenarios_enabled=False)
        assert "Scénario Marqueur" not in browser.get(f"{own}/evaluations/nouvelle").text
        set_school(app, world.a.id, scenarios_enabled=True)
        set_up(app, lambda session: setattr(session.get_one(Scenario, classroom.scenario), "archived_at", NOW))
        assert "Scénario Marqueur" not in browser.get(f"{own}/evaluations/nouvelle").text
        assert browser.post(f"{own}/evaluations/nouvelle", typed).status_code == 422

    def test_create_evaluation_a_day_of_a_past_school_year_is_told(
        self, as_: As, classroom: Class, own: str, typed: dict[str, Any]
    ) -> None:
        browser, told = as_("teacher"), "Le 27/05/2026 est d’une année scolaire passée"
        address = f"{own}/evaluations/nouvelle"

        past = browser.post(address, {**typed, "evaluated_on": "2026-05-27"})
        assert told in Page(browser.get(past.location)).text
        usual = browser.post(address, {**typed, "evaluated_on": today().isoformat()})
        assert "année scolaire passée" not in Page(browser.get(usual.location)).text

    def test_create_evaluation_the_fiche_of_another_pupil_is_refused(
        self, app: Flask, as_: As, classroom: Class, own: str, typed: dict[str, Any]
    ) -> None:
        set_up(app, lambda session: session.add(make_fiche(session.get_one(Student, classroom.mate))))
        uid = next(row["origin_uid"] for row in rows(app, Fiche) if row["student_id"] == classroom.mate)

        answer = as_("teacher").post(f"{own}/evaluations/nouvelle", {**typed, "fiche": uid})

        assert answer.status_code == 422
        assert "Cette fiche n’existe plus" in Page(answer).error("fiche")

    def test_create_evaluation_a_division_without_diploma_has_no_list(
        self, app: Flask, as_: As, classroom: Class, own: str, typed: dict[str, Any]
    ) -> None:
        set_up(app, lambda session: setattr(session.get_one(Division, classroom.division), "diploma_id", None))
        browser = as_("teacher")

        assert "Aucune liste de compétences" in browser.get(f"{own}/evaluations/nouvelle").text
        assert browser.post(f"{own}/evaluations/nouvelle", typed).status_code == 422


class TestUpdateEvaluation:
    def test_update_evaluation_another_teacher_of_the_division_cannot(
        self, app: Flask, as_: As, classroom: Class, own: str, typed: dict[str, Any], world: World
    ) -> None:
        def give_away(session: Session) -> None:
            row = session.get_one(Evaluation, classroom.evaluation)
            row.author_id, row.author_label = world.a.account_ids["head"], "Une collègue"

        set_up(app, give_away)
        browser = as_("teacher")

        with nothing_written(app):
            answer = browser.post(f"{own}/evaluations/{classroom.evaluation}/modifier", typed)

        assert answer.status_code == 403
        assert "Une collègue" in Page(answer).text

    def test_update_evaluation_what_it_named_may_stay_whatever_became_of_it(
        self, app: Flask, as_: As, classroom: Class, own: str
    ) -> None:
        """The pupil has gone to a division of another diploma, with the same teacher."""
        browser, address = as_("teacher"), f"{own}/evaluations/{classroom.evaluation}/modifier"
        form = Page(browser.get(address)).values()
        set_up(app, lambda session: setattr(session.get_one(Division, classroom.division), "diploma_id", None))

        answer = browser.post(address, {**form, "level": "4"})

        row = next(row for row in rows(app, Evaluation) if row["id"] == classroom.evaluation)
        assert answer.status_code == 303
        assert (row["level"], row["competence_code"]) == (4, "C1")

    def test_update_bilan_what_each_window_changed_of_a_bilan_is_kept(
        self, as_: As, classroom: Class, own: str
    ) -> None:
        address = f"{own}/bilans/{classroom.bilan}/modifier"

        bilan = Shared(address, "body", ("Un", "Deux", "Trois"), ("ends_on", "2026-10-30"))

        play(as_("teacher"), as_("teacher"), bilan)

    def test_update_evaluation_what_each_window_changed_is_kept(self, as_: As, classroom: Class, own: str) -> None:
        address = f"{own}/evaluations/{classroom.evaluation}/modifier"

        play(
            as_("teacher"),
            as_("teacher"),
            Shared(address, "level", ("4", "1", "3"), ("evaluated_on", "2026-09-17")),
        )

    def test_update_evaluation_two_windows_on_one_evaluation(
        self, app: Flask, as_: As, classroom: Class, own: str
    ) -> None:
        browser, address = as_("teacher"), f"{own}/evaluations/{classroom.evaluation}/modifier"
        form = Page(browser.get(address)).values()
        browser.post(address, {**form, "level": "4", "evaluated_on": "2026-09-17"})

        answer = browser.post(address, {**form, "level": "1", "evaluated_on": "2026-09-16"})

        assert answer.status_code == 409
        assert "Quelqu’un a enregistré cette page entre-temps" in Page(answer).text
        assert Page(answer).clashes() == [
            ["Niveau", "4 – très bonne maîtrise", "1 – maîtrise insuffisante"],
            ["Jour de l’évaluation", "17/09/2026", "16/09/2026"],
        ]
        assert next(row["level"] for row in rows(app, Evaluation) if row["id"] == classroom.evaluation) == 4


class TestSaveDivision:
    def test_save_division_each_chosen_level_is_an_evaluation(
        self, app: Flask, as_: As, classroom: Class, typed: dict[str, Any], platform: Look
    ) -> None:
        browser = as_("teacher")
        before = len(rows(app, Evaluation))

        answer = browser.post(
            f"/eleves/evaluer/{classroom.division}",
            {**typed, f"niveau-{classroom.own}": "4", f"niveau-{classroom.mate}": "2"},
        )

        new = rows(app, Evaluation)[before:]
        told = f"2 apprenants, {new[0]['competence_code']}, le {new[0]['evaluated_on']:%d/%m/%Y}"
        assert answer.status_code == 303
        assert f"Évaluations enregistrées en 2ALP : {told}." in Page(browser.get(answer.location)).text
        assert {(row["student_id"], row["level"]) for row in new} == {(classroom.own, 4), (classroom.mate, 2)}
        assert len({row["origin_uid"] for row in new}) == 2
        with platform() as session:
            line = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()
        assert (line.action, line.object_label, line.changes) == (
            "evaluation:division",
            "2ALP",
            {"evaluated": [None, told]},
        )

    def test_save_division_all_or_nothing(self, app: Flask, as_: As, classroom: Class, typed: dict[str, Any]) -> None:
        browser = as_("teacher")
        levels = {f"niveau-{classroom.own}": "4", f"niveau-{classroom.mate}": "7"}

        with nothing_written(app):
            answer = browser.post(f"/eleves/evaluer/{classroom.division}", {**typed, **levels})

        page = Page(answer)
        assert answer.status_code == 422
        assert "Choisissez un niveau de 1 à 4" in page.text
        assert f"niveau-{classroom.own}" in answer.text and 'value="4" selected' in answer.text

    @pytest.mark.parametrize("who", ["gone", "stranger", "elsewhere"])
    def test_save_division_a_pupil_from_outside_the_division_is_not_evaluated(
        self, app: Flask, as_: As, classroom: Class, typed: dict[str, Any], who: str
    ) -> None:
        browser = as_("teacher")

        with nothing_written(app):
            answer = browser.post(
                f"/eleves/evaluer/{classroom.division}", {**typed, f"niveau-{getattr(classroom, who)}": "4"}
            )

        assert answer.status_code == 422
        assert "n’est plus dans la division" in Page(answer).text

    def test_save_division_no_pupil_chosen_is_reported(
        self, app: Flask, as_: As, classroom: Class, typed: dict[str, Any]
    ) -> None:
        browser = as_("teacher")

        with nothing_written(app):
            answer = browser.post(f"/eleves/evaluer/{classroom.division}", {**typed, "niveau-x": "1", "niveau-": "1"})

        assert answer.status_code == 422
        assert "Donnez un niveau à un apprenant au moins" in Page(answer).text


class TestCreateBilan:
    TYPED = {"starts_on": "2026-09-01", "ends_on": "2026-09-30", "body": "Un **bon** départ"}

    def test_bilan_is_written_corrected_and_deleted(self, app: Flask, as_: As, classroom: Class, own: str) -> None:
        browser = as_("teacher")
        browser.post(f"{own}/bilans/nouveau", self.TYPED)
        row = rows(app, Bilan)[-1]
        assert row["body"] == "<p>Un <strong>bon</strong> départ</p>"

        address = f"{own}/bilans/{row['id']}"
        browser.post(f"{address}/modifier", {**self.TYPED, "body": "Autre"})
        assert rows(app, Bilan)[-1]["body"] == "<p>Autre</p>"
        assert "Supprimer le bilan" in browser.get(f"{address}/supprimer").text
        browser.post(f"{address}/supprimer")
        assert row["id"] not in {each["id"] for each in rows(app, Bilan)}

    @pytest.mark.parametrize(
        ("typed", "field"),
        [
            ({"body": ""}, "body"),
            ({"body": "  \n "}, "body"),
            ({"body": "x" * 20_001}, "body"),
            ({"ends_on": "2026-08-01"}, "ends_on"),
            ({"starts_on": ""}, "starts_on"),
        ],
    )
    def test_create_bilan_what_is_refused_is_reported_beside_its_field(
        self, app: Flask, as_: As, own: str, typed: dict[str, str], field: str
    ) -> None:
        browser = as_("teacher")

        with nothing_written(app):
            answer = browser.post(f"{own}/bilans/nouveau", {**self.TYPED, **typed})

        assert answer.status_code == 422
        assert Page(answer).error(field)


class TestFindUsed:
    def test_find_used_an_evaluated_competence_is_in_use(self, app: Flask, classroom: Class, world: World) -> None:
        with app.app_context():
            tenancy.enter(tenancy.Scope(world.a.id))

            assert find_used([*classroom.competences, classroom.foreign_competence]) >= {classroom.competences[0]}
            assert classroom.foreign_competence not in find_used([classroom.foreign_competence])

    def test_find_used_the_database_keeps_it_too(self, app: Flask, classroom: Class) -> None:
        from sqlalchemy.exc import IntegrityError

        with pytest.raises(IntegrityError):
            set_up(app, lambda session: session.delete(session.get_one(Competence, classroom.competences[0])))
