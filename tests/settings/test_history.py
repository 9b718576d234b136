"""The history of the settings: what changed, and « Rétablir » through the very operations of the tabs."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from PIL import Image

from cpro.audit.models import AuditEntry
from cpro.establishments.models import PictureVersion
from cpro.masks.models import Mask
from tests.factories import PASSWORD, World
from tests.helpers import pictures
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, rows, school_row, set_school, watching
from tests.helpers.uploads import undo

SETTINGS = "/admin/parametres"
HISTORY = f"{SETTINGS}/historique"
START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
As = Callable[..., Browser]


def last_line(app: Flask, action: str) -> dict[str, Any]:
    return [row for row in rows(app, AuditEntry) if row["action"] == action][-1]


def restore_url(app: Flask, action: str) -> str:
    return f"{HISTORY}/{last_line(app, action)['id']}/retablir"


def save(browser: Browser, **values: str) -> None:
    typed = {**browser.form(f"{SETTINGS}/etablissement"), "current_password": PASSWORD, **values}
    assert browser.post(f"{SETTINGS}/etablissement", typed).status_code == 303


def upload(browser: Browser, content: bytes) -> None:
    answer = browser.post(
        f"{SETTINGS}/logo/televerser/logo",
        {"file": (io.BytesIO(content), "logo.png")},
        content_type="multipart/form-data",
    )
    assert answer.status_code == 303


def reset_masks(browser: Browser) -> None:
    assert browser.post(f"{SETTINGS}/masques/reinitialiser", {"diplome": "40025520"}).status_code == 303


def shown(browser: Browser, address: str = f"{SETTINGS}/logo/image/logo") -> tuple[int, int] | int:
    """Return the size of a picture in pixels, or the status that says that there is none."""
    with browser.get(address) as answer:
        return Image.open(io.BytesIO(answer.data)).size if answer.status_code == 200 else answer.status_code


PARTICULARS, MASKS, DEPOSIT = "establishment:particulars:changed", "masks:reset", "picture:logo:deposited"


class TestRestoreRefused:
    @pytest.mark.parametrize("role", ["teacher", "student"])
    def test_restore_is_refused_to_others_who_read_nothing_either(self, app: Flask, as_: As, role: str) -> None:
        save(as_("administrator"), city="Metz")
        url, browser = restore_url(app, PARTICULARS), as_(role)

        assert [browser.get(page).status_code for page in (HISTORY, url)] == [403, 403]
        assert browser.post(url).status_code == 403

    def test_history_page_is_not_the_supports(self, app: Flask, as_: As) -> None:
        save(as_("administrator"), city="Metz")
        browser = as_("support", enter="a")

        assert browser.get(HISTORY).status_code == 403
        assert browser.post(restore_url(app, PARTICULARS)).status_code == 403

    def test_restore_the_head_reads_the_masks_history_but_only_the_administrator_restores(
        self, app: Flask, as_: As
    ) -> None:
        reset_masks(as_("administrator"))
        head, url = as_("head"), restore_url(app, MASKS)

        page = Page(head.get(f"{HISTORY}?de=masques"))
        answers = (head.get(url), head.post(url))

        assert "Seul l’administrateur de l’établissement peut rétablir" in page.text
        assert "Liens de alpha" in page.text
        assert [answer.status_code for answer in answers] == [403, 403]
        assert [mask["wording"] for mask in rows(app, Mask)] == ["Liens de beta"]

    def test_restore_another_schools_line_does_not_exist(self, app: Flask, as_: As, world: World) -> None:
        save(as_("administrator", "b"), city="Nancy")
        url, browser = restore_url(app, PARTICULARS), as_("administrator", "a")

        with nothing_written(app):
            assert browser.get(url).status_code == 404
            assert browser.post(url).status_code == 404
            assert "Nancy" not in browser.get(HISTORY).text

    def test_restore_another_schools_picture_does_not_exist(self, app: Flask, as_: As) -> None:
        upload(as_("administrator", "b"), pictures.png())
        upload(as_("administrator", "b"), pictures.png(20, 20))
        version = rows(app, PictureVersion)[0]["id"]

        assert shown(as_("administrator", "b"), f"{HISTORY}/image/{version}") == (64, 32)
        assert shown(as_("administrator", "a"), f"{HISTORY}/image/{version}") == 404

    @pytest.mark.parametrize("address", ["?de=nulle-part", "/999999/retablir", "/99999999999999999999/retablir"])
    def test_restore_what_does_not_exist_is_a_404(self, as_: As, address: str) -> None:
        assert as_("administrator").get(f"{HISTORY}{address}").status_code == 404

    def test_restore_a_line_that_is_no_setting_cannot_be_restored(self, app: Flask, as_: As) -> None:
        browser = as_("administrator")

        assert browser.get(restore_url(app, "account:signed-in")).status_code == 404


class TestHistoryPage:
    def test_history_page_says_what_changed_who_and_when_on_the_schools_clocks(
        self, app: Flask, as_: As, world: World
    ) -> None:
        set_school(app, world.a.id, timezone="Indian/Reunion")
        with time_machine.travel(START, tick=False):
            browser = as_("administrator")
            save(browser, city="Metz", email="")

            page = Page(browser.get(HISTORY))

        assert "Alix GRANITE a modifié les renseignements de l’établissement" in page.text
        assert "23/11/2026 à 13 h 00" in page.text
        assert "VilleMetz" in page.text
        assert "avant : (vide)" not in page.text
        assert "avant : contact@alpha.example → ; après : (vide)" in page.text

    @pytest.mark.parametrize("tab", ["etablissement", "transferts", "masques", "logo"])
    def test_history_page_each_tab_leads_to_its_own(self, as_: As, tab: str) -> None:
        browser = as_("administrator")

        assert f'href="{HISTORY}?de={tab}"' in browser.get(f"{SETTINGS}/{tab}").text
        assert browser.get(f"{HISTORY}?de={tab}").status_code == 200

    def test_history_page_the_support_is_not_led_to_it(self, as_: As) -> None:
        assert HISTORY not in as_("support", enter="a").get(f"{SETTINGS}/etablissement").text

    def test_history_page_is_cut_into_pages_that_stay_right(self, app: Flask, as_: As) -> None:
        browser = as_("administrator")
        for number in range(25):
            save(browser, city=f"Ville {number:02}")

        first, second = browser.get(HISTORY), browser.get(f"{HISTORY}?avant={rows(app, AuditEntry)[-20]['id']}")

        assert "Ville 24" in first.text
        assert "Page suivante" in first.text
        assert first.text.count("history-restore") == 20
        assert second.text.count("history-restore") == 5
        assert "Page suivante" not in second.text

    def test_history_page_without_a_line_promises_no_button(self, as_: As) -> None:
        assert "Rétablir" not in Page(as_("administrator").get(HISTORY)).text

    def test_history_page_the_transfers_switch_is_only_read(self, app: Flask, as_: As) -> None:
        browser = as_("administrator")
        form = browser.form(f"{SETTINGS}/transferts")
        browser.post(f"{SETTINGS}/transferts", {**form, "uses_siecle": "non"})

        page = Page(browser.get(f"{HISTORY}?de=transferts"))

        assert "avant : Oui → ; après : Non" in page.text
        assert "Ces changements ne se rétablissent pas d’ici" in page.text
        assert "Rétablir" not in page.text
        assert browser.get(restore_url(app, "establishment:transfers:changed")).status_code == 404


class TestRestoreParticulars:
    def test_restore_particulars_asks_first_naming_what_will_change(self, app: Flask, as_: As) -> None:
        browser = as_("head")
        save(browser, city="Metz", email="nouveau@alpha.example")

        with nothing_written(app):
            page = Page(browser.get(restore_url(app, PARTICULARS)))

        assert "Ville : « Metz » sera effacé, il n’y avait rien avant." in page.text
        assert "Adresse électronique : « nouveau@alpha.example » redeviendra « contact@alpha.example »." in page.text

    def test_restore_particulars_restores_the_old_values_of_that_change_and_nothing_else(
        self, app: Flask, as_: As, world: World
    ) -> None:
        browser = as_("administrator")
        save(browser, city="Metz", email="nouveau@alpha.example")
        url = restore_url(app, PARTICULARS)
        save(browser, academy="Nancy-Metz")

        form = {**browser.form(url), "current_password": PASSWORD}
        with watching(app) as watch:
            answer = browser.post(url, form)

        school = school_row(app, world.a.id)
        assert answer.status_code == 303
        assert (school["city"], school["email"], school["academy"]) == ("", "contact@alpha.example", "Nancy-Metz")
        assert watch.line["action"] == PARTICULARS
        assert watch.line["changes"] == {
            "city": ["Metz", ""],
            "email": ["nouveau@alpha.example", "contact@alpha.example"],
        }

    def test_restore_particulars_says_what_changed_again_since_and_lets_one_decide(
        self, app: Flask, as_: As, world: World
    ) -> None:
        browser = as_("administrator")
        save(browser, city="Metz")
        url = restore_url(app, PARTICULARS)
        save(browser, city="Nancy")

        page = Page(browser.get(url))
        browser.post(url, browser.form(url))

        assert "« Ville » a encore changé depuis." in page.text
        assert school_row(app, world.a.id)["city"] == ""

    def test_restore_particulars_a_save_meanwhile_is_shown_and_not_overwritten(
        self, app: Flask, as_: As, world: World
    ) -> None:
        browser = as_("administrator")
        save(browser, city="Metz")
        url = restore_url(app, PARTICULARS)
        form = browser.form(url)
        save(as_("head"), city="Nancy")

        answer = browser.post(url, form)

        assert answer.status_code == 409
        assert "« Nancy » sera effacé" in Page(answer).text
        assert school_row(app, world.a.id)["city"] == "Nancy"

    def test_restore_particulars_a_locked_uai_stays(self, app: Flask, as_: As, world: World) -> None:
        browser = as_("administrator")
        save(browser, uai="", city="Metz")
        set_school(app, world.a.id, uai="0999003Y", uai_locked_at=START)
        url = restore_url(app, PARTICULARS)

        page = Page(browser.get(url))
        browser.post(url, browser.form(url))

        assert "Le code UAI restera tel qu’il est" in page.text
        assert school_row(app, world.a.id)["uai"] == "0999003Y"
        assert school_row(app, world.a.id)["city"] == ""

    def test_restore_particulars_nothing_left_to_restore_is_said(self, app: Flask, as_: As) -> None:
        browser = as_("administrator")
        save(browser, city="Metz")
        url = restore_url(app, PARTICULARS)
        browser.post(url, browser.form(url))

        with nothing_written(app):
            answer = browser.post(url, follow_redirects=True)

        assert "Il n’y a rien à rétablir" in Page(answer).text


class TestRestoreMasks:
    def test_restore_masks_restores_the_wordings(self, app: Flask, as_: As, world: World) -> None:
        browser = as_("administrator")
        reset_masks(browser)
        url = restore_url(app, MASKS)

        page = Page(browser.get(url))
        with watching(app) as watch:
            browser.post(url, browser.form(url))

        assert (
            "Liens associés au scénario : « Liens associés au scénario » redeviendra « Liens de alpha »." in page.text
        )
        assert watch.line["action"] == "masks:changed"
        assert sorted(mask["wording"] for mask in rows(app, Mask)) == ["Liens de alpha", "Liens de beta"]

    def test_restore_masks_the_default_comes_back_as_the_default(self, app: Flask, as_: As, world: World) -> None:
        browser = as_("administrator")
        browser.post(f"{SETTINGS}/masques?diplome=40025520", {"links": "Liens de alpha", "equipment": "Outillage"})
        url = restore_url(app, "masks:changed")

        browser.post(url, browser.form(url))

        kept = [(mask["key"], mask["wording"]) for mask in rows(app, Mask) if mask["establishment_id"] == world.a.id]
        assert kept == [("links", "Liens de alpha")]

    def test_restore_masks_a_wording_that_is_back_already_is_not_announced(
        self, app: Flask, as_: As, world: World
    ) -> None:
        browser, masks = as_("administrator"), f"{SETTINGS}/masques?diplome=40025520"
        browser.post(masks, {"links": "Liens utiles", "equipment": "Outillage"})
        url = restore_url(app, "masks:changed")
        browser.post(masks, {"links": "Liens utiles", "equipment": ""})

        page = Page(browser.get(url))

        assert "« Liens utiles » redeviendra « Liens de alpha »" in page.text
        assert "Outillage" not in page.text
        assert page.text.count("redeviendra") == 1


class TestRestorePicture:
    def _two_logos(self, as_: As) -> None:
        with time_machine.travel(START, tick=False):
            browser = as_("administrator")
            upload(browser, pictures.png(10, 10))
            upload(browser, pictures.png(20, 20))

    def _first_deposit(self, app: Flask) -> str:
        line = next(row for row in rows(app, AuditEntry) if row["action"] == DEPOSIT)
        return f"{HISTORY}/{line['id']}/retablir"

    def test_restore_picture_a_picture_replaced_more_than_thirty_days_ago_is_gone(self, app: Flask, as_: As) -> None:
        self._two_logos(as_)
        url = self._first_deposit(app)

        with time_machine.travel(START + timedelta(days=31), tick=False):
            browser = as_("administrator")
            answer = browser.post(url, follow_redirects=True)

        assert "n’est plus conservé" in Page(answer).text
        assert len(rows(app, PictureVersion)) == 2

    def test_restore_picture_within_thirty_days_it_is_the_current_one_again_and_can_be_undone(
        self, app: Flask, as_: As
    ) -> None:
        self._two_logos(as_)
        url = self._first_deposit(app)

        with time_machine.travel(START + timedelta(days=29), tick=False):
            browser = as_("administrator")
            form = browser.form(url)
            with watching(app) as watch:
                answer = browser.post(url, form)
            restored = shown(browser)
            undo(browser)
            undone = shown(browser)

        assert answer.status_code == 303
        assert (watch.line["action"], watch.changed) == (
            "picture:logo:restored",
            {"picture_version", "audit_entry"},
        )
        assert (restored, undone) == ((10, 10), (20, 20))

    def test_restore_picture_a_deleted_picture_comes_back(self, app: Flask, as_: As) -> None:
        browser = as_("administrator")
        upload(browser, pictures.png(10, 10))
        browser.post(f"{SETTINGS}/logo/supprimer/logo")
        url = self._first_deposit(app)

        browser.post(url, browser.form(url))

        assert shown(browser) == (10, 10)

    def test_restore_picture_a_picture_put_meanwhile_is_not_overwritten(self, app: Flask, as_: As) -> None:
        browser = as_("administrator")
        upload(browser, pictures.png(10, 10))
        upload(browser, pictures.png(20, 20))
        url = self._first_deposit(app)
        form = browser.form(url)
        upload(as_("head"), pictures.png(30, 30))

        answer = browser.post(url, form)

        assert answer.status_code == 409
        assert shown(browser) == (30, 30)

    def test_restore_picture_an_undone_picture_is_shown_and_restored_within_thirty_days(
        self, app: Flask, as_: As
    ) -> None:
        browser = as_("administrator")
        upload(browser, pictures.png(10, 10))
        undo(browser)
        history = Page(browser.get(f"{HISTORY}?de=logo"))

        url = self._first_deposit(app)
        answer = browser.post(url, browser.form(url))

        assert "Image déposée le" in browser.get(f"{HISTORY}?de=logo").text
        assert url in history.links
        assert answer.status_code == 303
        assert shown(browser) == (10, 10)
