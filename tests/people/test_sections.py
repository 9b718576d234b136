"""The sections of an account's page: what is said of its code and its second factor, to whom, and of the journal."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from cpro.core import clock
from cpro.core.permissions import Role
from cpro.users.models import ActivationCode, SecondFactor
from tests.factories import World, make_account
from tests.helpers.browser import Browser
from tests.helpers.pages import Page

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]


def details(browser: Browser, account_id: int) -> str:
    return Page(browser.get(f"/admin/utilisateurs/details/?id={account_id}")).text


@pytest.fixture
def teacher(world: World, arrange: Look) -> int:
    """Return a teacher's account that was never activated."""
    with arrange() as session:
        session.add(account := make_account(world.a.id, Role.TEACHER, activated_at=None, password_hash=None))
        session.flush()
        return account.id


class TestSignInSection:
    @pytest.mark.parametrize(
        ("code", "said"),
        [
            ({}, "Code d’activationen attente, valable jusqu’au "),
            ({"spent": True}, "Code d’activationaucun en attente"),
            ({"expired": True}, "Code d’activationaucun en attente"),
            ({"forgotten": True}, "Code d’activationaucun en attente"),
        ],
        ids=["good", "voided", "expired", "of a forgotten password"],
    )
    def test_sign_in_section_says_until_when_a_code_waits(
        self, as_: As, world: World, arrange: Look, teacher: int, code: dict[str, bool], said: str
    ) -> None:
        now = clock.utcnow()
        created = now - timedelta(days=40) if "expired" in code else now
        valid = timedelta(minutes=20) if "forgotten" in code else timedelta(days=30)
        with arrange() as session:
            session.add(
                ActivationCode(
                    establishment_id=world.a.id,
                    account_id=teacher,
                    code_hmac="x" * 64,
                    created_at=created,
                    expires_at=created + valid,
                    spent_at=now if "spent" in code else None,
                )
            )

        assert said in details(as_("administrator"), teacher)

    def test_sign_in_section_says_a_code_to_those_who_reset_it(self, as_: As, world: World, teacher: int) -> None:
        assert "Code d’activationaucun en attente" in details(as_("administrator"), teacher)
        assert "Code d’activation" not in details(as_("head"), teacher)
        assert "Code d’activation" not in details(as_("support", enter="a"), teacher)
        administrator = world.a.account_ids["administrator"]
        assert "Code d’activation" not in details(as_("administrator"), administrator), "one's own"

    def test_sign_in_section_says_a_second_factor_to_those_who_take_it_off(
        self, as_: As, world: World, arrange: Look, teacher: int
    ) -> None:
        assert "Second facteurnon activé" in details(as_("head"), teacher)
        with arrange() as session:
            session.add(
                SecondFactor(
                    account_id=teacher,
                    establishment_id=world.a.id,
                    secret="x",
                    recovery="",
                    last_step=0,
                    created_at=clock.utcnow(),
                    confirmed_at=clock.utcnow(),
                    trusted_from=clock.utcnow(),
                )
            )

        assert "Second facteuractivé" in details(as_("head"), teacher)
        assert "Second facteur" not in details(as_("administrator"), teacher)
        assert "Second facteur" not in details(as_("support", enter="a"), teacher)


class TestHistory:
    def test_history_of_a_sheet_drawn_with_others_leads_to_the_journal(self, as_: As, teacher: int) -> None:
        page = Page(as_("administrator").get(f"/admin/utilisateurs/details/?id={teacher}"))

        assert "Aucune ligne du journal ne porte sur cette fiche seule" in page.text
        assert "voir le journal" in page.text
        assert "/admin/journal/" in page.links
