"""The journal in words: each action is named, values read as people say them, an INE is masked for the support."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from cpro.audit import labels
from cpro.audit.labels import Change
from cpro.audit.models import AuditEntry
from cpro.core.formatting import mask_ine, mask_ines
from cpro.core.jobs.handlers import list_kinds
from cpro.core.validators import fold
from cpro.establishments.models import PictureKind

ROOT = Path(__file__).resolve().parent.parent.parent / "cpro"
INE = "0990010000A"


def entry(changes: dict[str, Any], *, object_type: str = "student", **values: Any) -> AuditEntry:
    return AuditEntry(
        **{
            "action": "establishment:particulars:changed",
            "actor_label": "Alix GRANITE",
            "object_type": object_type,
            "object_id": "1",
            "object_label": "Lycée alpha",
            "at": datetime(2026, 11, 23, tzinfo=UTC),
            "changes": changes,
            **values,
        }
    )


def actions_of_the_sources() -> set[str]:
    """Return every action that something writes: the strings of the grammar subject:verb, where writes are."""
    found: set[str] = set()
    for path in ROOT.rglob("*.py"):
        if not {"operations", "operations.py", "page_views.py", "authentication.py"} & set(path.parts):
            continue
        for action in re.findall(r'(?<!f)"([a-z-]+(?::[a-z-]+){1,3})"', path.read_text()):
            found.add(action)
        for head, verb in re.findall(r'f"(picture):\{[a-z.]+\}:([a-z]+)"', path.read_text()):
            found |= {f"{head}:{kind.value}:{verb}" for kind in PictureKind}
    return found


class TestActionLabel:
    def test_action_label_each_action_has_its_words(self, migrated_app: Flask) -> None:
        unnamed = actions_of_the_sources() - {action for action, _words in labels.known_actions()} - set(list_kinds())

        assert not unnamed, f"say how {sorted(unnamed)} read: call labels.register in the feature's audit_labels.py"

    def test_action_label_an_unnamed_action_still_reads(self) -> None:
        assert labels.action_label("unknown:action") == "a fait «\u202funknown:action\u202f»"

    def test_sentence_a_line_reads_as_a_sentence(self, migrated_app: Flask) -> None:
        assert labels.sentence(entry({})) == (
            "Alix GRANITE a modifié les renseignements de l’établissement\u202f: Lycée alpha"
        )

    def test_sentence_of_somebody_not_signed_in_does_not_read_as_nobody(self, migrated_app: Flask) -> None:
        line = entry({}, action="account:sign-in-refused", actor_kind="anonymous", actor_label="Personne non connectée")

        assert labels.sentence(line).startswith("Une personne non connectée a ")

    def test_known_actions_the_choices_of_the_filters_are_in_french_and_in_order(self, migrated_app: Flask) -> None:
        words = [text for _action, text in labels.known_actions()]

        assert words == sorted(words, key=fold)
        assert ("student", "Élève") in labels.known_object_types()

    def test_name_subject_every_action_is_in_a_group_named_in_french(self, migrated_app: Flask) -> None:
        unnamed = [action for action, _words in labels.known_actions() if labels.name_subject(action) in action]

        assert not unnamed, f"name the subject of {unnamed}: `objects` or `subjects` of labels.register"
        assert labels.name_subject("accounts:opened") == labels.name_subject("account:changed") == "Compte"


class TestDescribe:
    @pytest.mark.parametrize(
        ("field", "old", "new", "expected"),
        [
            ("is_active", True, False, Change("Présent dans l’établissement", "Oui", "Non")),
            ("usage_name", "", "Opale", Change("Nom d’usage", "(vide)", "Opale")),
            ("left_on", None, "2026-07-04", Change("Parti le", "(vide)", "04/07/2026")),
            ("birth_date", "2026-02-31", "", Change("Date de naissance", "2026-02-31", "(vide)")),
            ("unheard_of", 3, ["a", True], Change("unheard_of", "3", "a, Oui")),
        ],
    )
    def test_describe_values_read_as_people_say_them(
        self, migrated_app: Flask, field: str, old: Any, new: Any, expected: Change
    ) -> None:
        assert labels.describe(entry({field: [old, new]})) == [expected]

    def test_describe_an_instant_is_on_the_schools_clocks(self, migrated_app: Flask) -> None:
        line = entry({"seen": [None, "2026-11-23T13:30:00+00:00"]})

        assert labels.describe(line, timezone="Indian/Reunion")[0].new == "23/11/2026 à 17\u00a0h\u00a030"

    def test_describe_fields_are_called_as_on_their_form_and_choices_by_their_label(self, migrated_app: Flask) -> None:
        line = entry({"cnil_kind": ["declaration", "registre"]}, object_type="establishment")

        assert labels.describe(line) == [
            Change("Nature de la référence", "Déclaration CNIL (avant le 25 mai 2018)", "Registre RGPD")
        ]

    def test_describe_the_support_never_reads_a_whole_ine(self, migrated_app: Flask) -> None:
        line = entry({"ine": [None, INE], "note": ["", f"fiche de {INE.lower()}"]}, object_label=f"Zoé ({INE})")

        text = repr(labels.describe(line, masked=True)) + labels.sentence(line, masked=True)

        assert INE not in text.upper()
        assert text.count("••••••••00") == 3

    def test_describe_the_school_reads_it_whole(self, migrated_app: Flask) -> None:
        assert labels.describe(entry({"ine": [None, INE]}))[0].new == INE


class TestMaskINE:
    @pytest.mark.parametrize(
        "ine", [INE, "099001000AB", "1234A56789Z", "099 0010 000A", "0990010000a", "099-001-000-DD"]
    )
    def test_mask_ine_hides_all_but_the_last_three_characters(self, ine: str) -> None:
        masked = mask_ines(f"élève {ine}, parti")

        assert ine not in masked
        assert masked == f"élève {mask_ine(ine)}, parti"
        assert mask_ine(ine)[-3:] == ine[-3:]

    def test_mask_ine_within_the_name_of_a_file(self) -> None:
        assert mask_ines(f"eleve_{INE}_2026.xml") == f"eleve_{mask_ine(INE)}_2026.xml"

    @pytest.mark.parametrize(
        "text",
        ["2026-11-28_export.xml", "01 99 00 00 01", "0999001W", "23/11/2026 à 14 h 30", "40025520", "12345678901234"],
    )
    def test_mask_ine_leaves_what_is_no_ine(self, text: str) -> None:
        assert mask_ines(text) == text

    def test_mask_ine_shows_nothing_of_a_short_one(self) -> None:
        assert mask_ine("0A") == "••"
