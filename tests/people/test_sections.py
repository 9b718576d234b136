"""The sections of an account's page: what is said of its code and its second factor, to whom, and of the journal."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from urllib.parse import quote_plus

import pytest
from sqlalchemy.orm import Session

from cpro.core import clock
from cpro.core.permissions import Role
from cpro.students.models import Student
from cpro.users.sign_in_models import ActivationCode, SecondFactor
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

    def test_sign_in_section_says_a_second_factor_to_those_whom_the_journal_tells(
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

        for reader in (as_("head"), as_("administrator"), as_("support", enter="a")):
            assert "Second facteuractivé" in details(reader, teacher)


class TestHistory:
    def test_history_of_a_sheet_drawn_with_others_leads_to_the_journal(self, as_: As, teacher: int) -> None:
        page = Page(as_("administrator").get(f"/admin/utilisateurs/details/?id={teacher}"))

        assert "Aucune ligne du journal ne porte sur cette fiche seule" in page.text
        assert "voir le journal" in page.text
        assert "/admin/journal/" in page.links


class TestPupilAccountSection:
    @pytest.fixture
    def linked(self, world: World, arrange: Look) -> tuple[int, int]:
        """Return a pupil and their account."""
        account_id = world.a.account_ids["student"]
        with arrange() as session:
            session.get_one(Student, world.a.student_id).account_id = account_id
        return world.a.student_id, account_id

    @pytest.mark.parametrize(
        ("here", "listed", "there"),
        [
            ("eleves", "recherche=secret&situation=presents", "utilisateurs"),
            ("utilisateurs", "recherche=no&role=student", "eleves"),
        ],
    )
    def test_pupil_account_section_keeps_the_list_one_came_from(
        self, as_: As, linked: tuple[int, int], here: str, listed: str, there: str
    ) -> None:
        browser, ids = as_("administrator"), dict(zip(("eleves", "utilisateurs"), linked, strict=True))
        page = Page(browser.get(f"/admin/{here}/details/?id={ids[here]}&liste={quote_plus(listed)}"))
        assert f"/admin/{here}/?{listed}#ligne-{ids[here]}" in page.links

        crossed = Page(browser.get(_link(page, f"/admin/{there}/details/?id={ids[there]}")))
        assert f"/admin/{there}/#ligne-{ids[there]}" in crossed.links
        back = Page(browser.get(_link(crossed, f"/admin/{here}/details/?id={ids[here]}")))

        assert f"/admin/{here}/?{listed}#ligne-{ids[here]}" in back.links

    def test_pupil_account_section_passes_on_no_list_that_no_page_takes(self, as_: As, linked: tuple[int, int]) -> None:
        _student, account = linked
        for wrong in ("x" * 301, "recherche=%00"):
            page = Page(
                as_("administrator").get(f"/admin/utilisateurs/details/?id={account}&autre_liste={quote_plus(wrong)}")
            )
            assert "liste=" not in _link(page, "/admin/eleves/details/")


def _link(page: Page, beginning: str) -> str:
    """Return the address of the link of a page that begins so."""
    return next(link for link in page.links if link.startswith(beginning))
