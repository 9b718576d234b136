"""Accounts that imports open: teachers, heads within their rules, pupils when asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select

from cpro.audit.models import AuditEntry
from cpro.core.permissions import Role
from cpro.establishments.models import Establishment
from cpro.imports.diff.services import merge_services
from cpro.students.models import Division, Student, TeacherDivision
from cpro.students.queries import list_division_codes_of
from cpro.users.models import Account
from cpro.users.operations.consent import grant_consent
from cpro.users.sign_in_models import ActivationCode
from tests.factories import NOW, make_account
from tests.helpers.imports import SAMPLES, Desk
from tests.helpers.siecle import FILES

STS = FILES / "sts_emp_0999001W_2026.xml"
HEAD = "paul.proviseur-fictif"


@pytest.fixture
def headless(desk: Desk) -> Desk:
    """Return the desk of a school where nobody is head."""
    with desk.open() as session:
        session.delete(session.get_one(Account, desk.world.a.account_ids["head"]))
    return desk


def changed(desk: Desk, *replacements: tuple[str, str]) -> Path:
    """Write STS-Web's sample with other texts."""
    text = STS.read_text("iso-8859-15")
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    return desk.write(text)


class TestWriteTeachers:
    def test_write_teachers_they_receive_an_account_without_address_password_or_code(self, desk: Desk) -> None:
        desk.import_files(*SAMPLES)

        teacher = desk.accounts()["gerard.cuivre-fictif"]
        assert (teacher["role"], teacher["sts_key"]) == ("teacher", "epp:99001")
        assert (teacher["email"], teacher["password_hash"], teacher["consent_needed"]) == ("", None, False)
        assert (teacher["civility"], teacher["discipline"]) == ("M.", "ELECTROTECH")
        with desk.look() as session:
            assert session.scalar(select(func.count(ActivationCode.id))) == 0
            assert list_division_codes_of(teacher["id"]) == ["1MELEC", "T MELEC"]

    def test_write_teachers_a_local_and_a_national_of_one_number_are_two_people(self, desk: Desk) -> None:
        desk.import_files(STS)

        keys = {account["sts_key"] for account in desk.accounts().values()}
        assert {"epp:99001", "local:99001"} <= keys

    def test_write_teachers_others_than_teachers_and_heads_receive_none(self, desk: Desk) -> None:
        run_id = desk.analyse(STS)
        desk.apply(run_id)

        assert {"sylvie.cpe-fictive", "nadege.docfictive", "marc.congelong"} & desk.accounts().keys() == set()
        assert [code for code, _ in desk.findings(run_id)].count("NOT_TAUGHT") == 2

    def test_write_teachers_logins_stay_whatever_becomes_of_names(self, desk: Desk) -> None:
        desk.import_files(STS)

        counts = desk.import_files(changed(desk, ("<NOM_USAGE>BOBINE-TEST<", "<NOM_USAGE>NOUVEAU-NOM<")))["staff"]

        teacher = desk.accounts()["anne-maiwenn.bobine-test"]
        assert (counts["changed"], counts["created"], teacher["last_name"]) == (1, 0, "NOUVEAU-NOM")

    def test_write_teachers_a_homonym_whom_the_file_also_names_receives_a_numbered_login(self, desk: Desk) -> None:
        desk.import_files(STS)
        text = STS.read_text("iso-8859-15")
        start = text.index('<INDIVIDU ID="99003" TYPE="epp">')
        person = text[start : text.index("</INDIVIDU>", start) + len("</INDIVIDU>")]

        desk.import_files(changed(desk, (person, person + person.replace("99003", "88003"))))

        assert desk.accounts()["eloise.noeud2"]["sts_key"] == "epp:88003"
        assert desk.accounts()["eloise.noeud"]["is_active"]

    def test_write_teachers_who_is_given_another_number_is_asked_about_and_stays(self, desk: Desk) -> None:
        desk.import_files(STS)

        counts = desk.import_files(changed(desk, ('ID="99003" TYPE="epp"', 'ID="88003" TYPE="epp"')))

        assert (counts["staff"]["created"], counts["staff"]["refused"], counts["unticked"]["staff"]) == (0, 1, 0)
        assert "eloise.noeud2" not in desk.accounts()

    def test_write_teachers_who_is_absent_is_proposed_unticked_and_stays(self, desk: Desk) -> None:
        desk.import_files(STS)

        renamed = ('ID="99003" TYPE="epp"', 'ID="88003" TYPE="epp"'), ("Éloïse", "Maud")
        counts = desk.import_files(changed(desk, *renamed))

        assert (counts["unticked"]["staff"], counts["staff"]["deactivated"]) == (1, 0)

    def test_write_teachers_a_teacher_created_by_hand_is_not_taken_over_by_name(self, desk: Desk) -> None:
        with desk.open() as session:
            session.add(make_account(desk.world.a.id, login="eloise", first_name="Éloïse", last_name="Nœud"))

        run_id = desk.analyse(STS)
        counts = desk.apply(run_id)["staff"]

        assert (counts["created"], counts["refused"]) == (4, 1)
        assert desk.accounts()["eloise"]["sts_key"] is None

    def test_write_teachers_an_account_closed_by_hand_stays_closed(self, desk: Desk) -> None:
        desk.import_files(STS)
        with desk.open() as session:
            session.scalars(select(Account).where(Account.login == "eloise.noeud")).one().is_active = False

        run_id = desk.analyse(STS)
        desk.apply(run_id)

        assert not desk.accounts()["eloise.noeud"]["is_active"]
        assert "CLOSED_BY_HAND" in {code for code, _ in desk.findings(run_id)}

    def test_write_teachers_without_services_in_september_divisions_are_kept(self, desk: Desk) -> None:
        desk.import_files(*SAMPLES)

        counts = desk.import_files(changed(desk, ("<ENSEIGNANT ", "<PERSONNE ")))["staff"]

        assert counts["changed"] == 0


