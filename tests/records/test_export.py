"""What a pupil takes away: all of theirs, nothing secret, nobody else's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask

from cpro.core import clock, tenancy
from cpro.records.export import FORMAT, VERSION, build_export
from cpro.records.models import Fiche
from cpro.records.queries import find_own_pupil
from cpro.users.models import Account
from tests.factories import World
from tests.helpers.records import rows, set_up
from tests.records.conftest import MARKER, Class


@pytest.fixture
def exported(app: Flask, classroom: Class, world: World) -> dict[str, Any]:
    """Return what the pupil of school "a" takes away, through JSON."""
    set_up(app, lambda session: _copy(session, classroom.fiche))
    with app.app_context():
        tenancy.enter(tenancy.Scope(world.a.id))
        student = find_own_pupil(world.a.account_ids["student"])
        assert student is not None
        return dict(json.loads(json.dumps(build_export(student, now=clock.utcnow()))))


def _copy(session: Any, fiche_id: int) -> None:
    row = session.get_one(Fiche, fiche_id)
    row.received_in, row.origin_school = 3, "Lycée d’avant (0999009A)"


class TestExportOf:
    def test_export_of_says_its_format(self, exported: dict[str, Any]) -> None:
        assert (exported["format"], exported["version"]) == (FORMAT, VERSION)
        assert list(exported) == [
            "format", "version", "etablissement", "identite", "formation", "compte", "fiches", "evaluations", "bilans",
            "brouillons",
        ]  # fmt: skip

    def test_export_of_holds_all_that_is_kept(self, exported: dict[str, Any], app: Flask, classroom: Class) -> None:
        assert exported["identite"]["nom_de_famille"] == "Agate"
        assert exported["identite"]["ine"]
        assert (exported["formation"]["division"], exported["formation"]["code_du_diplome"]) == ("2ALP", "40025520")
        assert exported["compte"]["identifiant"] == "noe.agate"
        assert [len(exported[kind]) for kind in ("fiches", "evaluations", "bilans")] == [2, 1, 1]
        assert {each["etat"] for each in exported["fiches"]} == {"brouillon", "validée"}
        (evaluation,) = exported["evaluations"]
        assert (evaluation["niveau"], evaluation["niveau_en_mots"]) == (2, "maîtrise fragile")
        assert evaluation["fiche"] == f"Fiche {MARKER}"
        assert exported["bilans"][0]["texte"] == f"Bilan {MARKER}"

    def test_export_of_says_where_each_record_comes_from(
        self, exported: dict[str, Any], app: Flask, classroom: Class
    ) -> None:
        uids = {row["origin_uid"] for row in rows(app, Fiche)}
        origins = [each["origine"] for each in exported["fiches"]]

        assert {each["identifiant"] for each in origins} == uids
        assert {each["etablissement_d_origine"] for each in origins} == {"", "Lycée d’avant (0999009A)"}

    def test_export_of_holds_no_secret_and_no_other_person(
        self, exported: dict[str, Any], app: Flask, world: World
    ) -> None:
        text = json.dumps(exported, ensure_ascii=False)
        secret = next(row["password_hash"] for row in rows(app, Account) if row["login"] == "noe.agate")

        assert secret not in text
        assert not any(word in text for word in ("password", "mot_de_passe", "Béryl", "Corail", "beta"))
