"""Gérer les imports, the deposit: what is refused leaves nothing."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cpro.audit.models import AuditEntry
from cpro.establishments.models import Establishment
from cpro.imports.models import REFUSALS_CUT, REFUSED_DEPOSIT, ImportChange, ImportFinding, ImportQuestion, ImportRun
from cpro.imports.runs import deposits
from cpro.imports.runs.refused import LIMIT
from cpro.students.models import MEF, Division, Student
from cpro.users.models import Account
from tests.factories import World
from tests.helpers.browser import Browser
from tests.helpers.deposits import IMPORTS, ONE, analyse, kept_files, send
from tests.helpers.pages import Page
from tests.helpers.siecle import FILES, students_xml, zip_of
from tests.helpers.uploads import unmount

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]
pytestmark = pytest.mark.usefixtures("october")
#: 201 MB, declared and never sent.
TOO_LARGE = str(201 * 1024 * 1024)


def bomb() -> bytes:
    """Return an archive of a few kilobytes that would unfold to 300 MB."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("Eleves.xml", "w") as member:
        for _ in range(30):
            member.write(b" " * 10_000_000)
    return buffer.getvalue()


REFUSED = {
    "empty": (("vide.xml", b""), "vide"),
    "a doctype": (("e.xml", b'<!DOCTYPE x [<!ENTITY a "b">]>' + ONE[1].partition(b"?>")[2]), "DOCTYPE"),
    "a wrong root": (("e.xml", b"<?xml version='1.0'?><RSS><a/></RSS>"), "n’est pas un export de SIECLE"),
    "families": (FILES / "ResponsablesAvecAdresses.xml", "le fichier des responsables n’est pas utile"),
    "the wrong direction": (("emp_sts.xml", b"<?xml version='1.0'?><EDT_STS></EDT_STS>"), "celui qui vient de STS-Web"),
    "another school": (("e.xml", ONE[1].replace(b"0999001W", b"0999002X")), "0999002X, et non du vôtre (0999001W)"),
    "cut": (("e.xml", ONE[1][:-40]), "incomplet ou abîmé"),
    "a zip bomb": (("e.zip", bomb()), "hors de toute mesure"),
    "a zip in a zip": (("e.zip", zip_of({"a.zip": zip_of({"e.xml": ONE[1]})})), "en contient une autre"),
    "a zip that climbs": (("e.zip", zip_of({"../../etc/e.xml": ONE[1]})), "chemin interdit"),
    "a web page": (("e.xml", b"<!doctype html><html><body>Connexion</body></html>"), "page web"),
    "nobody": (("e.xml", students_xml("").encode("iso-8859-15")), "aucun élève"),
    "a table": (("eleves.csv", "Nom;Prénom;Classe\r\nA;B;C\r\n".encode()), "utilise SIECLE"),
    "broken inside": (("e.xml", ONE[1].replace(b"<PRENOM>", b"<PRENOM><x>")), "incomplet ou abîmé"),
}


def everything(session: Session) -> dict[str, int]:
    """Return how many rows there are of what an import may write."""
    models = (Student, Division, MEF, Account, ImportRun, ImportChange, ImportFinding, ImportQuestion, AuditEntry)
    return {model.__name__: session.scalar(select(func.count()).select_from(model)) or 0 for model in models}