#: Éloïse Nœud (99003) teaches T MELEC, and 2MELEC1 no more; nobody else's divisions change.
TAUGHT_ELSEWHERE = (
    ('<ENSEIGNANT ID="99003" TYPE="epp"/>', '<ENSEIGNANT ID="99002" TYPE="epp"/>'),
    (
        '<ENSEIGNANT TYPE="epp" ID="99002"/>',
        '<ENSEIGNANT TYPE="epp" ID="99002"/><ENSEIGNANT ID="99003" TYPE="epp"/>',
    ),
)


def give(desk: Desk, login: str, *codes: str) -> None:
    """Give a teacher these divisions by hand, and no other."""
    with desk.open() as session:
        account = session.scalars(select(Account).where(Account.login == login)).one()
        for row in session.scalars(select(TeacherDivision).where(TeacherDivision.account_id == account.id)).all():
            session.delete(row)
        session.flush()
        for division_id in session.scalars(select(Division.id).where(Division.code.in_(codes))).all():
            session.add(TeacherDivision(account_id=account.id, division_id=division_id))


def divisions_of(desk: Desk, login: str) -> list[str]:
    """Return the codes of a teacher's divisions."""
    with desk.look() as session:
        return sorted(
            session.scalars(
                select(Division.code)
                .join(TeacherDivision, TeacherDivision.division_id == Division.id)
                .join(Account, Account.id == TeacherDivision.account_id)
                .where(Account.login == login)
            )
        )


