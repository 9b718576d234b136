"""A CFA without SIECLE: a table filled with all that people do to it, corrected from the refusals alone."""

from __future__ import annotations

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
    choices = administrator.page.xpath("//main//input[@type='radio']")
    [same] = [each for each in choices if administrator.label_of(each).startswith("La même personne")]
    administrator.fill_and_press("Enregistrer les réponses", {same.get("name"): same.get("value")})
    boxes = administrator.values("confirmations")
    steps.apply_import(platform, administrator, **({"confirmations": boxes} if boxes else {}))
    administrator.menu("Élèves")
    administrator.press("Filtrer", situation="partis")
    administrator.sees("SCHISTE Éva", "1 élève")
    assert platform.journal("cfa").count("import:table:applied") == 2
