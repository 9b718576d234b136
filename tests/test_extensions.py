"""What rules ask of the application they run in: its own settings, whichever others live in the process."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from cpro.extensions import application

pytestmark = pytest.mark.unit


def application_with(**settings: object) -> Flask:
    made = Flask(__name__)
    made.config.from_mapping(settings)
    return made


class TestApplication:
    def test_application_two_in_one_process_keep_their_own_settings(self) -> None:
        first, second = application_with(CPRO_UPLOADS="/srv/a"), application_with(CPRO_UPLOADS="/srv/b")

        with first.app_context():
            assert application.uploads == Path("/srv/a")
            with second.app_context():
                assert (application.uploads, application.flask) == (Path("/srv/b"), second)
            assert (application.uploads, application.flask) == (Path("/srv/a"), first)

    def test_application_without_one_no_setting_is_guessed(self) -> None:
        with pytest.raises(RuntimeError, match="application context"):
            assert application.uploads

    def test_application_answers_within_a_request_only(self) -> None:
        made = application_with()

        assert not application.is_answering
        with made.app_context():
            assert not application.is_answering
        with made.test_request_context():
            assert application.is_answering
