"""« Mon compte »: one's own password."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cpro.audit.models import AuditEntry
from tests.factories import PASSWORD, World
from tests.helpers.browser import Browser
from tests.users.conftest import Desk

CHOSEN = "Girafe-et-zèbre-42"
ROLES = ("administrator", "head", "teacher", "student", "support", "inspector")


def change(browser: Browser, current: str = PASSWORD, password: str = CHOSEN, confirm: str | None = None):  # type: ignore[no-untyped-def]
    """Post the form of « Mon compte »."""
    browser.get("/mon-compte")
    return browser.post(
        "/mon-compte",
        {"current_password": current, "password": password, "password_confirm": confirm or password},
    )


class TestOwnAccount:
    @pytest.mark.parametrize("current", ["faux", "", PASSWORD.lower()])
    def test_own_account_asks_for_the_current_password(
        self, as_: Callable[..., Browser], desk: Desk, current: str
    ) -> None:
        before = desk.account("head").password_hash

        answer = change(as_("head"), current)

        assert answer.status_code == 422
        assert 'id="current_password-erreur"' in answer.text
        assert desk.account("head").password_hash == before

    @pytest.mark.parametrize("weak", ["court", "Girafe-42", "Motdepasse-2026!", "Claude.basalte-42", "x" * 201])
    def test_own_account_refuses_a_weak_password_with_the_rule(
        self, as_: Callable[..., Browser], desk: Desk, weak: str
    ) -> None:
        before = desk.account("head").password_hash

        answer = change(as_("head"), password=weak)

        assert answer.status_code == 422
        assert 'id="password-erreur"' in answer.text
        assert weak not in answer.text
        assert desk.account("head").password_hash == before

    def test_own_account_refuses_two_different_passwords(self, as_: Callable[..., Browser]) -> None:
        answer = change(as_("head"), confirm=CHOSEN + "x")

        assert answer.status_code == 422
        assert 'id="password_confirm-erreur"' in answer.text

    @pytest.mark.parametrize("role", ROLES)
    def test_own_account_lets_each_role_change_its_password(
        self, as_: Callable[..., Browser], world: World, browser: Callable[[], Browser], role: str
    ) -> None:
        answer = change(as_(role))

        assert (answer.status_code, answer.location) == (303, "/mon-compte")
        login = world.logins.get(role) or world.platform_logins[role]
        school = "alpha" if role in world.logins else ""
        assert browser().sign_in(school, login, PASSWORD).status_code == 422
        assert browser().sign_in(school, login, CHOSEN).status_code == 303

    def test_own_account_ends_the_other_sign_ins_and_keeps_this_one(self, as_: Callable[..., Browser]) -> None:
        here, elsewhere, colleague, namesake = as_("head"), as_("head"), as_("administrator"), as_("head", "b")

        change(here)

        page = here.get("/mon-compte")
        assert page.status_code == 200
        assert "Votre mot de passe est changé" in page.text
        assert elsewhere.get("/mon-compte").status_code == 303
        assert colleague.get("/mon-compte").status_code == 200
        assert namesake.get("/mon-compte").status_code == 200

    def test_own_account_a_refused_change_ends_nothing(self, as_: Callable[..., Browser]) -> None:
        here, elsewhere = as_("head"), as_("head")

        change(here, "faux")

        assert elsewhere.get("/mon-compte").status_code == 200

    def test_own_account_voids_the_activation_codes(
        self, as_: Callable[..., Browser], browser: Callable[[], Browser], desk: Desk
    ) -> None:
        code = desk.create_code("head")

        change(as_("head"))

        assert browser().sign_in("alpha", "claude.basalte", code).status_code == 422

    def test_own_account_leaves_a_line_in_the_journal_without_the_password(
        self, as_: Callable[..., Browser], desk: Desk, world: World
    ) -> None:
        change(as_("head"))

        line = next(row for row in desk.rows(AuditEntry) if row.action == "account:password:changed")
        assert line.establishment_id == world.a.id
        assert line.actor_label == line.object_label == "Claude BASALTE"
        assert not line.changes

    def test_own_account_the_page_says_who_one_is(self, as_: Callable[..., Browser]) -> None:
        page = as_("teacher", "b").get("/mon-compte").text

        for word in ("Inès QUARTZ", "Enseignant", "ines.quartz", "Lycée beta"):
            assert word in page
        assert "Lycée alpha" not in page
