"""The export of STS-Web: people, services, and what keeps a person out."""

from __future__ import annotations

import io

import pytest

from cpro.imports.parse.findings import FindingCode
from cpro.imports.parse.siecle.sts import STSContents, read_sts
from tests.helpers.siecle import FILES


def sts(people: str, divisions: str = "", groups: str = "") -> STSContents:
    xml = (
        f"<STS_EDT><PARAMETRES/><DONNEES><INDIVIDUS>{people}</INDIVIDUS><STRUCTURE><DIVISIONS>{divisions}</DIVISIONS>"
        f"<GROUPES>{groups}</GROUPES></STRUCTURE></DONNEES></STS_EDT>"
    )
    return read_sts(io.BytesIO(xml.encode()))


def person(sts_id: str = "1", sts_type: str = "epp", **children: str) -> str:
    values = {"CIVILITE": "2", "NOM_USAGE": "BOBINE", "PRENOM": "Anne", "FONCTION": "ENS"} | children
    return (
        f'<INDIVIDU ID="{sts_id}" TYPE="{sts_type}">'
        + "".join(f"<{tag}>{text}</{tag}>" for tag, text in values.items())
        + "</INDIVIDU>"
    )


def services(*people: tuple[str, str]) -> str:
    teachers = "".join(f'<ENSEIGNANT TYPE="{kind}" ID="{number}"/>' for number, kind in people)
    return f"<SERVICES><SERVICE><ENSEIGNANTS>{teachers}</ENSEIGNANTS></SERVICE></SERVICES>"


class TestReadSTS:
    def test_read_sts_reads_the_sample(self) -> None:
        with (FILES / "sts_emp_0999001W_2026.xml").open("rb") as stream:
            found = read_sts(stream)

        assert [(row.sts_id, row.sts_type, row.function, row.division_codes) for row in found.people] == [
            ("99001", "epp", "ENS", ("1MELEC", "T MELEC")),
            ("99002", "epp", "ENS", ("2MELEC1", "201", "T MELEC")),
            ("99003", "epp", "ENS", ("2MELEC1",)),
            ("99004", "epp", "DIR", ()),
            ("99005", "epp", "EDU", ()),
            ("99006", "epp", "DOC", ()),
            ("99007", "epp", "", ("1MELEC",)),
            ("99001", "local", "", ("2MELEC1",)),
        ]
        assert [row.sts_id for row in found.people if row.is_ignored] == ["99007"]
        assert not [row for row in found.people if row.is_refused]
        assert (found.people[1].civility, found.people[1].last_name, found.people[1].first_name) == (
            "Mme",
            "BOBINE-TEST",
            "Anne-Maïwenn",
        )
        assert found.people[0].disciplines == ("ELECTROTECH",)
        assert [division.code for division in found.divisions] == ["2MELEC1", "201", "1MELEC", "T MELEC", "1CAPMM"]
        assert not found.findings

    def test_read_sts_birth_dates_are_not_read(self) -> None:
        with (FILES / "sts_emp_0999001W_2026.xml").open("rb") as stream:
            assert "1975" not in repr(read_sts(stream))

    def test_read_sts_an_id_is_shared_by_two_types_but_not_within_one(self) -> None:
        found = sts(person("1") + person("1", "local") + person("2") + person("2"))

        assert [row.is_refused for row in found.people] == [False, False, True, True]

    def test_read_sts_a_group_gives_its_teachers_its_divisions(self) -> None:
        group = (
            '<GROUPE CODE="G"><DIVISIONS_APPARTENANCE><DIVISION_APPARTENANCE CODE="A"/>'
            f'<DIVISION_APPARTENANCE CODE="Z"/></DIVISIONS_APPARTENANCE>{services(("1", "epp"))}</GROUPE>'
        )

        found = sts(person(), '<DIVISION CODE="A"/>', group)

        assert found.people[0].division_codes == ("A",)
        assert [finding.code for finding in found.findings] == [FindingCode.UNKNOWN_DIVISION]

    def test_read_sts_a_service_without_teacher_is_reported(self) -> None:
        found = sts(person(), f'<DIVISION CODE="A">{services(("9", "epp"), ("1", "local"))}</DIVISION>')

        assert [finding.code for finding in found.findings] == [FindingCode.UNKNOWN_PERSON] * 2

    @pytest.mark.parametrize(
        ("xml", "code"),
        [
            (person(""), FindingCode.ID_MISSING),
            (person("1", "autre"), FindingCode.ID_MISSING),
            (person(NOM_USAGE=""), FindingCode.NAME_MISSING),
            (person(FONCTION=""), FindingCode.WITHOUT_FUNCTION),
        ],
    )
    def test_read_sts_says_what_keeps_a_person_out(self, xml: str, code: FindingCode) -> None:
        [found] = sts(xml).people

        assert [finding.code for finding in found.findings] == [code]

    def test_read_sts_takes_the_name_of_birth_where_no_other_is_used(self) -> None:
        [found] = sts(person(NOM_USAGE="", NOM_PATRONYMIQUE="CUIVRE")).people

        assert found.last_name == "CUIVRE"