class TestSendDeposit:
    @pytest.mark.parametrize("case", REFUSED)
    def test_deposit_a_bad_file_is_refused_beside_the_field_and_writes_nothing(
        self, app: Flask, as_: As, platform: Look, case: str
    ) -> None:
        file, sentence = REFUSED[case]
        browser = as_("administrator")
        with platform() as session:
            before = everything(session)

        answer = send(browser, file)

        assert answer.status_code == 422
        assert sentence in Page(answer).error("files")
        with platform() as session:
            assert everything(session) == {**before, "AuditEntry": before["AuditEntry"] + 1}
            line = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
            assert line is not None
            assert (line.action, bool(line.object_label)) == (REFUSED_DEPOSIT, True)
            assert sentence in line.changes["refusal"][1]
        assert kept_files(app) == []

    def test_deposit_refused_is_told_to_the_support_and_to_the_administrator_and_no_pupil_with_it(
        self, as_: As, world: World
    ) -> None:
        administrator, support = as_("administrator"), as_("support", enter="a")

        send(administrator, ("Agate Noé 0123456789A.xml", b""))

        journal = Page(administrator.get("/admin/journal/")).text
        assert "a déposé un fichier refusé" in journal
        assert "•••.xml" in journal
        assert "0123456789A" not in journal and "Agate" not in journal
        read = Page(support.get("/ecoles/support")).text
        assert "Dépôts refusés" in read
        assert "•••.xml » : ce fichier est vide" in read
        support.post(f"/ecoles/{world.b.id}/entrer")
        assert "ce fichier est vide" not in Page(support.get("/ecoles/support")).text

    def test_deposit_a_flood_of_refused_files_does_not_flood_the_journal(self, as_: As, platform: Look) -> None:
        browser = as_("administrator")

        for _ in range(LIMIT.most + 3):
            assert send(browser, ("vide.xml", b"")).status_code == 422

        with platform() as session:
            lines = session.scalars(
                select(AuditEntry.action).where(AuditEntry.object_type == "import_deposit").order_by(AuditEntry.id)
            ).all()
            assert lines == [*[REFUSED_DEPOSIT] * LIMIT.most, REFUSALS_CUT]
        assert "qui ne sont plus écrits ici pendant une heure" in Page(browser.get("/admin/journal/")).text

    def test_deposit_without_the_disk_of_the_store_is_refused_and_nothing_fills_its_place(
        self, app: Flask, as_: As, platform: Look
    ) -> None:
        browser = as_("administrator")
        with platform() as session:
            before = everything(session)
        store = unmount(app)

        answer = send(browser, ONE)

        assert answer.status_code == 503
        assert "le dossier des fichiers n’est pas là" in Page(answer).text
        with platform() as session:
            assert everything(session) == before
        assert list(store.iterdir()) == []

    @pytest.mark.parametrize("fields", [{}, {"files": ""}, {"files": "du texte"}])
    def test_deposit_without_a_file(self, as_: As, fields: dict[str, str]) -> None:
        answer = as_("administrator").post(IMPORTS, fields)

        assert (answer.status_code, "Choisissez d’abord" in Page(answer).error("files")) == (422, True)

    def test_deposit_a_field_without_name_is_no_file(self, as_: As) -> None:
        assert send(as_("administrator"), ("", b"")).status_code == 422

    def test_deposit_201_megabytes_are_refused_before_they_are_read(self, as_: As) -> None:
        browser = as_("administrator")
        browser.get(IMPORTS)

        answer = browser.post(IMPORTS, {}, environ_overrides={"CONTENT_LENGTH": TOO_LARGE})

        assert answer.status_code == 422
        assert "plus de 200 Mo" in Page(answer).error("files")

    @pytest.mark.parametrize("role", ["head", "teacher", "student", "support", "inspector"])
    def test_deposit_who_may_not_deposit_is_refused_before_anything_is_read(self, as_: As, role: str) -> None:
        browser = as_(role, enter="a" if role == "support" else None)

        for overrides in ({}, {"CONTENT_LENGTH": TOO_LARGE}):
            answer = browser.post(IMPORTS, {}, environ_overrides=overrides)
            assert (answer.status_code, answer.headers.get("Location")) in ((403, None), (303, "/ecoles"))

    def test_deposit_too_many_files(self, as_: As) -> None:
        files = [(f"{number}.xml", ONE[1]) for number in range(deposits.MAX_FILES + 1)]

        assert "Plus de 30 fichiers" in Page(send(as_("administrator"), *files)).error("files")

    def test_deposit_two_files_of_one_kind(self, as_: As) -> None:
        answer = send(as_("administrator"), ONE, ("copie.xml", ONE[1]))

        assert "Deux fichiers sont du même type, « Élèves (SIECLE) » : « eleves.xml » et « copie.xml »." in Page(
            answer
        ).error("files")

    def test_deposit_all_that_is_refused_is_reported_at_once(self, app: Flask, as_: As, platform: Look) -> None:
        browser = as_("administrator")
        elsewhere = ("autre.xml", ONE[1].replace(b"0999001W", b"0999002X"))

        answer = send(
            browser, FILES / "ResponsablesAvecAdresses.xml", ONE, ("vide.xml", b""), ("bis.xml", ONE[1]), elsewhere
        )

        shown = Page(answer).error("files")
        assert answer.status_code == 422
        for sentence in (
            "« vide.xml » : ce fichier est vide",
            "« eleves.xml » et « bis.xml »",
            "« autre.xml » est un fichier de l’établissement 0999002X",
        ):
            assert sentence in shown
        assert "responsables" not in shown  # of no use, it keeps nothing from being taken
        with platform() as session:
            assert session.scalar(select(func.count(ImportRun.id))) == 0
        assert kept_files(app) == []

    def test_deposit_a_broken_archive_does_not_hide_the_other_refusals(self, as_: As) -> None:
        shown = Page(
            send(as_("administrator"), ("abime.zip", zip_of({"a.pdf": b"x"})), ("vide.xml", b""), ("z.zip", bomb()))
        ).error("files")

        assert "« abime.zip »" in shown
        assert "« vide.xml »" in shown

    def test_deposit_without_token_nothing_is_done(self, as_: As, platform: Look) -> None:
        browser = as_("administrator")

        answer = browser.client.post(IMPORTS, data={"files": (io.BytesIO(ONE[1]), "e.xml")})

        assert answer.status_code == 400
        with platform() as session:
            assert session.scalar(select(func.count(ImportRun.id))) == 0

    @pytest.mark.parametrize("field", ["name", "email", "uai"])
    def test_deposit_the_gate_says_what_is_missing_and_where(
        self, as_: As, arrange: Look, world: World, field: str
    ) -> None:
        with arrange() as session:
            setattr(session.get_one(Establishment, world.a.id), field, None if field == "uai" else "")
        browser = as_("administrator")

        page = browser.get(IMPORTS)

        assert 'aria-disabled="true"' in page.text
        assert f"/admin/parametres/etablissement#{field}" in page.text
        assert send(browser, ONE).status_code == 409
        with arrange() as session:
            assert session.scalar(select(func.count(ImportRun.id))) == 0

    def test_deposit_the_ministrys_files_where_siecle_is_not_used(self, as_: As, arrange: Look, world: World) -> None:
        with arrange() as session:
            session.get_one(Establishment, world.a.id).uses_siecle = False

        answer = send(as_("administrator"), ONE)

        assert "déclare ne pas utiliser SIECLE" in Page(answer).error("files")

    def test_deposit_a_refused_deposit_does_not_replace_the_pending_one(self, app: Flask, as_: As) -> None:
        browser = as_("administrator")
        address = analyse(browser, ONE)

        send(browser, REFUSED["another school"][0])  # type: ignore[arg-type]

        assert "analysé, à confirmer" in Page(browser.get(address)).text
        assert len(kept_files(app)) == 1
