"""Students of SIECLE: the samples' figures, then each rule."""

from __future__ import annotations

import datetime as dt
import io

import pytest

from cpro.imports.errors import BrokenXML, TooManyLines
from cpro.imports.parse.findings import FindingCode, Severity
from cpro.imports.parse.records import StudentRecord
from cpro.imports.parse.siecle import reader
from cpro.imports.parse.siecle.reader import read_students
from tests.helpers.siecle import FILES, structures, student, students_xml

TODAY = dt.date(2026, 10, 5)


def read(xml: str) -> list[StudentRecord]:
    return list(read_students(io.BytesIO(xml.encode("iso-8859-15")), today=TODAY))


def read_one(**children: str) -> StudentRecord:
    [found] = read(students_xml(student(**children), structures("1", "2MELEC1")))
    return found


def codes(record: StudentRecord) -> list[FindingCode]:
    return [finding.code for finding in record.findings]


@pytest.fixture(params=["ElevesSansAdresses.xml", "ElevesAvecAdresses.xml"])
def samples(request: pytest.FixtureRequest) -> dict[str, StudentRecord]:
    with (FILES / request.param).open("rb") as stream:
        return {record.siecle_id: record for record in read_students(stream, today=TODAY)}


class TestReadStudentsSamples:
    def test_read_students_counts_are_those_expected(self, samples: dict[str, StudentRecord]) -> None:
        records = samples.values()

        assert len(samples) == 13
        assert sum(bool(record.division_code) and not record.has_departed for record in records) == 11
        assert [record.siecle_id for record in records if record.has_departed] == ["900006"]
        assert [record.siecle_id for record in records if not record.division_code] == ["900008"]
        assert [record.siecle_id for record in records if record.ine is None] == ["900005"]
        assert not [record for record in records if record.is_refused]

    def test_read_students_findings_are_those_expected(self, samples: dict[str, StudentRecord]) -> None:
        assert {number: codes(record) for number, record in samples.items() if record.findings} == {
            "900005": [FindingCode.INE_MISSING],
            "900007": [FindingCode.LEAVING_LATER],
            "900008": [FindingCode.WITHOUT_CLASS],
            "900012": [FindingCode.TWO_DIVISIONS],
        }

    def test_read_students_values_are_cleaned(self, samples: dict[str, StudentRecord]) -> None:
        names = {number: (record.last_name, record.usage_name, record.first_name) for number, record in samples.items()}

        assert names["900002"] == ("D'EXEMPLE-ÉPROUVÉ", "", "Jean-Noël")
        assert names["900003"] == ("FICTIF", "FICTIF DE LA MAQUETTE", "Maëlys")
        assert names["900011"] == ("APPRENTI", "", "Théo")
        assert names["900013"] == ("ANCIENFORMAT", "", "Noé")
        assert samples["900002"].division_code == "T MELEC"
        assert samples["900012"].division_code == "2MELEC1"
        assert samples["900002"].birth_date == dt.date(2008, 2, 29)

    def test_read_students_what_is_never_stored_is_not_read(self, samples: dict[str, StudentRecord]) -> None:
        everything = repr(list(samples.values()))

        for secret in ("0600000001", "exemple.invalid", "95127", "VILLEIMAGINAIRE", "RUE"):
            assert secret not in everything


class TestCheckINE:
    @pytest.mark.parametrize(
        ("children", "ine"),
        [
            ({"ine": "990000011DB"}, "990000011DB"),
            ({"ine": "", "INE_RNIE": "990000022CA", "INE_BEA": "9900000044N"}, "990000022CA"),
            ({"ine": "", "INE_BEA": " 9900000044n "}, "9900000044N"),
            ({"ine": "court", "INE_RNIE": "990000022CA"}, "990000022CA"),
        ],
    )
    def test_check_ine_takes_the_first_well_formed(self, children: dict[str, str], ine: str) -> None:
        found = read_one(**children)

        assert found.ine == ine
        assert not found.findings

    def test_check_ine_refuses_a_malformed_one(self) -> None:
        found = read_one(ine="12345")

        assert found.is_refused
        assert codes(found) == [FindingCode.INE_MALFORMED]

    def test_check_ine_warns_of_a_doubtful_key(self) -> None:
        found = read_one(ine="990000011AA")

        assert not found.is_refused
        assert codes(found) == [FindingCode.INE_DOUBTFUL]

    def test_check_ine_refuses_every_line_of_a_double(self) -> None:
        records = read(students_xml(student("1") + student("2") + student("3", "990000022CA")))

        assert [FindingCode.INE_DUPLICATE in codes(record) for record in records] == [True, True, False]

    def test_check_ine_says_nothing_personal(self) -> None:
        records = read(students_xml(student("1", PRENOM="x" * 200) + student("2")))

        for record in records:
            for finding in record.findings:
                assert "990000011DB" not in finding.sentence
                assert "TESTEUR" not in finding.sentence


