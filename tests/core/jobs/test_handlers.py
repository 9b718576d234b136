"""The page of a job ends with what it did, in figures, and with what comes next: for each kind there is."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask

from cpro.core.jobs import handlers
from cpro.core.jobs.models import JobState
from tests.core.jobs.conftest import Shop
from tests.factories import World
from tests.helpers.browser import Browser
from tests.helpers.pages import Page

_PUPILS = {"created": 1234, "changed": 0, "deactivated": 2, "reactivated": 0, "unchanged": 0, "refused": 0}
COUNTS = {
    "students": _PUPILS,
    "staff": {**_PUPILS, "created": 1, "deactivated": 0},
    "accounts_opened": 7,
}
#: Of each kind: what it keeps as its result, what its page says of it.
SUMMARIES: dict[str, tuple[dict[str, Any] | None, str]] = {
    "imports:analyse": (
        {"run_id": 1, "counts": {**COUNTS, "accounts_opened": 0}},
        "L’analyse est prête : 1 234 élèves à créer, 2 à désactiver, 1 personnel concerné. Rien n’est encore écrit.",
    ),
    "imports:apply": (
        {"run_id": 1, "counts": COUNTS},
        "L’import est appliqué : 1 234 élèves créés, 2 désactivés, 1 personnel concerné, 7 comptes d’élèves ouverts.",
    ),
    "imports:undo": (
        {"run_id": 1, "counts": COUNTS},
        "L’import est annulé : tout est revenu comme avant lui. Il avait fait : 1 234 élèves créés, 2 désactivés, "
        "1 personnel concerné, 7 comptes d’élèves ouverts.",
    ),
    "imports:expire": (
        {"closed": 1},
        "1 import abandonné : personne ne l’avait confirmé, ses fichiers sont supprimés.",
    ),
    "imports:sweep": (
        {"expired": 2, "deleted": 1},
        "2 imports restés sans suite, 1 dossier de fichiers supprimé.",
    ),
    "students:open-accounts": ({"opened": 1200}, "1 200 comptes d’élèves sont ouverts."),
    "sheets:forget": ({"deleted": 2}, "2 documents effacés."),
    "transfers:run": (
        {"pairs": 3, "transfers": 2, "records": 40, "changed": 1},
        "2 transferts faits, 40 données copiées et 1 dossier dont l’attente a changé.",
    ),
    "transfers:withdraw": (
        {"withdrawn": 1, "pairs": 0, "transfers": 0, "records": 0, "changed": 0},
        "1 transfert annulé ; puis, après une nouvelle recherche : 0 transfert fait et 0 donnée copiée.",
    ),
    "transfers:nightly": (
        {"expired": 1, "pairs": 0, "transfers": 3, "records": 5, "changed": 0},
        "1 proposition échue, 3 transferts faits et 5 données copiées.",
    ),
    "transfers:forget": ({"forgotten": 4}, "4 transferts anciens oubliés."),
    "passport:division": ({"archive": "x", "passports": 24}, "24 passeports prêts."),
    "passport:sweep": ({"deleted": 2}, "2 archives supprimées."),
    "pictures:sweep": ({"deleted": 1}, "1 image supprimée."),
    "records:expire": (
        {"schools": 1, "pupils": 12, "records": 80},
        "80 données supprimées, de 12 anciens apprenants, dans 1 établissement.",
    ),
    "users:addresses": ({"counted": 2}, "2 adresses comptent désormais."),
    "mail:deliver": ({"sent": 1}, "1 message envoyé."),
    "mail:forget": ({"forgotten": 3}, "3 anciens messages oubliés."),
    "drafts:sweep": ({"forgotten": 2}, "2 brouillons oubliés."),
    "errors:sweep": ({"forgotten": 3}, "3 pages d’erreur oubliées."),
    "problems:sweep": ({"forgotten": 2}, "2 problèmes décrits oubliés."),
    "workbooks:prepare": ({"file": "x", "rows": 250000}, "250 000 lignes prêtes."),
    "workbooks:sweep": ({"deleted": 2}, "2 classeurs supprimés."),
    "jobs:purge": ({"forgotten": 31}, "31 anciennes tâches oubliées."),
}
#: Kinds that lead nowhere: nobody but the platform asks for them.
LEAD_NOWHERE = {
    "imports:expire",
    "imports:sweep",
    "sheets:forget",
    "transfers:nightly",
    "transfers:forget",
    "passport:sweep",
    "pictures:sweep",
    "records:expire",
    "users:addresses",
    "mail:deliver",
    "drafts:sweep",
    "errors:sweep",
    "problems:sweep",
    "workbooks:sweep",
    "mail:forget",
    "jobs:purge",
}


class TestJobResults:
    def test_job_results_are_tried_for_every_kind(self, app: Flask) -> None:
        kinds = {kind for kind in handlers.list_kinds() if not kind.startswith("rehearsal:")}

        assert kinds == set(SUMMARIES), "say here what the page of the new kind of job ends with"

    @pytest.mark.parametrize("kind", SUMMARIES)
    def test_job_results_its_page_ends_with_its_figures_and_leads_on(
        self, app: Flask, shop: Shop, world: World, kind: str
    ) -> None:
        result, sentence = SUMMARIES[kind]
        job_id = shop.ask(kind, run_id=1, division_id=1, division="2MELEC", endpoint="eleves")
        actor = {"kind": "account", "id": world.a.account_ids["head"], "label": "x", "role": "head", "origin": ""}
        shop.change(job_id, state=JobState.DONE, result=result, requested_by=actor)

        answer = Browser(app).sign_in_as(world, "head").get(f"/admin/travaux/{job_id}")

        assert sentence in Page(answer).text
        assert "Tout est fait" not in answer.text
        links = re.findall(r'<a class="btn btn-primary" href="([^"]+)"', answer.text)
        assert bool(links) is (kind not in LEAD_NOWHERE)

    @pytest.mark.parametrize("kind", SUMMARIES)
    def test_job_results_a_result_of_an_older_version_has_a_summary_too(self, app: Flask, kind: str) -> None:
        assert handlers.get_handler(kind).summary({}).endswith(".")

    def test_job_results_every_sentence_has_a_figure(self) -> None:
        assert [kind for kind, (_result, sentence) in SUMMARIES.items() if not re.search(r"\d", sentence)] == []
