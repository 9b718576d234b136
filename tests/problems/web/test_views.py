"""« Décrire un problème » says who reads, knows the last error page, and shows what became of one's own."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.core.clock import utcnow
from cpro.core.tenancy import Scope, TenancyError, enter
from cpro.core.transactions import unit_of_work
from cpro.extensions import db
from cpro.problems.models import Problem
from cpro.users.models import PlatformAccount
from tests.factories import World, make_problem
from tests.helpers.browser import Browser
from tests.helpers.pages import Page

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]

ON_CPRO = "L’équipe qui administre CPro le lit sur CPro"
NOT_MAILED = "aucun courriel ne lui est envoyé"
BY_MAIL = "le reçoit par courriel"
BOTH = "le lit sur CPro et le reçoit aussi par courriel"
NOBODY = "Personne ne le lit encore"
NEWS = "Vos nouveautés vous diront"
SAID = {ON_CPRO, NOT_MAILED, BY_MAIL, BOTH, NOBODY, NEWS}
ADMINISTRATOR = "à l’administrateur de votre établissement"


def number_of(page: Page) -> str:
    [field] = [each for each in page.main.iter("input") if each.get("name") == "number"]
    return field.get("value", "")


class TestDescribe:
    @pytest.mark.parametrize(
        ("address", "is_read", "said"),
        [
            ("", True, {ON_CPRO, NOT_MAILED, NEWS}),
            ("a@cpro.example", True, {ON_CPRO, BOTH, NEWS}),
            ("a@cpro.example", False, {BY_MAIL}),
            ("", False, {NOBODY}),
        ],
    )
    def test_describe_says_who_reads_before_and_after(
        self,
        as_: As,
        app: Flask,
        monkeypatch: pytest.MonkeyPatch,
        arrange: Look,
        address: str,
        is_read: bool,
        said: set[str],
    ) -> None:
        monkeypatch.setitem(app.config, "CPRO_CONTACT_EMAIL", address)
        if not is_read:
            with arrange() as session:
                for each in session.scalars(select(PlatformAccount)):
                    each.is_active = False
        teacher = as_("teacher")

        before = Page(teacher.get("/probleme")).text
        after = Page(teacher.post("/probleme", {"text": "Rien ne va."}, follow_redirects=True))

        [flash] = after.flashes
        assert "Votre message est gardé : n° 1." in flash
        for text in (before, flash):
            assert {each for each in SAID if each in text} == said
        assert (ADMINISTRATOR in before) is not bool(address)

    @pytest.mark.parametrize("role", ["administrator", "head"])
    def test_describe_does_not_send_those_who_lead_to_themselves(self, as_: As, role: str) -> None:
        text = Page(as_(role).get("/probleme")).text

        assert "qui a ouvert CPro à votre établissement" in text
        assert ADMINISTRATOR not in text

    def test_describe_repeats_no_text_of_an_address_that_is_no_code(self, as_: As) -> None:
        assert "0899" not in as_("teacher").get("/probleme?code=Appelez+le+0899").text

    def test_describe_begins_with_the_last_error_page_of_its_reader_alone(self, as_: As) -> None:
        teacher = as_("teacher")
        code = teacher.get("/nulle-part-zzz/").headers["X-Request-Id"]

        assert number_of(Page(teacher.get("/probleme"))) == code
        assert number_of(Page(teacher.get("/probleme?code=abcdef012345"))) == "abcdef012345"
        assert number_of(Page(as_("administrator").get("/probleme"))) == ""

    def test_describe_is_offered_by_the_error_page_with_its_number(self, as_: As) -> None:
        error = as_("head").get("/rien/du/tout")
        link = next(each for each in Page(error).main.iter("a") if "probleme" in (each.get("href") or ""))

        assert link.get("href") == f"/probleme?code={error.headers['X-Request-Id']}"

    def test_describe_shows_what_became_of_ones_own_without_its_text(
        self, as_: As, world: World, arrange: Look
    ) -> None:
        own = f"account:{world.a.account_ids['teacher']}"
        with arrange() as session:
            session.add(make_problem(world.a, account=own, text="Mes mots"))
            session.add(make_problem(world.a, account=own, handled_at=utcnow(), handled_by="Sacha SILEX"))
            session.add(make_problem(world.a, account=f"account:{world.a.account_ids['head']}"))

        page = Page(as_("teacher").get("/probleme"))

        assert [row[0] for row in page.rows()] == ["n° 2", "n° 1"]
        assert page.rows()[0][2].startswith("traité le ")
        assert page.rows()[1][2] == "à traiter"
        assert "Mes mots" not in page.text and "SILEX" not in page.text
        assert Page(as_("administrator").get("/probleme")).rows() == []

    def test_describe_keeps_it_out_of_the_scope_of_a_school(
        self, as_: As, world: World, app: Flask, arrange: Look
    ) -> None:
        with arrange() as session:
            session.add(make_problem(world.a))
        with app.app_context():
            enter(Scope(world.a.id))
            assert db.session.scalars(select(Problem)).all() == []
            with pytest.raises(TenancyError), unit_of_work():
                db.session.add(make_problem(world.a))
                db.session.flush()
