"""Conservation: the setting, what the head is shown, what the night deletes, killed or done twice."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.audit.models import AuditEntry
from cpro.core.jobs.housekeeping import run_housekeeping
from cpro.core.transactions import platform_unit_of_work
from cpro.records.models import Bilan, Evaluation, Fiche
from cpro.records.operations import retention
from cpro.records.operations.retention import delete_expired, get_deletion_day, list_schools_to_expire
from cpro.students.models import Student
from cpro.students.queries import kept_since
from tests.factories import NOW, TESTER, World
from tests.helpers.browser import Browser
from tests.helpers.records import set_school, set_up, watching
from tests.helpers.retention import backdate, give, leave, night, owners
from tests.records.conftest import MARKER, Class

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]
#: three years and a day before NOW, and three years
TOO_LONG, JUST = date(2023, 10, 4), date(2023, 10, 5)


class TestGetDeletionDay:
    @pytest.mark.parametrize(
        ("departed_on", "years", "day"),
        [
            (date(2023, 10, 4), 3, date(2026, 10, 5)),
            (date(2024, 2, 29), 3, date(2027, 3, 1)),
            (date(2024, 2, 28), 1, date(2025, 3, 1)),
            (date(2025, 2, 28), 3, date(2028, 3, 1)),
            (date(2025, 12, 31), 1, date(2027, 1, 1)),
        ],
    )
    def test_get_deletion_day_the_day_announced_is_the_first_on_which_they_go(
        self, departed_on: date, years: int, day: date
    ) -> None:
        assert get_deletion_day(departed_on, years) == day
        assert kept_since(years, day) > departed_on >= kept_since(years, day - timedelta(days=1))

    def test_get_deletion_day_every_day_of_four_years_agrees(self) -> None:
        for offset in range(4 * 366):
            departed_on = date(2023, 1, 1) + timedelta(days=offset)
            day = get_deletion_day(departed_on, 2)
            assert kept_since(2, day) > departed_on >= kept_since(2, day - timedelta(days=1)), departed_on


class TestDeleteExpired:
    def test_delete_expired_only_those_gone_for_too_long_lose_theirs(self, app: Flask, classroom: Class) -> None:
        for student_id in (classroom.gone, classroom.mate, classroom.stranger, classroom.elsewhere):
            give(app, student_id)
        leave(app, classroom.gone, TOO_LONG)
        leave(app, classroom.mate, JUST)
        leave(app, classroom.stranger, None)

        night(app)

        kept = {classroom.own, classroom.mate, classroom.stranger, classroom.elsewhere}
        assert owners(app) == {"fiche": kept, "evaluation": kept, "bilan": kept}

    @pytest.mark.parametrize(
        ("written", "created", "kept"),
        [
            # Without a day of departure, three years from the end of the school year: over on 31/08/2023, then 2024.
            (datetime(2022, 9, 1, tzinfo=UTC), datetime(2022, 8, 20, tzinfo=UTC), False),
            (datetime(2023, 8, 31, 23, tzinfo=UTC), datetime(2020, 9, 1, tzinfo=UTC), False),
            (datetime(2023, 9, 1, tzinfo=UTC), datetime(2020, 9, 1, tzinfo=UTC), True),
            (datetime(2020, 9, 1, tzinfo=UTC), datetime(2023, 9, 1, tzinfo=UTC), True),
        ],
    )
    @pytest.mark.parametrize("kind", [Fiche, Evaluation, Bilan])
    def test_delete_expired_without_a_day_of_departure_the_last_school_year_counts(
        self, app: Flask, classroom: Class, kind: Any, written: datetime, created: datetime, kept: bool
    ) -> None:
        give(app, classroom.gone)
        leave(app, classroom.gone, None)
        backdate(app, classroom.gone, created=created, written={kind: written})
        with app.app_context():
            announced = list_schools_to_expire(NOW)

        night(app)

        assert (classroom.gone in owners(app)[kind.__tablename__]) is kept
        assert bool(announced) is not kept

    def test_delete_expired_a_pupil_who_came_back_keeps_all(self, app: Flask, classroom: Class) -> None:
        give(app, classroom.gone)
        set_up(app, lambda session: setattr(session.get_one(Student, classroom.gone), "departed_on", TOO_LONG))
        set_up(app, lambda session: setattr(session.get_one(Student, classroom.gone), "is_active", True))

        night(app)

        assert classroom.gone in owners(app)["fiche"]

    def test_delete_expired_each_school_has_its_years(self, app: Flask, classroom: Class, world: World) -> None:
        give(app, classroom.gone)
        give(app, classroom.elsewhere)
        leave(app, classroom.gone, date(2025, 10, 1))
        leave(app, classroom.elsewhere, date(2025, 10, 1))
        set_school(app, world.b.id, retention_years=1)

        night(app)

        assert classroom.gone in owners(app)["fiche"]
        assert classroom.elsewhere not in owners(app)["fiche"]

    @pytest.mark.parametrize(
        ("timezone", "is_kept"), [("America/Cayenne", True), ("", False), ("Pacific/Noumea", False)]
    )
    def test_delete_expired_overseas_the_day_is_that_of_the_school(
        self, app: Flask, classroom: Class, world: World, timezone: str, is_kept: bool
    ) -> None:
        give(app, classroom.gone)
        leave(app, classroom.gone, JUST)
        set_school(app, world.a.id, timezone=timezone)
        # The fifth of October 2026, 22:00 in Cayenne, is the sixth in Paris and in Nouméa.
        late = datetime(2026, 10, 6, 1, tzinfo=UTC)

        night(app, late)

        assert (classroom.gone in owners(app)["fiche"]) is is_kept

    def test_delete_expired_the_journal_records_how_many_never_whose(
        self, app: Flask, classroom: Class, world: World, platform: Look
    ) -> None:
        give(app, classroom.gone)
        leave(app, classroom.gone, TOO_LONG)

        night(app)

        with platform() as session:
            (line,) = session.scalars(select(AuditEntry).where(AuditEntry.action == "records:expired")).all()
        assert (line.establishment_id, line.object_label) == (world.a.id, "Anciens apprenants")
        assert line.changes == {
            "pupils": [None, 1],
            "fiches": [None, 1],
            "evaluations": [None, 1],
            "bilans": [None, 1],
        }
        assert MARKER not in str(line.changes)

    def test_delete_expired_twice_records_and_deletes_nothing_more(self, app: Flask, classroom: Class) -> None:
        give(app, classroom.gone)
        leave(app, classroom.gone, TOO_LONG)
        night(app)

        with watching(app) as watch:
            night(app)

        assert watch.lines == []
        assert not {"fiche", "evaluation", "bilan"} & watch.changed

    def test_delete_expired_killed_between_two_schools_the_next_night_ends_it(
        self, app: Flask, classroom: Class, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for student_id in (classroom.gone, classroom.elsewhere):
            give(app, student_id)
            leave(app, student_id, TOO_LONG)

        def die(session: Session, establishment_id: int, **values: Any) -> Any:
            done = delete_expired(session, establishment_id, **values)
            if establishment_id == world.b.id:
                raise SystemExit  # as a process killed before its commit
            return done

        monkeypatch.setattr(retention, "delete_expired", die)
        with pytest.raises(SystemExit):
            night(app)
        monkeypatch.undo()
        assert classroom.gone not in owners(app)["fiche"]
        assert {classroom.elsewhere} <= owners(app)["fiche"] & owners(app)["evaluation"] & owners(app)["bilan"]

        with time_machine.travel(NOW + timedelta(days=1), tick=True), app.app_context():
            run_housekeeping()  # gives back the job whose worker died
        night(app, NOW + timedelta(days=1))

        assert classroom.elsewhere not in owners(app)["fiche"]

    def test_delete_expired_the_years_are_read_under_the_lock(self, app: Flask, classroom: Class, world: World) -> None:
        """A head who lengthens the period while the night is running loses nothing."""
        set_school(app, world.a.id, retention_years=1)
        give(app, classroom.gone)
        leave(app, classroom.gone, date(2025, 1, 1))
        with app.app_context():
            assert list_schools_to_expire(NOW) == [world.a.id]
        set_school(app, world.a.id, retention_years=3)

        with app.app_context(), platform_unit_of_work("test") as work:
            figures = delete_expired(work.session, world.a.id, by=TESTER, now=NOW)

        assert (figures.pupils, figures.records) == (0, 0)
        assert classroom.gone in owners(app)["fiche"]


class TestRetentionWithoutINE:
    def test_retention_the_list_of_pupils_without_ine_obeys_the_same_setting(
        self, app: Flask, as_: As, classroom: Class, world: World
    ) -> None:
        def change(session: Session) -> None:
            student = session.get_one(Student, classroom.gone)
            student.ine, student.departed_on = None, date(2025, 1, 1)

        set_up(app, change)
        with time_machine.travel(datetime(2026, 10, 5, 9, tzinfo=UTC), tick=True):
            browser = as_("head")
            assert "DÉPART" in browser.get("/admin/eleves-sans-ine").text
            set_school(app, world.a.id, retention_years=1)
            assert "DÉPART" not in browser.get("/admin/eleves-sans-ine").text