class TestMergeServices:
    """Éloïse Nœud (99003) teaches 2MELEC1 in the sample."""

    def test_merge_services_an_addition_by_hand_is_kept(self, desk: Desk) -> None:
        desk.import_files(*SAMPLES)
        give(desk, "eloise.noeud", "2MELEC1", "1CAPMM")

        counts = desk.import_files(*SAMPLES)["staff"]

        assert (counts["changed"], divisions_of(desk, "eloise.noeud")) == (0, ["1CAPMM", "2MELEC1"])

    def test_merge_services_a_withdrawal_by_hand_is_kept(self, desk: Desk) -> None:
        desk.import_files(*SAMPLES)
        give(desk, "eloise.noeud", "1CAPMM")

        counts = desk.import_files(*SAMPLES)["staff"]

        assert (counts["changed"], divisions_of(desk, "eloise.noeud")) == (0, ["1CAPMM"])

    def test_merge_services_what_the_file_changes_is_followed_beside_what_hands_did(self, desk: Desk) -> None:
        desk.import_files(*SAMPLES)
        give(desk, "eloise.noeud", "2MELEC1", "1CAPMM")

        moved = changed(desk, *TAUGHT_ELSEWHERE)
        counts = desk.import_files(moved)["staff"]
        followed = divisions_of(desk, "eloise.noeud")
        again = desk.import_files(moved)["staff"]

        assert (counts["changed"], again["changed"]) == (1, 0)
        assert followed == divisions_of(desk, "eloise.noeud") == ["1CAPMM", "T MELEC"]

    def test_merge_services_undone_they_come_back_and_the_next_file_is_compared_with_what_stands(
        self, desk: Desk
    ) -> None:
        desk.import_files(*SAMPLES)
        give(desk, "eloise.noeud", "2MELEC1", "1CAPMM")
        desk.import_files(changed(desk, *TAUGHT_ELSEWHERE))

        desk.undo()
        undone = divisions_of(desk, "eloise.noeud")
        counts = desk.import_files(*SAMPLES)["staff"]

        assert undone == ["1CAPMM", "2MELEC1"]
        assert (counts["changed"], divisions_of(desk, "eloise.noeud")) == (0, undone)

    def test_merge_services_a_teacher_created_by_hand_keeps_theirs_beside_those_of_the_file(self) -> None:
        assert merge_services(["1CAPMM"], [], ["2MELEC1"]) == ["1CAPMM", "2MELEC1"]


class TestTeachersConsent:
    @pytest.mark.parametrize("required", [False, True])
    def test_write_teachers_wait_for_the_head_where_the_head_asked_so(self, desk: Desk, required: bool) -> None:
        with desk.open() as session:
            session.get_one(Establishment, desk.world.a.id).teachers_need_consent = required
        before = desk.accounts()

        desk.import_files(STS)

        imported = [
            each for login, each in desk.accounts().items() if login not in before and each["role"] == "teacher"
        ]
        assert imported
        assert {each["consent_needed"] for each in imported} == {required}
        assert {each["unseen_by_head"] for each in imported} == {False}


