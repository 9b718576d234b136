"""A whole folder deposited at once: what is useful is taken, the rest is left aside and told."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.establishments.models import Establishment
from cpro.imports.models import ImportRun
from tests.factories import World
from tests.helpers.browser import Browser
from tests.helpers.deposits import ONE, analyse, apply, kept_files, send
from tests.helpers.pages import Page
from tests.helpers.siecle import FILES, zip_of

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]
pytestmark = pytest.mark.usefixtures("october")
FAMILIES = FILES / "ResponsablesAvecAdresses.xml"
COMMON = ("Communs.xml", b"<?xml version='1.0'?><BEE_COMMUN></BEE_COMMUN>")
TABLE = ("liste.csv", "Nom;Prénom;Classe\r\nA;B;C\r\n".encode())
LEFT = (
    (FAMILIES, "« ResponsablesAvecAdresses.xml » : le fichier des responsables n’est pas utile"),
    (COMMON, "« Communs.xml » : cet export de SIECLE ne sert pas ici"),
    (("emp_sts.xml", b"<?xml version='1.0'?><EDT_STS></EDT_STS>"), "« emp_sts.xml » : ce fichier va du logiciel"),
    (("notes.txt", b"Bonjour."), "« notes.txt » : ce fichier n’est pas un export de SIECLE"),
    (("Thumbs.db", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)), "« Thumbs.db » : ce fichier n’est pas un export"),
    (TABLE, "« liste.csv » : votre établissement utilise SIECLE"),
    (("photos.zip", zip_of({"a.jpg": b"x"})), "« photos.zip » : cette archive ne contient aucun fichier"),
)


def test_deposit_a_folder_takes_what_is_useful_and_says_what_it_left(app: Flask, as_: As, platform: Look) -> None:
    browser = as_("administrator")

    address = analyse(browser, *(file for file, _sentence in LEFT), ONE)

    shown = Page(browser.get(address)).text
    findings = Page(browser.get(f"{address}/constats?constat=FILE_LEFT")).text
    export = browser.get(f"{address}/export/csv").text.replace("\u202f", " ")
    for _file, sentence in LEFT:
        assert sentence in shown
        assert sentence in findings
        assert sentence in export
    assert len(kept_files(app)) == 1
    with platform() as session:
        run = session.scalars(select(ImportRun)).one()
        assert [file["name"] for file in run.files if "stored" in file] == ["eleves.xml"]


def test_deposit_a_folder_says_what_it_left_after_a_new_analysis_and_once_applied(app: Flask, as_: As) -> None:
    browser = as_("administrator")
    address = analyse(browser, FAMILIES, ONE)

    browser.post(f"{address}/analyser", {"version": browser.form(address)["version"]})

    assert LEFT[0][1] in Page(browser.get(f"{address}/constats")).text
    assert LEFT[0][1] in Page(apply(app, browser, address)).text


def test_deposit_an_archive_says_which_members_it_left(as_: As) -> None:
    browser = as_("administrator")
    members = {
        "dossier/eleves.xml": ONE[1],
        "dossier/Responsables.xml": FAMILIES.read_bytes(),
        "lisezmoi.txt": b"Bonjour.",
        "photo.jpg": b"x",
    }

    address = analyse(browser, ("export.zip", zip_of(members)))

    shown = Page(browser.get(address)).text
    for sentence in (
        "« export.zip › Responsables.xml » : le fichier des responsables",
        "« export.zip › lisezmoi.txt » : ce fichier n’est pas un export de SIECLE",
        "« export.zip › photo.jpg » : ce fichier n’est pas un export de SIECLE",
    ):
        assert sentence in shown


def test_deposit_an_archive_of_a_hundred_others_names_the_first_ones(as_: As) -> None:
    browser = as_("administrator")
    members = {"eleves.xml": ONE[1]} | {f"{number:03}.jpg": b"x" for number in range(100)}

    page = Page(browser.get(analyse(browser, ("export.zip", zip_of(members)))))

    assert "« export.zip › 019.jpg »" in page.text
    assert "Et 80 autres fichiers" in page.text


def test_deposit_a_table_with_one_in_another_format_takes_the_first_and_says_so(
    app: Flask, as_: As, arrange: Look, world: World
) -> None:
    with arrange() as session:
        session.get_one(Establishment, world.a.id).uses_siecle = False
    browser = as_("administrator")
    sheet = zip_of({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "content.xml": b"<x/>"})
    others = (("personnels.ods", sheet), ("tarifs.csv", b"Article;Prix\r\nCahier;2\r\n"))

    shown = Page(browser.get(analyse(browser, TABLE, *others))).text
    assert "« personnels.ods » : ce fichier est un classeur OpenDocument (.ods)" in shown
    assert "« tarifs.csv »" in shown

    refused = Page(send(browser, TABLE, *others, ("abime.csv", b'Nom;Pr"e;Classe\r\nA;B"";C\r\n"')))
    assert "« abime.csv »" in refused.error("files")
    assert "tarifs.csv" not in refused.error("files")


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (("e.xml", b'<!DOCTYPE x [<!ENTITY a "b">]>' + ONE[1].partition(b"?>")[2]), "DOCTYPE"),
        (("e.xml", ONE[1].replace(b"0999001W", b"0999002X")), "0999002X, et non du vôtre"),
        (("e.xml", ONE[1][:-40]), "incomplet ou abîmé"),
        (("e.xml", b""), "vide"),
        (("e.xml", b"<!doctype html><html><body>Connexion</body></html>"), "page web"),
    ],
)
def test_deposit_a_folder_with_an_attack_or_a_damaged_export_is_refused_whole(
    app: Flask, as_: As, file: tuple[str, bytes], words: str
) -> None:
    answer = send(as_("administrator"), FAMILIES, ONE, file)

    refusal = Page(answer).error("files")
    assert answer.status_code == 422
    assert words in refusal
    assert LEFT[0][1] not in refusal  # it is not what keeps the rest from being taken
    assert kept_files(app) == []


def test_deposit_a_folder_without_anything_useful_is_refused_with_each_reason(as_: As) -> None:
    answer = send(as_("administrator"), FAMILIES, COMMON)

    refusal = Page(answer).error("files")
    assert answer.status_code == 422
    assert LEFT[0][1] in refusal
    assert LEFT[1][1] in refusal
