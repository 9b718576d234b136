"""The PDF of a scenario says what the page says."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

from flask import Flask
from pypdf import PdfReader

from cpro.core import tenancy
from cpro.scenarios import pdf, queries
from tests.factories import World
from tests.helpers.browser import Browser
from tests.scenarios.conftest import Written

As = Callable[..., Browser]


class TestRenderScenario:
    def test_render_scenario_says_what_the_page_says_with_the_labels_of_the_masks(
        self, app: Flask, as_: As, written: Written
    ) -> None:
        answer = as_("head").get(written.page("/imprimer"))

        text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.data)).pages)
        for words in ("Titre-secret-alpha", "Texte-secret-alpha", "Liens de alpha", "Lien-secret-alpha", "C1"):
            assert words in text, words

    def test_build_pdf_data_data_are_plain(self, app: Flask, world: World, written: Written) -> None:
        with app.app_context():
            tenancy.enter(tenancy.Scope(world.a.id))
            data = pdf.build_pdf_data(queries.get_details(written.own), school="Lycée alpha", timezone="Indian/Reunion")

        assert json.loads(json.dumps(data)) == data
        assert data["changed_at"] == "05/10/2026 à 13\u00a0h\u00a000"
        assert [field["label"] for field in data["fields"]][3] == "Liens de alpha"
        assert data["fields"][3]["links"] == [{"label": "Lien-secret-alpha", "url": "https://x.example/"}]