class TestWriteHeads:
    def test_write_heads_the_first_one_is_created_without_a_code(self, headless: Desk) -> None:
        headless.import_files(STS)

        head = headless.accounts()[HEAD]
        assert (head["role"], head["consent_needed"], head["password_hash"]) == ("head", False, None)
        with headless.look() as session:
            assert session.scalar(select(func.count(ActivationCode.id))) == 0

    def test_write_heads_a_further_one_waits_for_the_consent_of_the_head_in_place(self, desk: Desk) -> None:
        run_id = desk.analyse(STS)
        desk.apply(run_id)

        assert "FURTHER_HEAD" in {code for code, _ in desk.findings(run_id)}
        head = desk.accounts()[HEAD]
        assert (head["consent_needed"], head["consented_at"]) == (True, None)
        with desk.look() as session:
            assert not session.get_one(Account, head["id"]).may_sign_in

    def test_write_heads_of_two_in_one_file_the_second_waits(self, headless: Desk) -> None:
        headless.import_files(changed(headless, ("<FONCTION>DOC<", "<FONCTION>DIR<")))

        waiting = {login: account["consent_needed"] for login, account in headless.accounts().items()}
        assert (waiting[HEAD], waiting["nadege.docfictive"]) == (False, True)

    def test_write_heads_again_nothing_is_consented_nor_asked_twice(self, desk: Desk) -> None:
        desk.import_files(STS)
        before = desk.accounts()

        assert desk.import_files(STS)["staff"]["unchanged"] == 5
        assert desk.accounts() == before

    def test_write_heads_an_account_of_a_head_is_never_changed_by_a_file(self, desk: Desk) -> None:
        desk.import_files(STS)
        with desk.open() as session:
            head = session.scalars(select(Account).where(Account.login == HEAD)).one()
            grant_consent(
                head,
                mailed_to="direction@alpha.example",
                by=desk.by.__class__("account", desk.world.a.account_ids["head"], "Claude", "head"),
                now=NOW,
            )
        before = desk.accounts()

        for change in (
            ("<NOM_USAGE>PROVISEUR-FICTIF<", "<NOM_USAGE>USURPATEUR<"),
            ("<FONCTION>DIR<", "<FONCTION>ENS<"),
            ('ID="99004" TYPE="epp"', 'ID="99994" TYPE="epp"'),
        ):
            desk.import_files(changed(desk, change))
            after = desk.accounts()
            assert after[HEAD] == before[HEAD]
            assert after["claude.basalte"] == before["claude.basalte"]
        extra = {login for login in after if login not in before}
        assert all(after[login]["consent_needed"] for login in extra)

    def test_write_heads_a_head_created_by_hand_is_not_doubled_nor_taken_over(self, desk: Desk) -> None:
        with desk.open() as session:
            head = session.get_one(Account, desk.world.a.account_ids["head"])
            head.first_name, head.last_name = "Paul", "Proviseur-Fictif"
        before = desk.accounts()

        run_id = desk.analyse(STS)
        desk.apply(run_id)

        assert desk.accounts()["claude.basalte"] == before["claude.basalte"]
        assert HEAD not in desk.accounts()
        assert "HEAD_IN_PLACE" in {code for code, _ in desk.findings(run_id)}

    def test_write_heads_a_teacher_does_not_become_head_by_a_file(self, headless: Desk) -> None:
        headless.import_files(STS)

        headless.import_files(changed(headless, ("<FONCTION>ENS<", "<FONCTION>DIR<")))

        heads = [login for login, each in headless.accounts().items() if each["role"] == Role.HEAD.value]
        assert heads == [HEAD]

    def test_write_heads_a_head_absent_from_the_file_is_not_even_proposed(self, headless: Desk) -> None:
        headless.import_files(STS)

        counts = headless.import_files(changed(headless, ('ID="99004" TYPE="epp"', 'ID="99994" TYPE="epp"')))

        assert counts["unticked"]["staff"] == 0


class TestOpenPupilAccounts:
    def test_open_pupil_accounts_they_receive_accounts_only_when_asked(self, desk: Desk) -> None:
        before = len(desk.accounts())

        desk.import_files(SAMPLES[0])

        assert len(desk.accounts()) == before

    def test_open_pupil_accounts_homonyms_are_numbered_and_logins_stay(self, desk: Desk) -> None:
        opened = desk.import_files(SAMPLES[0], accounts=True)["accounts_opened"]
        before = desk.accounts()

        again = desk.import_files(SAMPLES[0], accounts=True)["accounts_opened"]

        assert (opened, again) == (11, 0)
        assert desk.accounts() == before
        assert {"camille.homonyme", "camille.homonyme2", "zoe.soeurfactice"} <= before.keys()
        assert before["maelys.fictifdelamaquette"]["role"] == "student"
        with desk.look() as session:
            pupil = session.scalars(select(Student).where(Student.siecle_id == "900001")).one()
            assert session.get_one(Account, pupil.account_id).login == "alix.testeur"

    def test_open_pupil_accounts_who_leaves_keeps_their_account(self, desk: Desk) -> None:
        desk.import_files(SAMPLES[0], accounts=True)

        desk.import_files(desk.file_of({"id": "900002", "ine": "990000022CA"}), confirm=["deactivations"])

        account = desk.accounts()["alix.testeur"]
        assert not desk.students()["900001"]["is_active"]
        assert (account["is_active"], desk.students()["900001"]["account_id"]) == (True, account["id"])

    def test_open_pupil_accounts_no_account_has_a_line_of_its_own_in_the_journal(self, desk: Desk) -> None:
        desk.import_files(*SAMPLES, accounts=True)

        with desk.look() as session:
            lines = select(func.count(AuditEntry.id)).where(AuditEntry.object_type == "account")
            assert session.scalar(lines) == 0
