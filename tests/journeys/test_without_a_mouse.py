"""A first day, an inspector's visit, a teacher's week: by keyboard at 320 pixels, with the site's script or without."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.chromium import started
from tests.helpers.mail_server import Sink
from tests.journeys import steps, test_first_day, test_inspectors_visit, test_teachers_week
from tests.journeys.conftest import empty_database
from tests.journeys.keyboard import Seats
from tests.journeys.live import live


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])
def test_without_a_mouse(tmp_path: Path, javascript: bool) -> None:
    server = Sink()
    server.start()
    with (
        empty_database(tmp_path) as address,
        live(tmp_path, address, mail_server=server) as platform,
        started() as chromium,
    ):
        platform.browse = seats = Seats(chromium, javascript=javascript)
        administrator, head = test_first_day.play(platform)
        test_inspectors_visit.play(platform, server, administrator, head)
        teacher = steps.sign_in(platform, "teacher", school="curie", login=test_teachers_week.TEACHER)
        colleague = steps.sign_in(platform, "colleague", school="curie", login=test_teachers_week.COLLEAGUE)
        pupil = steps.sign_in(platform, "pupil", school="curie", login=test_teachers_week.PUPIL)
        test_teachers_week.play(platform, administrator, teacher, colleague, pupil)

        assert [complaint for each in seats.taken for complaint in each.complaints] == []
    server.stop()
