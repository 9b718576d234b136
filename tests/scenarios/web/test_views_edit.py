"""Write, change, duplicate and archive scenarios, without script."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete

from cpro.core.richtext import MAX_CHARACTERS
from cpro.scenarios.models import Scenario, ScenarioCoAuthor, ScenarioCompetence, ScenarioLink
from cpro.users.sign_in_models import SignIn
from tests.factories import World
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, rows, set_up, watching
from tests.helpers.two_people import Shared, play
from tests.scenarios.conftest import Written

As = Callable[..., Browser]
NEW = "/scenarios/nouveau"


def last(app: Flask) -> dict[str, Any]:
    return rows(app, Scenario)[-1]


def of(app: Flask, model: Any, scenario_id: int) -> list[dict[str, Any]]:
    return [row for row in rows(app, model) if row["scenario_id"] == scenario_id]


class TestCreateScenario:
    def test_create_scenario_keeps_what_was_typed_as_safe_rich_text(
        self, app: Flask, as_: As, world: World, written: Written
    ) -> None:
        typed = written.typed(
            problematic="- un\n- deux <script>alert(1)</script>",
            knowledge="<p>posté</p><img src=x onerror=alert(1)>",
            knowledge_format="html",
            co_intervention="y",
            co_authors=[str(written.colleague)],
        )
        browser = as_("teacher")

        with watching(app) as watch:
            answer = browser.post(NEW, typed)

        row = last(app)
        assert (answer.status_code, answer.location) == (303, f"/scenarios/{row['id']}")
        assert (row["title"], row["author_id"]) == ("Éclairer l’atelier", world.a.account_ids["teacher"])
        assert row["description"] == "<p>Du <strong>gras</strong></p>"
        assert row["problematic"] == "<ul><li>un</li><li>deux &lt;script&gt;alert(1)&lt;/script&gt;</li></ul>"
        assert row["knowledge"] == "<p>posté</p><p>[image non reprise]</p>"
        assert (row["is_co_intervention"], row["search_key"]) == (True, "eclairer l'atelier")
        assert [(each["label"], each["url"]) for each in of(app, ScenarioLink, row["id"])] == [
            ("Guide", "https://guide.example/")
        ]
        assert [each["competence_id"] for each in of(app, ScenarioCompetence, row["id"])] == [written.competences["C1"]]
        assert [each["account_id"] for each in of(app, ScenarioCoAuthor, row["id"])] == [written.colleague]
        assert watch.line["action"] == "scenario:created"
        assert (watch.line["object_label"], watch.line["changes"]) == (f"Scénario n° {row['id']} (Bac pro MELEC)", {})

    @pytest.mark.parametrize(
        ("typed", "field", "sentence"),
        [
            ({"title": " "}, "title", "Donnez un titre"),
            ({"title": "x" * 151}, "title", "le maximum est 150"),
            ({"title": "a\x00b"}, "title", "caractère de contrôle"),
            ({"diploma": ""}, "diploma", "Choisissez un diplôme"),
            ({"diploma": "40025520\x00"}, "diploma", "Choisissez un diplôme"),
            ({"diploma": "INCONNU"}, "diploma", "Choisissez un diplôme"),
            ({"description": "x" * (MAX_CHARACTERS + 1)}, "description", "le maximum est 20 000"),
            ({"links-0-url": "javascript:alert(1)"}, "links", "Lien 1 : l’adresse doit commencer par https://"),
            ({"links-0-url": "data:text/html,x"}, "links", "Lien 1 : l’adresse doit commencer"),
            ({"links-0-url": "https://u:p@x.example"}, "links", "ni identifiant ni mot de passe"),
            ({"links-0-url": ""}, "links", "Lien 1 : il manque l’adresse."),
            ({"links-0-url": "https://x.example/" + "y" * 500}, "links", "dépasse 500 caractères"),
            ({"links-0-label": "x" * 151}, "links", "le maximum est 150"),
            ({"competences": ["999999"]}, "competences", "n’est pas de la liste du diplôme Bac pro MELEC"),
            ({"competences": ["x"]}, "competences", "n’est pas de la liste du diplôme Bac pro MELEC"),
            ({"co_authors": ["999999"]}, "co_authors", "n’est pas un enseignant"),
        ],
    )
    def test_create_scenario_refuses_beside_the_field_and_loses_nothing(
        self, app: Flask, as_: As, written: Written, typed: dict[str, Any], field: str, sentence: str
    ) -> None:
        posted = written.typed(**{"equipment": "Un **outil**", **typed})
        browser = as_("teacher")

        with nothing_written(app):
            answer = browser.post(NEW, posted)

        page = Page(answer)
        assert answer.status_code == 422
        assert sentence in page.error(field)
        assert "Un **outil**" in answer.text
        assert posted["description"] in answer.text

    def test_create_scenario_refuses_a_competence_of_another_diploma(
        self, app: Flask, as_: As, written: Written
    ) -> None:
        browser = as_("teacher")

        with nothing_written(app):
            answer = browser.post(NEW, written.typed(competences=[str(written.foreign_competence)]))

        assert answer.status_code == 422
        assert "n’est pas de la liste du diplôme Bac pro MELEC" in Page(answer).error("competences")

    def test_create_scenario_refuses_thirty_one_links(self, app: Flask, as_: As, written: Written) -> None:
        links = {f"links-{n}-url": f"https://x.example/{n}" for n in range(31)}
        browser = as_("teacher")

        with nothing_written(app):
            answer = browser.post(NEW, written.typed(**links))

        assert "30 liens au plus" in Page(answer).error("links")
        assert "https://x.example/30" in answer.text

    def test_create_scenario_completes_an_address_without_scheme(self, app: Flask, as_: As, written: Written) -> None:
        as_("teacher").post(NEW, written.typed(**{"links-0-url": "intranet/cours?id=3"}))

        assert of(app, ScenarioLink, last(app)["id"])[0]["url"] == "https://intranet/cours?id=3"


class TestChangeDiploma:
    def test_change_diploma_takes_its_labels_and_competences_and_saves_nothing(
        self, app: Flask, as_: As, written: Written
    ) -> None:
        browser = as_("teacher")

        with nothing_written(app):
            first = Page(browser.get(f"{NEW}?diplome=40025520")).text
            answer = browser.post(NEW, written.typed(diploma="50025524", geste="diplome", title="En cours"))

        text = Page(answer).text
        assert answer.status_code == 200
        assert "Liens de alpha" in first and "C13 Communiquer" in first
        assert "Liens associés au scénario" in text and "CO9 Communiquer" in text and "Liens de alpha" not in text
        assert 'value="En cours"' in answer.text and "Du **gras**" in answer.text

    def test_change_diploma_is_saved_with_the_rest(self, app: Flask, as_: As, written: Written) -> None:
        browser = as_("teacher")

        refused = browser.post(written.page("/modifier"), written.typed(diploma="50025524"))
        saved = browser.post(written.page("/modifier"), written.typed(diploma="50025524", competences=[]))

        assert refused.status_code == 422
        assert "n’est pas de la liste du diplôme CAP Électricien" in Page(refused).error("competences")
        assert saved.status_code == 303
        assert rows(app, Scenario)[0]["diploma_id"] == written.other_diploma


class TestUpdateScenario:
    def test_update_scenario_saves_and_records_which_parts_without_their_words(
        self, app: Flask, as_: As, written: Written
    ) -> None:
        browser = as_("teacher")
        form = browser.form(written.page("/modifier"))

        with watching(app) as watch:
            answer = browser.post(
                written.page("/modifier"),
                {**form, **written.typed(), "competences": [str(written.competences["C2"])]},
            )

        assert answer.status_code == 303
        assert watch.line["action"] == "scenario:changed"
        assert watch.line["changes"] == {
            "parts": [
                None,
                [
                    "Titre",
                    "Description du contexte / mise en situation professionnelle",
                    "Liens associés au scénario",
                    "Compétences",
                ],
            ]
        }
        assert [each["url"] for each in of(app, ScenarioLink, written.own)] == ["https://guide.example/"]

    def test_update_scenario_the_same_again_changes_nothing(self, app: Flask, as_: As, written: Written) -> None:
        browser = as_("teacher")
        form = browser.form(written.page("/modifier"))

        with nothing_written(app):
            answer = browser.post(
                written.page("/modifier"), {**form, "description": "Texte-secret-alpha"}, follow_redirects=True
            )

        assert "Rien n’a changé." in Page(answer).text

    def test_update_scenario_warns_the_second_of_two_people_and_loses_nothing(
        self, app: Flask, as_: As, written: Written, as_colleague: Browser, add_co_author: Callable[[], None]
    ) -> None:
        add_co_author()
        browser = as_("teacher")
        mine, theirs = browser.form(written.page("/modifier")), as_colleague.form(written.page("/modifier"))
        common = {"co_authors": [str(written.colleague)]}
        as_colleague.post(written.page("/modifier"), {**theirs, "description": "Le leur", **common})

        with nothing_written(app):
            answer = browser.post(
                written.page("/modifier"),
                {**mine, "description": "Le **mien**", "links-1-url": "https://y.example", **common},
            )
        again = browser.post(
            written.page("/modifier"),
            {**_fields(answer), "description": "Le **mien**", "links-1-url": "https://y.example", **common},
        )

        assert answer.status_code == 409
        text = Page(answer).text
        assert "Zoé ZIRCON" in text
        assert "Le leur" in text and "Le mien" in text and "https://y.example" in answer.text
        assert again.status_code == 303
        assert rows(app, Scenario)[0]["description"] == "<p>Le <strong>mien</strong></p>"

    @pytest.mark.parametrize("field", ["title", "description"])
    def test_update_scenario_asks_only_what_two_authors_changed(
        self, as_: As, written: Written, as_colleague: Browser, add_co_author: Callable[[], None], field: str
    ) -> None:
        add_co_author()
        other = ("title", "Autre titre") if field == "description" else ("problematic", "Autre question")

        play(
            as_("teacher"),
            as_colleague,
            Shared(written.page("/modifier"), field, ("Un", "Deux", "Trois"), other),
        )

    @pytest.mark.parametrize(
        ("theirs", "mine"),
        [
            ({"co_authors": []}, {"title": "Le mien"}),
            ({"competences": []}, {"title": "Le mien"}),
            ({"co_intervention": ["y"]}, {"title": "Le mien"}),
            ({"links-1-label": ["Second"], "links-1-url": ["https://y.example"]}, {"title": "Le mien"}),
            ({"title": ["Le leur"]}, {"competences": []}),
            ({"title": ["Le leur"]}, {"links-0-url": ["https://z.example/"]}),
        ],
    )
    def test_update_scenario_lists_merge_as_wholes(
        self,
        as_: As,
        written: Written,
        add_co_author: Callable[[], None],
        theirs: dict[str, Any],
        mine: dict[str, Any],
    ) -> None:
        add_co_author()
        one, two, url = as_("teacher"), as_("teacher"), written.page("/modifier")
        opened = Page(two.get(url)).posts()
        assert one.post(url, {**Page(one.get(url)).posts(), **theirs}).status_code == 303

        answer = two.post(url, {**opened, **mine})

        stored = Page(one.get(url)).posts()
        assert answer.status_code == 303
        for name, value in {**theirs, **mine}.items():
            assert stored.get(name, []) == ([value] if isinstance(value, str) else value), name

    def test_update_scenario_two_lists_that_clash_are_asked_whole(
        self, as_: As, written: Written, as_colleague: Browser, add_co_author: Callable[[], None]
    ) -> None:
        add_co_author()
        author, url = as_("teacher"), written.page("/modifier")
        opened = Page(as_colleague.get(url)).posts()
        author.post(url, {**opened, "links-0-url": "https://un.example"})

        asked = as_colleague.post(url, {**opened, "links-0-url": "https://deux.example"})
        kept = as_colleague.post(url, {**Page(asked).posts(), "choix-links": "enregistre"})

        assert asked.status_code == 409
        ((label, theirs, mine),) = Page(asked).clashes()
        assert (label, kept.status_code) == ("Liens de alpha", 303)
        assert "https://un.example" in theirs and "https://deux.example" in mine
        assert Page(author.get(url)).posts()["links-0-url"] == ["https://un.example"]

    def test_update_scenario_is_the_authors_and_co_authors_alone(
        self, app: Flask, as_colleague: Browser, written: Written, add_co_author: Callable[[], None]
    ) -> None:
        with nothing_written(app):
            assert as_colleague.get(written.page("/modifier")).status_code == 403
            for end in ("/modifier", "/archiver", "/reprendre"):
                answer = as_colleague.post(written.page(end), written.typed())
                assert answer.status_code == 403
                assert "Dupliquez-le" in Page(answer).text
        assert "Modifier" not in Page(as_colleague.get(written.page())).text
        add_co_author()

        assert as_colleague.get(written.page("/modifier")).status_code == 200
        answer = as_colleague.post(written.page("/modifier"), written.typed(co_authors=[str(written.colleague)]))
        assert answer.status_code == 303
        assert rows(app, Scenario)[0]["title"] == "Éclairer l’atelier"

    def test_update_scenario_a_form_typed_before_the_sign_in_ended_comes_back_whole(
        self, app: Flask, as_: As, world: World, written: Written
    ) -> None:
        browser = as_("teacher")
        browser.get(written.page("/modifier"))
        set_up(app, lambda session: session.execute(delete(SignIn)))
        long_text = "mot " * 4_900
        texts = dict.fromkeys(("description", "problematic", "equipment", "resources", "knowledge"), long_text)

        browser.post(written.page("/modifier"), written.typed(**texts), headers={"Sec-Fetch-Site": "same-origin"})
        browser.sign_in_as(world, "teacher")
        page = browser.get(written.page("/modifier")).text

        assert "Saisie retrouvée" in page
        assert page.count(f"{long_text}</textarea>") == 5
        assert "https://guide.example/" in page
        assert rows(app, Scenario)[0]["title"] == "Titre-secret-alpha"


class TestArchiveScenario:
    def test_archive_scenario_asks_once_then_archives_and_takes_up_again(
        self, app: Flask, as_: As, written: Written
    ) -> None:
        browser = as_("teacher")

        with nothing_written(app):
            assert "Archiver « Titre-secret-alpha » ?" in Page(browser.get(written.page("/archiver"))).text
        with watching(app) as watch:
            browser.post(written.page("/archiver"))
        assert watch.line["action"] == "scenario:archived"
        assert "Titre-secret-alpha" not in browser.get("/scenarios").text
        assert "Titre-secret-alpha" in browser.get("/scenarios?etat=archives").text
        with nothing_written(app):
            assert browser.get(written.page("/modifier")).status_code == 409
            assert browser.post(written.page("/modifier"), written.typed()).status_code == 409
            browser.post(written.page("/archiver"))
        with watching(app) as watch:
            browser.post(written.page("/reprendre"))

        assert watch.line["action"] == "scenario:restored"
        assert browser.get(written.page("/modifier")).status_code == 200


def _fields(answer: Any) -> dict[str, str]:
    """Return what the form of an answer would post of its hidden and one-line fields."""
    page = Page(answer)
    fields = {
        each.get("name") or "": each.get("value", "")
        for each in page.main.iter("input")
        if each.get("type") not in ("checkbox", "radio", "submit") and each.get("name")
    }
    fields["diploma"] = "40025520"
    fields["competences"] = next(
        each.get("value", "")
        for each in page.main.iter("input")
        if each.get("name") == "competences" and each.get("checked") is not None
    )
    return fields
