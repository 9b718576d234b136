"""What wording a diploma does: only what differs is kept, a reset is precise, nothing else is ever touched."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DataError, IntegrityError

from cpro.core.concurrency import StaleForm, fingerprint
from cpro.core.errors import FieldErrors
from cpro.core.transactions import unit_of_work
from cpro.extensions import db
from cpro.masks.models import Mask, MaskKey
from cpro.masks.operations import (
    UnknownMaskKey,
    get_stored_values,
    reset_wordings,
    update_wording,
)
from cpro.masks.queries import list_masks
from tests.factories import NOW, TESTER, World
from tests.helpers.masks import diploma_of, word, wordings
from tests.helpers.office import Office
from tests.helpers.records import failing_journal, nothing_written, rows, set_up, watching


class TestUpdateWordings:
    def test_update_wordings_refuses_a_field_that_does_not_exist(self, app: Flask, in_a: World) -> None:
        with nothing_written(app), pytest.raises(UnknownMaskKey):
            word(in_a, description="Contexte", titre="Titre")

    @pytest.mark.parametrize("wording", ["x" * 201, "x" * 300, "x" * 10_000, "a\x00b", "a\x07b", "a\u202eb"])
    @pytest.mark.parametrize("key", [key.value for key in MaskKey])
    def test_update_wordings_refuses_what_is_too_long_or_invisible_in_any_field(
        self, app: Flask, in_a: World, key: str, wording: str
    ) -> None:
        with nothing_written(app), pytest.raises(FieldErrors) as refusal:
            word(in_a, **{"description": "Contexte", key: wording})

        assert list(refusal.value.errors) == [key]

    def test_update_wordings_refuses_a_form_opened_before_another_save(self, app: Flask, in_a: World) -> None:
        opened_on = fingerprint(get_stored_values(list_masks(diploma_of(in_a).id)))
        word(in_a, links="Entre-temps")

        with nothing_written(app), pytest.raises(StaleForm):
            word(in_a, opened_on, links="Trop tard")

    def test_update_wordings_takes_two_hundred_characters(self, app: Flask, in_a: World) -> None:
        word(in_a, description="é" * 199 + "⚡")

        assert wordings(app, in_a.a.id)["description"] == "é" * 199 + "⚡"

    def test_update_wordings_keeps_only_what_differs_from_the_default(self, app: Flask, in_a: World) -> None:
        changes = word(
            in_a,
            description=MaskKey.DESCRIPTION.default,
            problematic=f"  {MaskKey.PROBLEMATIC.default} ",
            equipment="Outillage",
            links="Liens de alpha",
        )

        assert changes == {"equipment": (MaskKey.EQUIPMENT.default, "Outillage")}
        assert wordings(app, in_a.a.id) == {"links": "Liens de alpha", "equipment": "Outillage"}

    @pytest.mark.parametrize("text", ["", "   ", MaskKey.LINKS.default])
    def test_update_wordings_a_blank_or_the_default_restores_the_default(
        self, app: Flask, in_a: World, text: str
    ) -> None:
        changes = word(in_a, links=text)

        assert changes == {"links": ("Liens de alpha", MaskKey.LINKS.default)}
        assert wordings(app, in_a.a.id) == {}

    def test_update_wordings_fields_that_are_not_given_stay(self, app: Flask, in_a: World) -> None:
        word(in_a, knowledge="Savoirs")

        assert wordings(app, in_a.a.id) == {"links": "Liens de alpha", "knowledge": "Savoirs"}

    def test_update_wordings_nothing_changed_leaves_no_trace(self, app: Flask, in_a: World) -> None:
        with nothing_written(app):
            assert word(in_a, links="Liens de alpha", description="") == {}

    def test_update_wordings_leaves_one_line_with_the_defaults_written_out(self, app: Flask, in_a: World) -> None:
        with watching(app) as watch:
            word(in_a, links="", description="Contexte")

        assert watch.changed == {"mask", "audit_entry"}
        assert watch.line["action"] == "masks:changed"
        assert watch.line["object_id"] == in_a.diploma_code
        assert watch.line["changes"] == {
            "links": ["Liens de alpha", MaskKey.LINKS.default],
            "description": [MaskKey.DESCRIPTION.default, "Contexte"],
        }

    def test_update_wordings_touches_neither_another_diploma_nor_another_school(
        self, app: Flask, second_diploma: str, in_a: World
    ) -> None:
        before = rows(app, Mask)

        word(in_a, links="Changé")

        changed = [(old["id"], new["wording"]) for old, new in zip(before, rows(app, Mask), strict=True) if old != new]
        assert changed == [(before[0]["id"], "Changé")]
        assert before[0]["establishment_id"] == in_a.a.id

    def test_update_wordings_without_its_journal_line_it_does_not_happen(self, app: Flask, in_a: World) -> None:
        with nothing_written(app), failing_journal(), pytest.raises(RuntimeError):
            word(in_a, links="Sans trace")


class TestResetWordings:
    def reset(self, world: World, key: MaskKey | None) -> dict[str, tuple[str, str]]:
        with unit_of_work():
            return reset_wordings(diploma_of(world), key, by=TESTER, now=NOW)

    def test_reset_wordings_of_one_field_leaves_the_others(self, app: Flask, in_a: World) -> None:
        word(in_a, description="Contexte", knowledge="Savoirs")

        with watching(app) as watch:
            self.reset(in_a, MaskKey.DESCRIPTION)

        assert wordings(app, in_a.a.id) == {"links": "Liens de alpha", "knowledge": "Savoirs"}
        assert watch.line["action"] == "masks:reset"
        assert watch.line["changes"] == {"description": ["Contexte", MaskKey.DESCRIPTION.default]}

    def test_reset_wordings_of_all_touches_neither_another_diploma_nor_another_school(
        self, app: Flask, second_diploma: str, in_a: World
    ) -> None:
        word(in_a, description="Contexte")

        with watching(app) as watch:
            self.reset(in_a, None)

        assert sorted(row["wording"] for row in rows(app, Mask)) == ["CAP de alpha", "CAP de beta", "Liens de beta"]
        assert set(watch.line["changes"]) == {"links", "description"}

    def test_reset_wordings_of_what_is_already_the_default_leaves_no_trace(self, app: Flask, in_a: World) -> None:
        with nothing_written(app):
            assert self.reset(in_a, MaskKey.KNOWLEDGE) == {}


class TestDatabase:
    @pytest.mark.parametrize(
        "change", ["wording = ''", "key = 'titre'", "diploma_id = 999999", f"wording = '{'x' * 201}'"]
    )
    def test_database_refuses_a_mask_that_no_rule_would_write(self, app: Flask, world: World, change: str) -> None:
        error = (IntegrityError, DataError)  # PostgreSQL finds the length of the column first
        with app.app_context(), pytest.raises(error), db.engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT set_config('cpro.scope', 'platform', true)"))
            connection.execute(text(f"UPDATE mask SET {change}"))

    def test_database_refuses_two_wordings_of_one_field(self, app: Flask, world: World) -> None:
        first = {**rows(app, Mask)[0], "id": None, "key": MaskKey.LINKS, "wording": "Deux fois"}
        with pytest.raises(IntegrityError):
            set_up(app, lambda session: session.add(Mask(**first)))


def test_mask_key_defaults_are_the_words_of_the_specification() -> None:
    assert [key.default for key in MaskKey][:6] == [
        "Description du contexte / mise en situation professionnelle",
        "Problématique / missions à réaliser",
        "Matériels et logiciels utilisés",
        "Liens associés au scénario",
        "Ressources / espaces de formation",
        "Connaissances associées",
    ]


def test_update_wording_refuses_what_was_saved_since_the_page_was_opened(app: Flask, world: World) -> None:
    office = Office(app, world)

    def save(seen: str, **act: Any) -> None:
        mask = db.session.scalars(select(Mask)).one()
        update_wording(mask, "Ressources", opened_on=fingerprint({"wording": seen}), **act)

    with nothing_written(app), pytest.raises(StaleForm):
        office.act(save, seen="Liens d’avant")

    office.act(save, seen="Liens de alpha")
    assert "Ressources" in [mask["wording"] for mask in rows(app, Mask)]
