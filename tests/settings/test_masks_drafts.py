"""Wordings typed and not saved: kept while one looks at another diploma, whoever does it without a script too."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from cpro.audit.models import AuditEntry
from cpro.core.drafts.models import Draft
from cpro.masks.models import Mask
from tests.factories import World, make_diploma
from tests.helpers.browser import Browser
from tests.helpers.drafts import KEEP, opened, says_found
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, rows

As = Callable[..., Browser]
MELEC, CAP = "/admin/parametres/masques?diplome=40025520", "/admin/parametres/masques?diplome=CAP-X"
SHOW = {"geste": "vers", "vers": "CAP-X"}
TYPED = "Intitulé en cours"


@pytest.fixture(autouse=True)
def another_diploma(world: World, arrange: Callable[[], AbstractContextManager[Session]]) -> None:
    with arrange() as session:
        session.add(make_diploma(code="CAP-X", label="CAP d’essai", short_label="CAP X"))


class TestEditMasksOfAnotherDiploma:
    def test_edit_masks_what_was_typed_waits_as_a_draft(self, as_: As, app: Flask) -> None:
        browser = as_("administrator")
        before = rows(app, Mask)

        answer = browser.post(MELEC, {**opened(browser, MELEC), "links": TYPED, **SHOW})

        assert (answer.status_code, answer.location) == (303, CAP)
        page = browser.get(CAP)
        assert TYPED not in page.text
        assert "Ce que vous aviez saisi pour le Bac pro MELEC est gardé comme brouillon" in Page(page).text
        assert opened(browser, MELEC)["links"] == TYPED
        assert says_found(browser.get(MELEC))
        assert rows(app, Mask) == before

    def test_edit_masks_nothing_typed_leaves_no_draft(self, as_: As, app: Flask) -> None:
        browser = as_("administrator")
        values = opened(browser, MELEC)
        with nothing_written(app):
            assert browser.post(MELEC, {**values, **SHOW}).location == CAP

    def test_edit_masks_one_that_does_not_exist_is_a_404(self, as_: As, app: Flask) -> None:
        browser = as_("administrator")
        values = opened(browser, MELEC)
        with nothing_written(app):
            answer = browser.post(MELEC, {**values, "links": TYPED, "geste": "vers", "vers": "AILLEURS"})
        assert answer.status_code == 404

    def test_edit_masks_the_page_offers_it_by_a_list_and_a_button_and_nothing_sends_itself(self, as_: As) -> None:
        page = Page(as_("administrator").get(MELEC))

        [choice] = [each for each in page.main.iter("select") if each.get("id") == "diplome"]
        assert choice.get("form") == "intitules"
        buttons = [each for each in page.main.iter("button") if each.get("form") == "intitules"]
        assert [each.get("value") for each in buttons if each.text == "Afficher"] == ["vers"]
        assert buttons[0].text == "Valider", "what Enter presses in a field"
        assert not any("autosubmit" in name for each in page.main.iter() for name in each.attrib)

    def test_edit_masks_the_head_chooses_by_a_plain_form(self, as_: As) -> None:
        page = Page(as_("head").get(MELEC))

        [choice] = [each for each in page.main.iter("select") if each.get("id") == "diplome"]
        assert (choice.get("name"), choice.get("form")) == ("diplome", None)
        assert not any(each.get("data-draft") is not None for each in page.main.iter("form"))


class TestMasksDraft:
    def test_masks_draft_is_of_one_diploma_and_ends_when_saved(self, as_: As, app: Flask) -> None:
        browser = as_("administrator")
        browser.post(MELEC, {**opened(browser, MELEC), "links": TYPED, **KEEP})
        assert not says_found(browser.get(CAP))

        assert browser.post(MELEC, opened(browser, MELEC)).status_code == 303

        assert TYPED in [row["wording"] for row in rows(app, Mask)]
        assert not says_found(browser.get(MELEC))
        assert rows(app, Draft) == [] or all(row["fields"] == [] for row in rows(app, Draft))

    @pytest.mark.parametrize("role", ["head", "teacher", "student"])
    def test_masks_draft_roles_that_may_not_write_keep_none(self, as_: As, app: Flask, role: str) -> None:
        browser = as_(role)
        for posted in (KEEP, SHOW):
            with nothing_written(app):
                assert browser.post(MELEC, {"links": TYPED, **posted}).status_code == 403

    def test_masks_draft_shows_to_no_role_in_another_school(self, as_: As) -> None:
        browser = as_("administrator")
        browser.post(MELEC, {**opened(browser, MELEC), "links": TYPED, **KEEP})

        assert TYPED not in as_("administrator", "b").get(MELEC).text
        assert TYPED not in as_("head").get(MELEC).text


class TestMasksDraftReplaced:
    """What replaces the wordings ends the drafts of their form: one « Valider » must not put back what was erased."""

    URL = "/admin/parametres/masques"

    @pytest.fixture
    def drafted(self, as_: As) -> Browser:
        """Return the administrator, who saved one wording, then typed another and left both diplomas as drafts."""
        browser = as_("administrator")
        browser.post(MELEC, {**opened(browser, MELEC), "links": "Premier intitulé"})
        browser.post(MELEC, {**opened(browser, MELEC), "links": TYPED, **KEEP})
        browser.post(CAP, {**opened(browser, CAP), "links": TYPED, **KEEP})
        assert says_found(browser.get(MELEC))
        return browser

    @pytest.mark.parametrize("key", ["", "links"])
    def test_reset_masks_forgets_the_draft_of_that_diploma(self, app: Flask, drafted: Browser, key: str) -> None:
        asked = {"diplome": "40025520", **({"key": key} if key else {})}
        assert drafted.post(f"{self.URL}/reinitialiser", asked).status_code == 303

        assert opened(drafted, MELEC)["links"] == ""
        assert not says_found(drafted.get(MELEC))
        drafted.post(MELEC, opened(drafted, MELEC))
        assert TYPED not in [row["wording"] for row in rows(app, Mask)]
        assert says_found(drafted.get(CAP)), "the draft of another diploma stays"

    def test_reset_masks_already_in_place_forgets_the_draft_too(self, drafted: Browser) -> None:
        drafted.post(f"{self.URL}/reinitialiser", {"diplome": "CAP-X"})

        assert not says_found(drafted.get(CAP))

    def test_reset_masks_only_asked_keeps_the_draft(self, drafted: Browser) -> None:
        page = Page(drafted.get(f"{self.URL}/reinitialiser?diplome=40025520"))

        assert "brouillon" in page.text
        assert says_found(drafted.get(MELEC))

    def test_restore_masks_forgets_the_draft_of_that_diploma(self, app: Flask, drafted: Browser) -> None:
        entry = next(row["id"] for row in reversed(rows(app, AuditEntry)) if row["action"] == "masks:changed")
        address = f"/admin/parametres/historique/{entry}/retablir"
        values = drafted.form(address)

        assert drafted.post(address, values).status_code == 303

        assert opened(drafted, MELEC)["links"] == "Liens de alpha"
        assert not says_found(drafted.get(MELEC))
        assert says_found(drafted.get(CAP))
