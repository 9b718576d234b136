"""Each setting of a school is read somewhere: outside the form that writes it, its history, its record, the journal."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from cpro.config import UnusableSetting, load_settings
from cpro.establishments.models import Establishment
from cpro.establishments.web.forms import ParticularsForm, TransfersForm
from cpro.students.models import Student
from tests.factories import World
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.test_odd_values import Crawl

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]

#: A value of each column that is nowhere else in the world of the tests.
MARKERS = {
    "name": "Lycée Marqueur-nom",
    "uai": "0999777R",
    "email": "marqueur-ecole@marque.example",
    "kind": "Marqueur-type",
    "address_line1": "1 rue Marqueur-adresse",
    "address_line2": "Bâtiment Marqueur-complément",
    "postal_code": "98765",
    "city": "Marqueur-ville",
    "phone": "04 71 98 76 54",
    "website": "https://marqueur-site.example/",
    "academy": "Marqueur-académie",
    "dpd_name": "Marqueur-délégué",
    "dpd_email": "marqueur-dpd@marque.example",
    "dreets": "Marqueur-dreets",
    "mcpfa": "Marqueur-mcpfa",
    "greta_cfa": "Marqueur-greta",
}
#: Columns whose effect is no text of a page, and the test that holds it.
ACT_OTHERWISE = {
    "signatory_name": "printed: tests/passport/test_pdf.py",
    "signatory_function": "printed: tests/passport/test_pdf.py",
    "timezone": "every instant: tests/audit/test_labels.py and tests/settings/test_establishment.py",
    "cnil_kind": "says which reference is asked before transfers: tests/settings/test_transfers.py",
    "cnil_reference": "transfers are off without one: tests/settings/test_transfers.py",
    "transfers_enabled": "tests/transfers",
    "uses_siecle": "tests/students/test_operations.py",
}
#: Where a setting is written, or kept as it was written.
OWN_PAGES = (
    "/admin/parametres/etablissement",
    "/admin/parametres/historique",
    "/admin/etablissements/",
    "/admin/journal/",
)


def test_settings_read_covers_each_column_of_the_forms() -> None:
    asked = {
        name
        for form in (ParticularsForm, TransfersForm)
        for name, field in vars(form).items()
        if hasattr(field, "field_class") and name not in ("version", "current_password")
    }

    assert asked == {*MARKERS, *ACT_OTHERWISE}


@pytest.fixture
def marked(world: World, arrange: Look) -> World:
    """Give school A its markers, and its pupil an account."""
    with arrange() as session:
        school = session.get_one(Establishment, world.a.id)
        for name, value in MARKERS.items():
            setattr(school, name, value)
        session.get_one(Student, world.a.student_id).account_id = world.a.account_ids["student"]
    return world


@pytest.mark.slow
def test_settings_read_outside_their_own_form(as_: As, marked: World, browser: Callable[[], Browser]) -> None:
    said: dict[str, str] = {}
    for role in ("administrator", "head", "teacher", "student"):
        visitor = browser()
        visitor.sign_in(MARKERS["uai"], marked.logins[role], marked.password)
        said |= {
            f"{role} {path}": text for path, text in Crawl(visitor).texts.items() if not path.startswith(OWN_PAGES)
        }

    unread = [name for name, value in MARKERS.items() if not any(value in text for text in said.values())]

    assert unread == [], "these settings act on nothing"


class TestOwnSchool:
    def test_describe_own_school_a_pupil_reads_how_to_reach_their_school_and_who_helps_apprentices(
        self, as_: As, marked: World
    ) -> None:
        page = Page(as_("student").get("/eleves/moi", follow_redirects=True))

        assert "Mon établissement" in page.text
        for name in ("kind", "city", "phone", "academy", "dreets", "mcpfa", "greta_cfa", "email"):
            assert MARKERS[name] in page.text, name

    def test_describe_own_school_what_is_not_filled_is_not_named(self, as_: As, marked: World, arrange: Look) -> None:
        with arrange() as session:
            school = session.get_one(Establishment, marked.a.id)
            school.dreets = school.mcpfa = school.greta_cfa = school.phone = ""

        page = Page(as_("student").get("/eleves/moi", follow_redirects=True)).text

        assert "DREETS" not in page
        assert "Téléphone" not in page

    def test_describe_own_school_other_roles_than_pupils_have_no_such_part(self, as_: As, marked: World) -> None:
        page = as_("head").get(f"/eleves/{marked.a.student_id}").text

        assert "Mon établissement" not in page


class TestNotices:
    def test_privacy_names_the_dpd_of_ones_own_school(
        self, as_: As, marked: World, browser: Callable[[], Browser]
    ) -> None:
        own = as_("teacher").get("/mentions/donnees-personnelles").text
        other = as_("teacher", "b").get("/mentions/donnees-personnelles").text
        stranger = browser().get("/mentions/donnees-personnelles").text

        assert "Marqueur-délégué" in own
        assert 'href="mailto:marqueur-dpd@marque.example"' in own
        for page in (other, stranger):
            assert "arqueur-d" not in page
            assert "dont l’établissement vous donne les coordonnées" in page

    def test_accessibility_names_whom_the_platform_says(
        self, app: Flask, browser: Callable[[], Browser], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert "à l’administrateur de CPro" in browser().get("/mentions/accessibilite").text

        monkeypatch.setitem(app.config, "CPRO_CONTACT_EMAIL", "acces@cpro.example")

        assert 'href="mailto:acces@cpro.example"' in browser().get("/mentions/accessibilite").text

    @pytest.mark.parametrize("odd", ["personne", "a@b", "a b@c.example", "<a@b.example>", 'a@b.example"x'])
    def test_load_settings_what_is_no_address_prevents_the_start(self, odd: str, tmp_path: object) -> None:
        with pytest.raises(UnusableSetting, match="CPRO_CONTACT_EMAIL"):
            load_settings({"CPRO_CONTACT_EMAIL": odd, "CPRO_INSTANCE": str(tmp_path), "CPRO_UPLOADS": str(tmp_path)})
