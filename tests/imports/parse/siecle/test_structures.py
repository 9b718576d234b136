"""Divisions, groups, MEFs, people and services."""

from __future__ import annotations

import io

import pytest

from cpro.imports.errors import TooManyLines
from cpro.imports.parse.findings import FindingCode
from cpro.imports.parse.siecle import structures
from cpro.imports.parse.siecle.structures import read_nomenclature, read_structures
from cpro.imports.parse.siecle.sts import STSContents, read_sts
from tests.helpers.siecle import FILES


def sts(people: str, divisions: str = "", groups: str = "") -> STSContents:
    xml = (
        f"<STS_EDT><PARAMETRES/><DONNEES><INDIVIDUS>{people}</INDIVIDUS><STRUCTURE><DIVISIONS>{divisions}</DIVISIONS>"
        f"<GROUPES>{groups}</GROUPES></STRUCTURE></DONNEES></STS_EDT>"
    )
    return read_sts(io.BytesIO(xml.encode()))


def services(*people: tuple[str, str]) -> str:
    teachers = "".join(f'<ENSEIGNANT TYPE="{kind}" ID="{number}"/>' for number, kind in people)
    return f"<SERVICES><SERVICE><ENSEIGNANTS>{teachers}</ENSEIGNANTS></SERVICE></SERVICES>"


class TestReadStructures:
    def test_read_structures_reads_the_sample(self) -> None:
        with (FILES / "Structures.xml").open("rb") as stream:
            found = read_structures(stream)

        assert {division.code: (division.label, division.mef_codes) for division in found.divisions} == {
            "2MELEC1": ("2NDE PRO MELEC 1", ("24725510310",)),
            "201": ("2NDE PRO COMMUNE", ("24725510310",)),
            "1MELEC": ("1ERE PRO MELEC", ("24725510320",)),
            "T MELEC": ("TERMINALE PRO MELEC", ("24725510330",)),
            "1CAPMM": ("", ("24125221210",)),
        }
        assert {group.code: group.division_codes for group in found.groups} == {
            "TMELECG1": ("T MELEC",),
            "TMELECG2": ("T MELEC",),
            "_TMELP1": ("T MELEC", "1MELEC"),
        }
        assert not found.findings

    def test_read_structures_keeps_every_mef_of_a_mixed_division(self) -> None:
        xml = (
            b"<BEE_STRUCTURES><DONNEES><DIVISIONS><DIVISION CODE_STRUCTURE='A'><MEFS_APPARTENANCE>"
            b"<MEF_APPARTENANCE><CODE_MEF>24725510310</CODE_MEF></MEF_APPARTENANCE>"
            b"<MEF_APPARTENANCE><CODE_MEF>2472551031A</CODE_MEF></MEF_APPARTENANCE>"
            b"<MEF_APPARTENANCE><CODE_MEF>bad</CODE_MEF></MEF_APPARTENANCE>"
            b"</MEFS_APPARTENANCE></DIVISION><DIVISION/></DIVISIONS></DONNEES></BEE_STRUCTURES>"
        )

        found = read_structures(io.BytesIO(xml))

        assert found.divisions[0].mef_codes == ("24725510310", "2472551031A")
        assert [finding.code for finding in found.findings] == [
            FindingCode.MEF_MALFORMED,
            FindingCode.DIVISION_MALFORMED,
        ]

    def test_read_structures_refuses_more_than_any_school_has(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(structures, "MAX_ENTRIES", 2)

        with (FILES / "Structures.xml").open("rb") as stream, pytest.raises(TooManyLines):
            read_structures(stream)


class TestReadNomenclature:
    def test_read_nomenclature_reads_the_sample_without_the_padding(self) -> None:
        with (FILES / "Nomenclature.xml").open("rb") as stream:
            found = read_nomenclature(stream)

        assert [(mef.code, mef.label) for mef in found.mefs] == [
            ("24725510310", "2NDPRO METIERS ELECTRICITE (MELEC)"),
            ("24725510320", "1ERPRO METIERS ELECTRICITE (MELEC)"),
            ("24725510330", "TLEPRO METIERS ELECTRICITE (MELEC)"),
            ("24125221210", "1CAP2 MAINTENANCE DES MATERIELS OPT A"),
        ]
        assert not found.findings