class TestCheckID:
    def test_check_id_refuses_every_line_of_a_double_number(self) -> None:
        records = read(students_xml(student("1") + student("1", "990000022CA")))

        assert [FindingCode.ID_DUPLICATE in codes(record) for record in records] == [True, True]

    def test_check_id_refuses_without_number(self) -> None:
        records = read(students_xml(student("") + student(" ", "990000022CA")))

        assert [FindingCode.ID_MISSING in codes(record) for record in records] == [True, True]
        assert not any(FindingCode.ID_DUPLICATE in codes(record) for record in records)

    @pytest.mark.parametrize(
        ("children", "code"),
        [
            ({"NOM_DE_FAMILLE": ""}, FindingCode.NAME_MISSING),
            ({"PRENOM": ' " '}, FindingCode.NAME_REFUSED),
            ({"PRENOM": "x" * 101}, FindingCode.NAME_REFUSED),
            ({"NOM_DE_FAMILLE": "A&#x85;B"}, FindingCode.NAME_REFUSED),
            ({"DATE_NAISS": "30/02/2010"}, FindingCode.DATE_MALFORMED),
            ({"DATE_NAISS": "2010-02-01"}, FindingCode.DATE_MALFORMED),
            ({"DATE_NAISS": "06/10/2026"}, FindingCode.DATE_MALFORMED),
            ({"DATE_SORTIE": "hier"}, FindingCode.DATE_MALFORMED),
        ],
    )
    def test_read_students_refuses_what_cannot_be_stored(self, children: dict[str, str], code: FindingCode) -> None:
        found = read_one(**children)

        assert found.is_refused
        assert codes(found) == [code]

    def test_check_birth_date_a_day_to_come_is_said_to_come(self) -> None:
        (finding,) = read_one(DATE_NAISS="06/10/2026").findings

        assert finding.sentence == "La date de naissance est à venir : corrigez l’année."

    def test_read_students_strips_stray_quotes_and_blanks(self) -> None:
        found = read_one(NOM_DE_FAMILLE='"D\'EXEMPLE"', PRENOM="  Léo   Paul ", NOM_USAGE="D'EXEMPLE")

        assert (found.last_name, found.usage_name, found.first_name) == ("D'EXEMPLE", "", "Léo Paul")

    @pytest.mark.parametrize(
        ("children", "code"),
        [
            ({"DATE_NAISS": ""}, FindingCode.BIRTH_DATE_MISSING),
            ({"CODE_MEF": "123"}, FindingCode.MEF_MALFORMED),
            ({"ine": ""}, FindingCode.INE_MISSING),
        ],
    )
    def test_read_students_warns_of_what_is_absent(self, children: dict[str, str], code: FindingCode) -> None:
        found = read_one(**children)

        assert [(finding.code, finding.code.severity) for finding in found.findings] == [(code, Severity.WARNING)]


class TestCheckLeavingDate:
    @pytest.mark.parametrize(
        ("day", "has_departed"), [("04/10/2026", True), ("05/10/2026", True), ("06/10/2026", False)]
    )
    def test_check_leaving_date_has_departed_from_the_day_on(self, day: str, has_departed: bool) -> None:
        found = read_one(DATE_SORTIE=day)

        assert found.has_departed is has_departed
        assert codes(found) == ([] if has_departed else [FindingCode.LEAVING_LATER])


