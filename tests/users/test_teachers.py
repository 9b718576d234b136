"""A teacher whose account the administrator opens: the head is notified, and may require to consent first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from cpro.core.errors import DomainError, Forbidden
from cpro.core.permissions import Role
from cpro.establishments.models import Establishment, TeachersConsent
from cpro.people.bulk_actions import BULK_ACTIONS
from cpro.people.screens import UsersScreen
from cpro.users.errors import ConsentPending
from cpro.users.operations import access, manual
from cpro.users.operations.credential_sheets import NoSheet, activate_credential_sheets, plan_credential_sheets
from cpro.users.operations.teachers import mark_seen, require_consent
from tests.factories import NOW, PASSWORD, World
from tests.helpers.browser import Browser
from tests.helpers.letters import letters
from tests.helpers.office import Office
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, rows, set_school, watching

USERS, SWITCH = "/admin/utilisateurs", "/admin/utilisateurs/accord-enseignants"
HEAD = "claude.basalte@alpha.example"


@pytest.fixture
def office(app: Flask, world: World) -> Office:
    return Office(app, world)


def reactivated(office: Office) -> int:
    """Reactivate a teacher who had left; return the account."""
    account = office.add(Role.TEACHER, is_active=False)
    office.act(access.reactivate_account, account=account)
    return account


def demoted(office: Office) -> int:
    """Make a second administrator a teacher; return the account."""
    account = office.add(Role.ADMINISTRATOR)
    office.act(manual.update_account, account=account, values={"role": "teacher"})
    return account


WAYS: dict[str, Callable[[Office], int]] = {
    "created by hand": lambda office: office.create("teacher"),
    "reactivated": reactivated,
    "once an administrator": demoted,
}


@pytest.fixture(params=WAYS)
def open_teacher(request: pytest.FixtureRequest) -> Callable[[Office], int]:
    return WAYS[request.param]


class TestNotifyHeads:
    def test_notify_heads_by_mail_and_on_the_dashboard_until_the_head_has_seen_it(
        self, app: Flask, office: Office, as_: Callable[..., Browser], open_teacher: Callable[[Office], int]
    ) -> None:
        account = open_teacher(office)
        head = as_("head")

        [text] = letters(office, HEAD)
        assert office.find(account).label in text
        assert "Alix GRANITE" in text
        assert f"https://cpro.example{USERS}/details/?id={account}" in text
        assert "Voir les comptes d’enseignants que l’administrateur a ouverts" in Page(head.get("/admin/")).text
        assert office.find(account).last_name.upper() in Page(head.get(f"{USERS}/?etat=a-voir")).text

        head.post(f"{USERS}/action/", {"action": "seen", "rowid": account, "confirme": "oui"})

        assert not office.find(account).unseen_by_head
        assert "Voir les comptes d’enseignants" not in Page(head.get("/admin/")).text
        assert office.lines("accounts:teachers:seen")[-1].changes == {"seen": [None, office.find(account).label]}

    def test_notify_of_codes_the_head_reads_that_a_teacher_in_place_was_given_a_code(
        self, office: Office, world: World, as_: Callable[..., Browser]
    ) -> None:
        teacher, administrator = world.a.account_ids["teacher"], as_("administrator")
        form = administrator.form(f"{USERS}/reinitialiser/?id={teacher}")
        administrator.post(f"{USERS}/reinitialiser/", {**form, "id": teacher, "current_password": PASSWORD})

        assert office.find(teacher).unseen_by_head
        head, told = as_("head"), f"Alix GRANITE a préparé un code pour {office.find(teacher).label}, qui utilise déjà"
        assert "dont il a redonné le code" in Page(head.get("/admin/")).text
        assert told in Page(head.get("/nouveautes")).text
        assert told not in Page(administrator.get("/nouveautes")).text
        assert told not in Page(as_("head", "b").get("/nouveautes")).text

    def test_notify_of_codes_of_a_batch_is_one_line_with_those_in_place_alone(self, office: Office) -> None:
        in_place = [office.add(Role.TEACHER, activated_at=NOW, last_name=name) for name in ("Talc", "Mica")]
        others = [office.add(Role.TEACHER, activated_at=None), office.add(Role.STUDENT, activated_at=NOW)]
        accounts = [office.find(each) for each in (*in_place, *others)]

        def draw(_row: Any, **actor: Any) -> None:
            plan = plan_credential_sheets(accounts, reset=True, **actor)
            activate_credential_sheets(plan, about="2ALP", password_given=True, **actor)

        office.act(draw, account=in_place[0])

        (line,) = office.lines("accounts:teachers:code")
        assert line.changes == {"teachers": [None, "Prénom MICA, Prénom TALC"]}

    def test_mark_seen_asks_in_a_sentence_and_leaves_out_those_that_nobody_waits_to_have_seen(
        self, office: Office, as_: Callable[..., Browser]
    ) -> None:
        accounts, others = [office.create("teacher"), office.create("teacher")], [office.create("student")]
        head = as_("head")

        page = Page(head.post(f"{USERS}/action/", {"action": "seen", "rowid": [*accounts, *others]}))

        assert "Marquer 2 comptes comme vus ?" in page.text
        assert "J’ai vu ces comptes 2" not in page.text
        assert [each.text for each in page.main.iter("button")] == ["Marquer 2 comptes comme vus"]
        posted = {each.get("value") for each in page.main.iter("input") if each.get("name") == "rowid"}
        assert posted == set(map(str, accounts))
        assert f"Rien ne change pour {office.find(others[0]).label}" in page.text

    def test_mark_seen_twice_says_that_nothing_waited(
        self, app: Flask, office: Office, as_: Callable[..., Browser]
    ) -> None:
        account, head = office.create("teacher"), as_("head")
        head.post(f"{USERS}/action/", {"action": "seen", "rowid": account, "confirme": "oui"})

        with nothing_written(app):
            answer = head.post(f"{USERS}/action/", {"action": "seen", "rowid": account, "confirme": "oui"})

        assert answer.status_code == 303
        text = Page(head.get(USERS + "/")).flashes[-1]
        assert "Ce compte n’attend pas d’être vu." in text
        assert "0 compte" not in text

    def test_mark_seen_is_not_the_administrators(self, app: Flask, office: Office, as_: Callable[..., Browser]) -> None:
        account = office.create("teacher")
        administrator = as_("administrator")

        assert "Voir les comptes d’enseignants" not in Page(administrator.get("/admin/")).text
        with nothing_written(app):
            answer = administrator.post(f"{USERS}/action/", {"action": "seen", "rowid": account, "confirme": "oui"})
        assert answer.status_code == 403
        with nothing_written(app), pytest.raises(Forbidden):
            office.act(lambda row, **actor: mark_seen([row], **actor), account=account)

    @pytest.mark.parametrize("role", ["student", "administrator", "head"])
    def test_notify_heads_other_roles_are_notified_otherwise(self, office: Office, role: str) -> None:
        assert not office.find(office.create(role)).unseen_by_head

    def test_notify_heads_another_schools_head_is_not_notified(
        self, office: Office, as_: Callable[..., Browser]
    ) -> None:
        office.create("teacher")

        assert letters(office, "claude.basalte@beta.example") == []
        assert "Voir les comptes d’enseignants" not in Page(as_("head", "b").get("/admin/")).text


class TestConsentRequired:
    @pytest.fixture
    def strict(self, app: Flask, office: Office) -> Office:
        set_school(app, office.school.id, typed_teachers_open_at_once=False)
        return office

    def test_require_consent_keeps_the_account_closed_until_the_head_consents(
        self, strict: Office, as_: Callable[..., Browser], open_teacher: Callable[[Office], int]
    ) -> None:
        account = open_teacher(strict)

        assert strict.find(account).is_pending
        with pytest.raises(ConsentPending):
            strict.act(access.reset_account, password_given=True, account=account)
        with pytest.raises(NoSheet):
            strict.act(lambda row, **actor: plan_credential_sheets([row], **actor), account=account)

        answer = as_("head").post(f"{USERS}/action/", {"action": "consent", "rowid": account, "confirme": "oui"})

        assert answer.status_code == 303
        opened = strict.find(account)
        assert (opened.may_sign_in, opened.unseen_by_head) == (True, False)

    def test_require_consent_ends_the_sign_ins_of_an_administrator_made_a_teacher(
        self, strict: Office, browser: Callable[[], Browser]
    ) -> None:
        account = strict.add(Role.ADMINISTRATOR, login="zoe.mica")
        page = browser()
        assert page.sign_in("alpha", "zoe.mica", PASSWORD).status_code == 303

        strict.act(manual.update_account, account=account, values={"role": "teacher"})

        assert page.get("/mon-compte").status_code == 303

    def test_require_consent_is_not_the_administrators_to_give(
        self, app: Flask, strict: Office, as_: Callable[..., Browser]
    ) -> None:
        account = strict.create("teacher")
        administrator = as_("administrator")

        for action in ("consent", "seen"):
            with nothing_written(app):
                answer = administrator.post(f"{USERS}/action/", {"action": action, "rowid": account, "confirme": "oui"})
            assert answer.status_code == 403

    def test_require_consent_leaves_a_further_head_to_the_page_that_says_where_the_code_goes(
        self, strict: Office, as_: Callable[..., Browser]
    ) -> None:
        further = strict.create("head")

        as_("head").post(f"{USERS}/action/", {"action": "consent", "rowid": further, "confirme": "oui"})

        assert strict.find(further).is_pending

    def test_require_consent_is_on_in_a_new_school(self, app: Flask, office: Office) -> None:
        result = app.test_cli_runner().invoke(
            args=["establishments", "create", "--name", "Lycée Neuf", "--uai", "0999009E", "--code", "neuf"]
        )

        assert result.exit_code == 0, result.output
        [school] = [row for row in rows(app, Establishment) if row["code"] == "neuf"]
        assert (school["typed_teachers_open_at_once"], school["teachers_need_consent"]) == (False, False)


class TestSwitchConsent:
    def test_switch_consent_is_the_heads(self, app: Flask, office: Office, as_: Callable[..., Browser]) -> None:
        head = as_("head")
        assert SWITCH in head.get(f"{USERS}/").text

        for before, after in (("aucun", "saisis"), ("saisis", "tous"), ("tous", "aucun")):
            assert head.form(SWITCH)["exiger"] == before
            with watching(app) as watch:
                answer = head.post(SWITCH, {"exiger": after})
            assert answer.status_code == 303, Page(answer).text
            assert watch.line["action"] == "establishment:teachers:consent"
            labels = [TeachersConsent(before).label, TeachersConsent(after).label]
            assert watch.line["changes"] == {"teachers_consent": labels}

    def test_switch_consent_is_the_heads_alone(self, app: Flask, office: Office, as_: Callable[..., Browser]) -> None:
        administrator = as_("administrator")

        assert SWITCH not in administrator.get(f"{USERS}/").text
        with nothing_written(app):
            assert administrator.post(SWITCH, {"exiger": "aucun"}).status_code == 403
        with nothing_written(app), pytest.raises(Forbidden):
            office.act(_require)

    @pytest.mark.parametrize("word", ["", "oui", "SAISIS"])
    def test_switch_consent_takes_one_of_three(self, app: Flask, as_: Callable[..., Browser], word: str) -> None:
        head = as_("head")
        head.get(SWITCH)

        with nothing_written(app):
            assert head.post(SWITCH, {"exiger": word}).status_code == 422

    def test_switch_consent_says_when_it_is_so_already(self, app: Flask, office: Office) -> None:
        office.act(_require, "head")

        with nothing_written(app), pytest.raises(DomainError, match="déjà réglé"):
            office.act(_require, "head")


def _require(**actor: Any) -> None:
    require_consent(TeachersConsent.ALL, **actor)


class TestBulkActionWords:
    def test_bulk_actions_are_asked_in_a_sentence(self) -> None:
        """Check that a label of several words, which takes no object, is not put before « 2 utilisateurs »."""
        asked = {each.key: each.describe(2, UsersScreen.noun) for each in BULK_ACTIONS if each.leads_to is None}

        assert asked == {
            "deactivate": "Désactiver 2 utilisateurs",
            "reactivate": "Réactiver 2 utilisateurs",
            "consent": "Donner mon accord à 2 comptes",
            "seen": "Marquer 2 comptes comme vus",
        }
