"""« Nouveautés » of the settings: what others changed, old and new, to whoever reads the page that shows it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session

from cpro.audit.operations import About, record
from cpro.core.permissions import Actor
from cpro.site.news.settings import SETTINGS
from tests.factories import World
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.site.news.conftest import PAGE, bell

As = Callable[..., Browser]
Arrange = Callable[[], AbstractContextManager[Session]]
SUPPORT = Actor("system", None, "Commande", "system", "test")
SCHOOL = ("establishment", 1, "Lycée alpha")
#: action, what it is about, what changed, the sentence, where it leads for the head and for the administrator
CASES = [
    (
        "establishment:transfers:changed",
        SCHOOL,
        {"cnil_reference": ("1234567", "7654321"), "transfers_enabled": (True, False)},
        "dans le registre : 1234567 → 7654321, Activer les transferts : Oui → Non).",
        "/admin/parametres/transferts",
        "/admin/parametres/transferts",
    ),
    (
        "establishment:particulars:changed",
        SCHOOL,
        {"city": ("Metz", "Nancy")},
        "Commande a modifié les renseignements de l’établissement (Ville : Metz → Nancy).",
        "/admin/parametres/etablissement",
        "/admin/parametres/etablissement",
    ),
    (
        "establishment:modules:switched",
        SCHOOL,
        {"passport": (True, False)},
        "Commande a activé ou désactivé des modules (Module Passeport : Oui → Non).",
        "/admin/parametres/modules",
        "/admin/journal/details/?id=",
    ),
    (
        "establishment:retention:changed",
        SCHOOL,
        {"retention_years": (5, 2)},
        "Commande a réglé la durée de conservation (Conservation après le départ : 5 ans → 2 ans).",
        "/admin/parametres/conservation",
        "/admin/parametres/conservation",
    ),
    (
        "masks:reset",
        ("masks", "40025520", "Bac pro MELEC"),
        {},
        "Commande a rétabli les intitulés d’origine : Bac pro MELEC.",
        "/admin/parametres/masques?diplome=40025520",
        "/admin/parametres/masques?diplome=40025520",
    ),
    (
        "picture:logo:deposited",
        ("picture", "logo", "logo"),
        {"version": (None, 3)},
        "Commande a déposé le logo",
        "/admin/parametres/logo",
        "/admin/parametres/logo",
    ),
    (
        "picture:cachet:deleted",
        ("picture", "cachet", "cachet"),
        {"version": (None, 4)},
        "Commande a supprimé le cachet",
        "/admin/parametres/logo",
        "/admin/parametres/logo",
    ),
]


@pytest.fixture
def change(arrange: Arrange, world: World) -> Callable[..., None]:
    """Return what writes a line of the journal of school A."""

    def write(action: str, about: tuple[str, object, str], changes: object, by: Actor = SUPPORT) -> None:
        with arrange() as session:
            values = {"changes": changes, "establishment_id": world.a.id, "session": session}
            record(action, About(*about), by=by, now=datetime.now(UTC), **values)

    return write


class TestSettings:
    @pytest.mark.parametrize(("action", "about", "changes", "told", "to_head", "to_administrator"), CASES)
    def test_settings_are_told_to_the_head_and_the_administrator(
        self, as_: As, change: Callable[..., None], action: str, about: object, changes: object,
        told: str, to_head: str, to_administrator: str,
    ) -> None:  # fmt: skip
        change(action, about, changes)

        for role, address in (("head", to_head), ("administrator", to_administrator)):
            browser = as_(role)
            page = Page(browser.get(PAGE))
            assert told in page.text, page.text
            [link] = [each for each in page.links if each.startswith(address)]
            assert browser.get(link, follow_redirects=True).status_code == 200
            assert bell(browser) == "Nouveautés 1 à lire"

    @pytest.mark.parametrize(("action", "about", "changes"), [case[:3] for case in CASES])
    def test_settings_are_not_told_to_others(
        self, as_: As, change: Callable[..., None], action: str, about: object, changes: object
    ) -> None:
        change(action, about, changes)

        for role, school in (("teacher", "a"), ("student", "a"), ("head", "b"), ("administrator", "b")):
            browser = as_(role, school)
            assert "Commande" not in Page(browser.get(PAGE)).text
            assert bell(browser) == "Nouveautés"

    def test_settings_that_one_changed_oneself_are_not_told(self, as_: As, world: World) -> None:
        administrator, head = as_("administrator"), as_("head")
        page = "/admin/parametres/etablissement"
        values = Page(administrator.get(page)).values() | {"city": "Nancy"}
        assert administrator.post(page, values).status_code == 303

        assert bell(administrator) == "Nouveautés"
        assert "Nancy" not in Page(administrator.get(PAGE)).text
        assert "Alix GRANITE a modifié les renseignements de l’établissement (" in Page(head.get(PAGE)).text

    def test_settings_that_changed_much_tell_the_first_changes(self, as_: As, change: Callable[..., None]) -> None:
        names = ("city", "address", "postal_code", "phone")
        change("establishment:particulars:changed", SCHOOL, {name: ("avant", f"nouveau {name}") for name in names})

        text = Page(as_("head").get(PAGE)).text

        assert "nouveau postal_code…)" in text and "nouveau phone" not in text


def test_settings_ask_for_the_right_of_the_page_that_they_lead_to() -> None:
    from cpro.settings.history.parts import PARTS

    told = {action for kind in SETTINGS for action in kind.actions}

    assert {action for part in PARTS for action in part.actions} - told <= {"picture:logo:cleared"}