class TestCheckDivision:
    @pytest.mark.parametrize(
        ("block", "division", "code"),
        [
            (structures("1", "201"), "201", None),
            (structures("1", "G1", kind="G"), "", FindingCode.WITHOUT_CLASS),
            (structures("1", "X1", kind="Z"), "", FindingCode.WITHOUT_CLASS),
            ("", "", FindingCode.WITHOUT_CLASS),
            (structures("1", "A", "B"), "A", FindingCode.TWO_DIVISIONS),
            (structures("1", "A") + structures("1", "A"), "A", None),
            (structures("1", "A") + structures("1", "B"), "A", FindingCode.TWO_DIVISIONS),
            (structures("1", "Inactifs"), "", FindingCode.INACTIVE_DIVISION),
            (structures("1", "TROPLONGUE"), "", FindingCode.DIVISION_MALFORMED),
            (structures("99", "A"), "", FindingCode.WITHOUT_CLASS),
        ],
    )
    def test_check_division_comes_from_the_other_block(
        self, block: str, division: str, code: FindingCode | None
    ) -> None:
        [found] = read(students_xml(student(), block))

        assert found.division_code == division
        assert codes(found) == ([code] if code else [])

    def test_check_division_may_come_before_the_students(self) -> None:
        xml = students_xml(student(), structures("1", "A"))
        first, second = xml.index("<ELEVES>"), xml.index("<STRUCTURES>")
        end = xml.index("</DONNEES>")

        [found] = read(xml[:first] + xml[second:end] + xml[first:second] + xml[end:])

        assert found.division_code == "A"

    def test_check_division_is_read_in_the_newer_block_when_the_older_one_is_silent(self) -> None:
        newer = (
            '<SCOLARITES><SCOLARITE_ELEVE ELEVE_ID="1"><SCOLARITE><CODE_MEF>24725510320</CODE_MEF>'
            "<CODE_STRUCTURE>1MELEC</CODE_STRUCTURE></SCOLARITE></SCOLARITE_ELEVE></SCOLARITES></DONNEES>"
        )

        [found] = read(students_xml(student(CODE_MEF="")).replace("</DONNEES>", newer))

        assert (found.division_code, found.mef_code) == ("1MELEC", "24725510320")

    def test_check_division_of_last_year_is_not_taken_for_that_of_this_year(self) -> None:
        last_year = "<CODE_MEF>1</CODE_MEF><CODE_STRUCTURE>OLD</CODE_STRUCTURE>"

        found = read_one(SCOLARITE_AN_DERNIER=last_year)

        assert (found.division_code, found.mef_code) == ("2MELEC1", "24725510310")


class TestReadStudents:
    @pytest.mark.integration
    def test_read_students_lines_are_right_beyond_what_libxml2_stores(self) -> None:
        xml = students_xml("\n".join(student(str(number)).replace("><", ">\n<") for number in range(12_000)))
        expected = [number for number, line in enumerate(xml.split("\n"), 1) if line.startswith("<ELEVE ")]

        lines = [record.line for record in read(xml)]

        assert lines[-1] > 65535
        assert lines == expected

    def test_read_students_texts_survive_beyond_the_lines_that_libxml2_stores(self) -> None:
        xml = students_xml("\n" * 70_000 + student(NOM_DE_FAMILLE="ABCDEFGHIJKLMNO", PRENOM="ABCDEFGHIJK"))

        [found] = read(xml)

        assert (found.last_name, found.first_name) == ("ABCDEFGHIJKLMNO", "ABCDEFGHIJK")

    def test_read_students_nothing_is_yielded_of_a_damaged_file(self) -> None:
        records = read_students(io.BytesIO(students_xml(student())[:-20].encode()), today=TODAY)

        with pytest.raises(BrokenXML):
            next(records)

    def test_read_students_refuses_more_students_than_any_school_has(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reader, "MAX_STUDENTS", 2)

        with pytest.raises(TooManyLines):
            read(students_xml("".join(student(str(number)) for number in range(3))))

    def test_read_students_an_export_without_students_has_none(self) -> None:
        assert read(students_xml("")) == []
