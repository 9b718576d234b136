"""The national lists: those of the official texts, loaded as often as one likes, never changed by a school."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.competences.models import Competence
from cpro.competences.national import load
from tests.competences.conftest import Diplomas
from tests.helpers.browser import Browser
from tests.helpers.records import nothing_written, rows, set_up

As = Callable[..., Browser]


def stored(app: Flask, diploma_id: int) -> list[tuple[str, str, int]]:
    found = [row for row in rows(app, Competence) if row["diploma_id"] == diploma_id]
    return [(row["code"], row["label"], row["position"]) for row in sorted(found, key=lambda row: row["position"])]


class TestLoad:
    def test_load_lists_are_those_of_the_official_texts(self, app: Flask, diplomas: Diplomas) -> None:
        codes = [code for code, _label, _position in stored(app, diplomas.national)]

        assert codes == [f"C{number}" for number in range(1, 14)]

    def test_load_twice_changes_nothing(self, app: Flask, diplomas: Diplomas) -> None:
        with nothing_written(app):
            outcome = app.test_cli_runner().invoke(args=["competences", "load"])

        assert outcome.exit_code == 0
        assert "0 compétence ajoutée" in outcome.output

    def test_load_corrects_what_was_changed(self, app: Flask, diplomas: Diplomas) -> None:
        def spoil(session: Session) -> None:
            session.scalars(select(Competence).where(Competence.code == "C2")).one().label = "Gâté"

        set_up(app, spoil)

        set_up(app, lambda session: load(session))

        assert ("C2", "Organiser l’opération dans son contexte", 2) in stored(app, diplomas.national)

    @pytest.mark.parametrize("end", ["/deposer", "/vider"])
    def test_check_not_national_keeps_them_from_a_school(
        self, app: Flask, as_: As, diplomas: Diplomas, end: str
    ) -> None:
        browser = as_("administrator")

        with nothing_written(app):
            assert browser.get(diplomas.page("national", end)).status_code == 403
            answer = browser.post(diplomas.page("national", end))

        assert answer.status_code == 403
        assert "La liste des compétences d’un diplôme national" in answer.text
