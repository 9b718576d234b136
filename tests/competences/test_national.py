"""The national lists: those of the official texts, loaded as often as one likes, never changed by a school."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.competences import reader
from cpro.competences.models import Competence
from cpro.competences.national import find_source, list_national, load
from cpro.students.models import Diploma
from tests.competences.conftest import Diplomas
from tests.helpers.browser import Browser
from tests.helpers.records import nothing_written, rows, set_up

As = Callable[..., Browser]


def stored(app: Flask, diploma_id: int) -> list[tuple[str, str, int]]:
    found = [row for row in rows(app, Competence) if row["diploma_id"] == diploma_id]
    return [(row["code"], row["label"], row["position"]) for row in sorted(found, key=lambda row: row["position"])]


def stored_one(session: Session, diploma_id: int, code: str) -> Competence:
    return session.scalars(select(Competence).where(Competence.diploma_id == diploma_id, Competence.code == code)).one()


class TestListNational:
    """What each file of `lists/` must say: a newcomer adds a diploma by adding one."""

    def test_list_national_names_each_diploma_by_the_code_of_the_ministry_once(self) -> None:
        national = list_national()

        assert all(re.fullmatch(r"[0-9]{8}", each.code) for each in national)
        assert {"40025520", "50025524", "40025519"} <= {each.code for each in national}
        assert len({each.short_label for each in national}) == len(national)
        assert all(len(each.label) <= 150 and len(each.short_label) <= 60 for each in national)

    def test_list_national_says_where_each_list_was_read(self) -> None:
        for each in list_national():
            assert each.source.title.startswith("Arrêté du "), each.code
            assert urlsplit(each.source.address).scheme == "https", each.code
            assert date(1970, 1, 1) < each.source.dated < date(2026, 12, 1), each.code

    def test_list_national_writes_competences_as_people_read_them(self) -> None:
        for each in list_national():
            assert 5 <= len(each.competences) <= reader.MAX_RECORDS, each.code
            for record in each.competences:
                assert "'" not in record.label and not record.label.isupper(), (each.code, record)
                assert not record.label.endswith((".", " ")), (each.code, record)


class TestFindSource:
    def test_find_source_is_that_of_a_national_list_alone(self) -> None:
        national = Diploma(code="40025519", label="", short_label="")
        own = Diploma(code="40025519", label="", short_label="", establishment_id=1)

        found = find_source(national)

        assert found is not None and found.dated == date(2023, 2, 13)
        assert find_source(own) is None
        assert find_source(Diploma(code="INCONNU", label="", short_label="")) is None

    def test_find_source_is_shown_above_the_list_with_what_to_know_of_it(self, as_: As, diplomas: Diplomas) -> None:
        page = as_("administrator").get(diplomas.page("national")).text

        assert 'href="https://legal.tricoteuses.fr/articles/LEGIARTI000049248677"' in page
        assert "copies publiques du référentiel" in page
        assert "Source" not in as_("administrator").get(diplomas.page("own")).text


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
            stored_one(session, diplomas.national, "C2").label = "Gâté"

        set_up(app, spoil)

        set_up(app, lambda session: load(session))

        assert ("C2", "Organiser l’opération dans son contexte", 2) in stored(app, diplomas.national)

    @pytest.mark.parametrize("end", ["/deposer", "/coller", "/vider"])
    def test_check_not_national_keeps_them_from_a_school(
        self, app: Flask, as_: As, diplomas: Diplomas, end: str
    ) -> None:
        browser = as_("administrator")

        with nothing_written(app):
            assert browser.get(diplomas.page("national", end)).status_code == 403
            answer = browser.post(diplomas.page("national", end))

        assert answer.status_code == 403
        assert "La liste des compétences d’un diplôme national" in answer.text
