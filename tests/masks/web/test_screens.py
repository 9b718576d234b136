"""The generated screen of the wordings: what the tab does diploma by diploma, line by line."""

from __future__ import annotations

import re
from collections.abc import Callable

from flask import Flask

from cpro.masks.models import Mask, MaskKey
from tests.factories import World
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, rows

SCREEN = "/admin/masques"
As = Callable[..., Browser]


def _wordings(app: Flask, school_id: int) -> dict[str, str]:
    return {row["key"]: row["wording"] for row in rows(app, Mask) if row["establishment_id"] == school_id}


class TestMasksScreen:
    def test_masks_screen_bears_the_words_of_the_link_that_leads_to_it(self, as_: As) -> None:
        browser = as_("administrator")
        link = re.search(rf'<a href="{SCREEN}/">([^<]+)</a>', browser.get("/admin/parametres/masques").text)

        assert link is not None
        assert re.search(rf"<h1[^>]*>\s*{link[1]}", browser.get(f"{SCREEN}/").text)

    def test_masks_screen_a_wording_is_added_and_its_page_shown(self, app: Flask, as_: As, world: World) -> None:
        browser = as_("administrator")
        typed = {"diploma": world.diploma_code, "key": "description", "wording": "Le chantier"}

        answer = browser.post(f"{SCREEN}/new/", typed)

        assert answer.status_code == 303
        assert "Le chantier" in browser.get(answer.headers["Location"]).text
        assert _wordings(app, world.a.id)["description"] == "Le chantier"

    def test_masks_screen_a_wording_is_refused_to_a_field_that_has_one_and_left_to_the_other_school(
        self, app: Flask, as_: As, world: World
    ) -> None:
        typed = {"diploma": world.diploma_code, "key": "description", "wording": "Le chantier"}
        browser = as_("administrator")
        assert browser.post(f"{SCREEN}/new/", typed).status_code == 303

        with nothing_written(app):
            refused = browser.post(f"{SCREEN}/new/", {**typed, "wording": "Le décor"})

        assert refused.status_code == 422
        assert "a déjà un intitulé pour ce diplôme" in Page(refused).error("key")
        assert as_("administrator", "b").post(f"{SCREEN}/new/", typed).status_code == 303
        for school in (world.a, world.b):
            assert _wordings(app, school.id)["description"] == "Le chantier"

    def test_masks_screen_a_wording_left_blank_restores_the_default(self, app: Flask, as_: As, world: World) -> None:
        browser = as_("administrator")
        own = next(row["id"] for row in rows(app, Mask) if row["establishment_id"] == world.a.id)
        before = _wordings(app, world.a.id)
        form = browser.form(f"{SCREEN}/edit/?id={own}")

        answer = browser.post(f"{SCREEN}/edit/?id={own}", {**form, "wording": ""}, follow_redirects=True)

        assert answer.status_code == 200
        assert "L’intitulé d’origine est revenu." in answer.text
        assert len(_wordings(app, world.a.id)) == len(before) - 1
        assert MaskKey.LINKS.value not in _wordings(app, world.a.id)
