"""A CFA without SIECLE: a table filled with all that people do to it, corrected from the refusals alone."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import xlsxwriter

from tests.journeys import steps
from tests.journeys.live import Live
from tests.journeys.visitor import Visitor

TITLES = "Nom de famille;Nom d’usage;Prénom;Date de naissance;INE;Division;Code MEF;Date de sortie;Numéro"


def test_without_siecle(platform: Live) -> None:
    administrator = steps.create_school(platform, code="cfa", uai=steps.OTHER_UAI, name="CFA des Ardoises")
    steps.complete_particulars(administrator, email="cfa@ardoises.example")
    steps.switch_transfers_on(administrator, uses_siecle=False)

    _the_template_is_offered(administrator)
    _what_a_person_typed_is_refused_line_by_line(administrator)
    _corrected_from_the_refusals_it_goes_in(platform, administrator)
    _the_same_file_changes_nothing(platform, administrator)
    _a_pupil_leaves(platform, administrator)
    _a_workbook_as_excel_keeps_it_is_refused_line_by_line(administrator)
    _corrected_from_the_refusals_the_workbook_goes_in(platform, administrator)
    _undone_unless_somebody_corrected_one_by_hand(platform, administrator)
    _a_duplicate_is_merged(platform, administrator)
    _an_apprentice_reads_the_contacts(platform, administrator)


def _the_template_is_offered(administrator: Visitor) -> None:
    administrator.menu("Gérer les imports")
    administrator.follow("élèves, CSV")
    assert administrator.answer.content.decode("utf-8-sig").strip() == TITLES


def _table(*lines: str, encoding: str = "cp1252") -> list[tuple[str, bytes]]:
    return [("apprentis.csv", "\r\n".join((TITLES, *lines)).encode(encoding))]


def _what_a_person_typed_is_refused_line_by_line(administrator: Visitor) -> None:
    """Trailing blanks, capitals or none, days written otherwise are understood; what means nothing is reported."""
    steps.deposit(
        administrator,
        _table(
            "mica ;; Zoé;3/4/2009;;1 CAP;;;",
            "ARDOISE;;Lou;31/02/2009;;1 CAP;;;",
            ";;Anaïs;2009-05-06;;1 CAP;;;",
            "SCHISTE;;Éva;06/05/2009;123;1 CAP;;;",
        ),
    )
    administrator.sees("date illisible", "La date de naissance n’existe pas", "nom ou prénom absent")
    administrator.sees("3 ARDOISE Lou", "4 Anaïs")
    administrator.follow("Abandonner cet import")
    administrator.press("Abandonner cet import")


def _corrected_from_the_refusals_it_goes_in(platform: Live, administrator: Visitor) -> None:
    steps.deposit(administrator, _corrected())
    steps.apply_import(platform, administrator)
    administrator.menu("Élèves")
    administrator.sees("MICA Zoé", "ARDOISE Lou", "GRANITE Anaïs", "SCHISTE Éva", "4 élèves")
    assert platform.rows("SELECT count(*) FROM student") == [(4,)]


def _corrected(departed_on: str = "") -> list[tuple[str, bytes]]:
    return _table(
        "MICA;;Zoé;03/04/2009;;1 CAP;;;",
        "ARDOISE;;Lou;28/02/2009;;1 CAP;;;",
        "GRANITE;;Anaïs;06/05/2009;;1 CAP;;;",
        f"SCHISTE;;Éva;06/05/2009;;1 CAP;;{departed_on};",
        encoding="utf-8-sig",
    )


def _the_same_file_changes_nothing(platform: Live, administrator: Visitor) -> None:
    before = platform.rows("SELECT id, last_name, first_name, is_active FROM student ORDER BY id")
    steps.deposit(administrator, _corrected())
    administrator.sees("Élèves 0 0 0 0 4 0")
    assert platform.rows("SELECT id, last_name, first_name, is_active FROM student ORDER BY id") == before


def _a_pupil_leaves(platform: Live, administrator: Visitor) -> None:
    steps.deposit(administrator, _corrected(departed_on="01/11/2026"))
    _it_is_the_same_person(administrator)
    boxes = administrator.values("confirmations")
    steps.apply_import(platform, administrator, **({"confirmations": boxes} if boxes else {}))
    administrator.menu("Élèves")
    administrator.press("Filtrer", situation="partis")
    administrator.sees("SCHISTE Éva", "1 élève")
    assert platform.journal("cfa").count("import:table:applied") == 2


def _it_is_the_same_person(administrator: Visitor) -> None:
    choices = administrator.page.xpath("//main//input[@type='radio']")
    [same] = [each for each in choices if administrator.label_of(each).startswith("La même personne")]
    administrator.fill_and_press("Enregistrer les réponses", {same.get("name"): same.get("value")})


def _workbook(*lines: tuple[Any, ...], merged: str = "") -> list[tuple[str, bytes]]:
    """Return a workbook under a merged title, its heads on the third row; a date is one, a number too."""
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream) as book:
        sheet, days = book.add_worksheet("Apprentis"), book.add_format({"num_format": "dd/mm/yyyy"})
        sheet.merge_range("A1:I1", "CFA des Ardoises – apprentis 2026-2027", book.add_format({"bold": True}))
        sheet.write_row(2, 0, TITLES.split(";"))
        for row, cells in enumerate(lines, 3):
            for column, cell in enumerate(cells):
                if isinstance(cell, dt.date):
                    sheet.write_datetime(row, column, cell, days)
                elif isinstance(cell, str) and cell.startswith("="):
                    formula, _, value = cell.partition("→")  # a spreadsheet keeps what it computed beside the formula
                    sheet.write_formula(row, column, formula, value=value)
                else:
                    sheet.write(row, column, cell)
        if merged:
            sheet.merge_range(merged, lines[0][5])
    return [("apprentis.xlsx", stream.getvalue())]


def _those_of_before(division: str = "1 CAP") -> list[tuple[Any, ...]]:
    return [
        ("MICA", "", "Zoé", dt.date(2009, 4, 3), "", division, "", "", ""),
        ("ARDOISE", "", "Lou", dt.date(2009, 2, 28), "", "1 CAP", "", "", ""),
        ("GRANITE", "", "Anaïs", dt.date(2009, 5, 6), "", "1 CAP", "", "", ""),
    ]


def _a_workbook_as_excel_keeps_it_is_refused_line_by_line(administrator: Visitor) -> None:
    """Heads on a third row, blank rows, merged cells, a day as a number, lost zeros, formulas, blanks at the end."""
    steps.deposit(
        administrator,
        _workbook(
            *_those_of_before(),
            (),
            ("  basalte  ", "", "Théo ", 39850, 12345678, "2 CAP", 24125521, "", 42),
            ("GRÈS", "", '=PROPER("léa")→Léa', "31/11/2008", "", 2e20, "", "", "0042"),
            ("", "  ", "", "", "", "", "", "", ""),
            ("QUARTZ", "", "=B3→#REF!", dt.date(2128, 1, 1), "", "2 CAP", "", "", 42),
            merged="F4:F6",
        ),
    )
    administrator.sees(
        "Les cellules F4:F6 sont fusionnées",
        "8 BASALTE Théo refusé INE mal formé",
        "8 BASALTE Théo refusé date illisible La date de naissance n’existe pas ou n’est pas écrite jj/mm/aaaa",
        "9 GRÈS Léa refusé code de division changé par le tableur",
        "11 QUARTZ #REF! refusé cellule illisible",
        "11 QUARTZ #REF! refusé date illisible La date de naissance est à venir",
        "est porté par plusieurs élèves (lignes 8 et 11)",
    )


def _corrected_workbook() -> list[tuple[str, bytes]]:
    twice = ("GRANITE", "", "Anaïs", dt.date(2009, 6, 5), "", "2 CAP", "", "", 44)  # day and month the other way
    return _workbook(*_those_of_before("2 CAP"), (), *_the_new_ones(), twice)


def _the_new_ones() -> list[tuple[Any, ...]]:
    return [
        ("  basalte  ", "", "Théo ", dt.date(2009, 2, 6), "990000011DB", "2 CAP", 24125521210, "", 42),
        ("GRÈS", "", '=PROPER("léa")→Léa', "30/11/2008", "", "2E20", "", "", "0042"),
        ("QUARTZ", "", "Nino", dt.date(2008, 1, 1), "", "2 CAP", "", "", 43),
    ]


def _corrected_from_the_refusals_the_workbook_goes_in(platform: Live, administrator: Visitor) -> None:
    steps.deposit(administrator, _corrected_workbook())
    administrator.sees("Élèves 4 0 0 0 2 0 1")
    _it_is_the_same_person(administrator)
    administrator.sees("Élèves 4 1 0 0 2 0")
    steps.apply_import(platform, administrator)
    administrator.sees("Élèves 4 1 0 0 2 0")


def _undone_unless_somebody_corrected_one_by_hand(platform: Live, administrator: Visitor) -> None:
    """The pupil whom somebody moved since is named; moved back, they and the others are as before the import."""
    _moves_to(administrator, "Zoé MICA", "1 CAP")
    administrator.menu("Gérer les imports")
    administrator.follow("Annuler le dernier import")
    administrator.press("Annuler cet import")
    assert administrator.status == 409
    administrator.sees("le dossier de Zoé MICA a changé depuis", "Rien n’a été défait")
    _moves_to(administrator, "Zoé MICA", "2 CAP")
    administrator.menu("Gérer les imports")
    administrator.follow("Annuler le dernier import")
    administrator.press("Annuler cet import")
    administrator.sees("annulé. Les données sont comme avant lui")
    assert platform.rows("SELECT count(*) FROM student") == [(4,)]
    administrator.menu("Élèves")
    administrator.sees("MICA Zoé 03/04/2009 1 CAP", "4 élèves")
    administrator.does_not_see("2 CAP")
    assert platform.journal("cfa")[-1] == "import:table:undone"


def _moves_to(administrator: Visitor, name: str, division: str) -> None:
    administrator.menu("Élèves")
    administrator.follow(name)
    administrator.follow("Changer de division")
    administrator.press("Changer de division", division=administrator.value_called("division", division))
    assert administrator.status == 200, administrator.text


def _a_duplicate_is_merged(platform: Live, administrator: Visitor) -> None:
    """The workbook goes in again, and with it the pupil whose day and month were typed the other way."""
    _corrected_from_the_refusals_the_workbook_goes_in(platform, administrator)
    administrator.menu("Élèves")
    administrator.follow("Anaïs GRANITE (1 CAP, 06/05/2009)")
    administrator.follow("Réunir un doublon")
    administrator.follow("Comparer GRANITE Anaïs (05/06/2009")
    administrator.sees("Elle prend de l’autre ce qui lui manque : le numéro", "Cela ne s’annule pas")
    administrator.press("Réunir les deux fiches", current_password=steps.PASSWORD)
    administrator.sees("Les deux fiches sont réunies en une seule, celle-ci", "06/05/2009")
    granite = "SELECT local_id, is_active, merged_into_id IS NULL FROM student WHERE last_name = 'GRANITE' ORDER BY id"
    assert [(number, bool(there), bool(kept)) for number, there, kept in platform.rows(granite)] == [
        ("44", True, True),
        (None, False, False),
    ]
    administrator.menu("Élèves")
    administrator.press("Filtrer", situation=administrator.value_called("situation", "doublons réunis"))
    administrator.sees("GRANITE Anaïs 05/06/2009", "1 élève")
    administrator.menu("Gérer les imports")
    administrator.follow("Annuler le dernier import")
    administrator.press("Annuler cet import")
    assert administrator.status == 409
    administrator.sees("le dossier d’Anaïs GRANITE a changé depuis", "Rien n’a été défait")
    steps.deposit(administrator, _workbook(*_those_of_before("2 CAP"), *_the_new_ones()))
    administrator.sees("Élèves 0 0 0 0 6 0")
    assert platform.journal("cfa").count("student:merged") == 1


def _an_apprentice_reads_the_contacts(platform: Live, administrator: Visitor) -> None:
    administrator.menu("Élèves")
    administrator.follow("Ouvrir les comptes de tous (6)")
    administrator.press("Ouvrir 6 comptes")
    code = steps.give_code(administrator, "MICA")
    apprentice = steps.activate(platform, "an apprentice", school="cfa", login="zoe.mica", code=code)
    apprentice.sees("Mon établissement", "CFA des Ardoises", "1 rue des Quartz, 75005 Paris", "cfa@ardoises.example")
    apprentice.follow("Données personnelles")
    apprentice.sees("dpd@academie.example")
    journal = platform.journal("cfa")
    assert [journal.count(f"import:table:{each}") for each in ("applied", "undone", "abandoned")] == [4, 1, 1]
    assert platform.mails() == []  # nobody here has an address
