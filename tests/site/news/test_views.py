"""« Nouveautés »: what happened for each person, counted beside the bell, and never what they may not read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import text

from cpro.audit.models import AuditEntry
from cpro.core.permissions import Actor, Role
from cpro.site.news import presenters, queries
from cpro.users.models import Account
from tests.factories import World, make_account, make_import, make_mandate, make_transfer, make_transfer_side
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.plans import read_plan
from tests.helpers.records import rows
from tests.helpers.statements import statements_sent, statements_with_values
from tests.site.news.conftest import MORNING, PAGE, READ, Arrange, bell, mark_of, mark_read
from tests.test_screens_plans import line_of

As = Callable[..., Browser]


def transfer_of(arrange: Arrange, world: World) -> int:
    """Make a transfer between the two schools and return its side in school A."""
    with arrange() as session:
        transfer = make_transfer(world.a.id, world.b.id)
        session.add(transfer)
        session.flush()
        side = make_transfer_side(transfer.id, world.a.id)
        session.add(side)
        session.flush()
        return side.id


class TestIndex:
    @pytest.mark.parametrize("role", ["administrator", "head"])
    def test_news_tell_a_decision_on_a_transfer_to_those_who_decide(
        self, as_: As, world: World, arrange: Arrange, tell: Callable[..., None], role: str
    ) -> None:
        side = transfer_of(arrange, world)
        tell("transfer:refused", ("transfer", side, "Zoé GNEISS"))
        person = as_(role)

        page = Page(person.get(PAGE))

        assert "L’établissement 0999002X a refusé un transfert : Zoé GNEISS." in page.text
        assert bell(person) == "Nouveautés 1 à lire"
        address = f"/admin/parametres/transferts/effectues/{side}"
        assert address in page.links and person.get(address).status_code == 200

    @pytest.mark.parametrize(("action", "shown"), [("transfer:sent", "envoyes"), ("transfer:received", "recus")])
    @pytest.mark.parametrize("role", ["administrator", "head"])
    def test_news_tell_what_left_and_what_came(
        self, as_: As, world: World, tell: Callable[..., None], role: str, action: str, shown: str
    ) -> None:
        tell(action, ("transfers", world.a.id, "GNEISS Zoé, vers Lycée B (0999002X)"))
        person = as_(role)

        page = Page(person.get(PAGE))

        assert "GNEISS Zoé, vers Lycée B (0999002X)." in page.text
        assert f"/admin/parametres/transferts/effectues?liste={shown}" in page.links
        assert bell(person) == "Nouveautés 1 à lire"

    def test_news_tell_an_import_that_ended_even_to_whoever_asked_for_it(
        self, as_: As, world: World, arrange: Arrange, tell: Callable[..., None]
    ) -> None:
        with arrange() as session:
            run = make_import(world.a.id)
            session.add(run)
            session.flush()
            run_id = run.id
        own = Actor("account", world.a.account_ids["administrator"], "Alix GRANITE", "administrator", "test")
        tell("import:siecle:applied", ("import_run", run_id, "élèves"), by=own)

        administrator = as_("administrator")

        assert f"/admin/imports/{run_id}" in Page(administrator.get(PAGE)).links
        assert bell(administrator) == "Nouveautés 1 à lire"

    def test_news_tell_the_head_of_a_mandate_that_ends_within_seven_days(
        self, as_: As, world: World, arrange: Arrange
    ) -> None:
        with arrange() as session:
            ends = {"Proche": date(2026, 11, 30), "Loin": date(2026, 12, 1), "Passé": date(2026, 11, 22)}
            mandates = [make_mandate(world, inspector_name=name, ends_on=day) for name, day in ends.items()]
            session.add_all(mandates)
            session.add(make_mandate(world, "b", inspector_name="Voisin", ends_on=date(2026, 11, 25)))
            session.flush()
            near = mandates[0].id
        head = as_("head")

        page = Page(head.get(PAGE))

        assert "L’accès inspecteur de Proche prend fin. Le 30/11/2026" in page.text
        assert not {"Loin", "Passé", "Voisin"} & {*page.text.replace("\n", " ").split()}
        for act in ("prolonger", "fermer"):
            assert f"/admin/parametres/inspecteurs/{near}/{act}" in page.links

    def test_news_never_tell_the_administrator_of_mandates(
        self, as_: As, world: World, arrange: Arrange, tell: Callable[..., None]
    ) -> None:
        with arrange() as session:
            session.add(make_mandate(world, ends_on=date(2026, 11, 25)))
        tell("mandate:opened", ("mandate", 1, "Dominique Schiste"))
        administrator = as_("administrator")

        assert "Schiste" not in Page(administrator.get(PAGE)).text
        assert bell(administrator) == "Nouveautés"

    def test_news_tell_consents_to_both_and_never_ones_own_act(self, as_: As, world: World, arrange: Arrange) -> None:
        with arrange() as session:
            second = make_account(world.a.id, Role.ADMINISTRATOR, last_name="Mica", consent_needed=True)
            session.add(second)
            session.flush()
            second_id = second.id
        head = as_("head")
        head.get(f"/admin/utilisateurs/accord/?id={second_id}")
        assert head.post("/admin/utilisateurs/accord/", {"id": str(second_id)}).status_code == 303

        told = "Claude BASALTE a donné son accord à un compte : Prénom MICA."
        assert told in Page(as_("administrator").get(PAGE)).text
        assert told not in Page(head.get(PAGE)).text

    def test_news_tell_the_head_that_the_support_entered(self, as_: As) -> None:
        as_("support", enter="a")

        assert "Personne support (Support) est entré en lecture." in Page(as_("head").get(PAGE)).text
        for role, school in (("administrator", "a"), ("teacher", "a"), ("head", "b")):
            assert "support" not in Page(as_(role, school).get(PAGE)).text, role

    def test_news_tell_the_holder_of_an_account_what_others_did_to_it_without_a_name(
        self, as_: As, world: World
    ) -> None:
        administrator, teacher = as_("administrator"), as_("teacher")
        account_id = world.a.account_ids["teacher"]
        edit = f"/admin/utilisateurs/edit/?id={account_id}"
        values = Page(administrator.get(edit)).posts() | {"discipline": ["Génie électrique"]}
        assert administrator.post(edit, values).status_code in (302, 303)

        text = Page(teacher.get(PAGE)).text

        assert "L’administrateur a modifié un compte." in text
        assert "GRANITE" not in text
        assert bell(as_("student")) == "Nouveautés"

    def test_news_forget_what_is_older_than_thirty_days(
        self, as_: As, world: World, arrange: Arrange, tell: Callable[..., None]
    ) -> None:
        tell("transfer:refused", ("transfer", transfer_of(arrange, world), "Zoé GNEISS"))

        with time_machine.travel(MORNING + timedelta(days=31), tick=True):
            later = as_("head")
            assert "Rien de nouveau ces 30 derniers jours." in Page(later.get(PAGE)).text
            assert bell(later) == "Nouveautés"

    @pytest.mark.parametrize("role", ["administrator", "head", "teacher", "student"])
    def test_news_of_nobody_else_show_in_another_school(
        self, as_: As, world: World, arrange: Arrange, tell: Callable[..., None], role: str
    ) -> None:
        tell("transfer:refused", ("transfer", transfer_of(arrange, world), "Zoé GNEISS"))
        other = as_(role, "b")

        assert "GNEISS" not in Page(other.get(PAGE)).text
        assert bell(other) == "Nouveautés"

    def test_news_are_of_people_of_a_school(self, as_: As) -> None:
        support = as_("support", enter="a")

        assert support.get(PAGE).status_code == 403
        assert bell(support) is None


class TestRead:
    def test_read_ends_the_count_and_keeps_the_news(
        self, as_: As, world: World, arrange: Arrange, tell: Callable[..., None]
    ) -> None:
        tell("transfer:refused", ("transfer", transfer_of(arrange, world), "Zoé GNEISS"))
        with arrange() as session:
            session.add(make_mandate(world, ends_on=date(2026, 11, 30)))
        head = as_("head")
        assert bell(head) == "Nouveautés 2 à lire"

        mark_read(head)

        page = Page(head.get(PAGE))
        assert bell(head) == "Nouveautés"
        assert "Zoé GNEISS" in page.text and "nouveau" not in page.text.split()
        assert bell(as_("administrator")) == "Nouveautés 1 à lire"

    def test_read_leaves_new_what_came_after_the_page_was_shown(
        self, as_: As, world: World, arrange: Arrange, tell: Callable[..., None]
    ) -> None:
        side = transfer_of(arrange, world)
        tell("transfer:refused", ("transfer", side, "Zoé GNEISS"))
        head = as_("head")
        shown = mark_of(head)
        tell("transfer:cancelled", ("transfer", side, "Zoé GNEISS"))

        head.post(READ, shown)

        assert bell(head) == "Nouveautés 1 à lire"

    def test_read_leaves_new_a_line_written_since_though_it_is_dated_earlier(
        self, as_: As, world: World, arrange: Arrange, tell: Callable[..., None]
    ) -> None:
        """An import takes minutes, and is dated as it began."""
        side = transfer_of(arrange, world)
        tell("transfer:refused", ("transfer", side, "Zoé GNEISS"))
        head = as_("head")
        with time_machine.travel(MORNING + timedelta(minutes=10), tick=True):
            mark_read(head)

            tell("transfer:cancelled", ("transfer", side, "Zoé GNEISS"), at=MORNING + timedelta(minutes=8))

            assert bell(head) == "Nouveautés 1 à lire"

    def test_read_marks_nothing_that_was_never_shown(
        self, as_: As, world: World, arrange: Arrange, tell: Callable[..., None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for module in (queries, presenters):
            monkeypatch.setattr(module, "SHOWN", 3)
        side = transfer_of(arrange, world)
        for rank in range(5):
            tell("transfer:refused", ("transfer", side, f"Numéro {rank}"))
        head = as_("head")
        page = Page(head.get(PAGE))
        assert [rank for rank in range(5) if f"Numéro {rank}" in page.text] == [0, 1, 2]
        assert "Les 3 plus anciennes que vous n’avez pas lues sont montrées d’abord" in page.text

        mark_read(head)

        assert bell(head) == "Nouveautés 2 à lire"
        assert [rank for rank in range(5) if f"Numéro {rank}" in Page(head.get(PAGE)).text] == [2, 3, 4]
        mark_read(head)
        assert bell(head) == "Nouveautés"

    def test_read_leaves_new_a_mandate_opened_since_that_ends_soon(
        self, as_: As, world: World, arrange: Arrange
    ) -> None:
        head = as_("head")
        head.post(READ, {})
        with arrange() as session:
            session.add(make_mandate(world, ends_on=date(2026, 11, 25), opened_at=MORNING + timedelta(minutes=4)))

        with time_machine.travel(MORNING + timedelta(minutes=5), tick=True):
            assert bell(head) == "Nouveautés 1 à lire"
            mark_read(head)
            assert bell(head) == "Nouveautés"

    def test_read_notes_no_line_to_come(self, app: Flask, as_: As, world: World) -> None:
        head = as_("head")

        for line in ("2147483647", "99999999999", "-1", "x"):
            assert head.post(READ, {"ligne": line}).status_code == 303

        written = max(each["id"] for each in rows(app, AuditEntry))
        noted = next(each["news_read_line"] for each in rows(app, Account) if each["id"] == world.a.account_ids["head"])
        assert (noted or 0) <= written

    @pytest.mark.parametrize("typed", ["", "hier", "9999-01-01T00:00:00+00:00", "2999-01-01T00:00:00+00:00"])
    def test_read_never_notes_an_instant_to_come(self, app: Flask, as_: As, world: World, typed: str) -> None:
        head = as_("head")
        head.get(PAGE)

        assert head.post(READ, {"jusqu_a": typed}).status_code == 303

        noted = next(each["news_read_at"] for each in rows(app, Account) if each["id"] == world.a.account_ids["head"])
        assert MORNING <= noted < MORNING + timedelta(minutes=5)

    def test_privacy_page_says_that_the_instant_is_kept(self, as_: As) -> None:
        text = Page(as_("teacher").get("/mentions/donnees-personnelles")).text

        assert "le jour et l’heure où vous les avez marquées comme lues pour la dernière fois" in " ".join(text.split())

    def test_read_never_goes_back(self, app: Flask, as_: As, world: World) -> None:
        head = as_("head")
        head.get(PAGE)
        head.post(READ, {})
        head.get(PAGE)
        head.post(READ, {"jusqu_a": "2026-01-01T00:00:00+00:00"})

        noted = next(each["news_read_at"] for each in rows(app, Account) if each["id"] == world.a.account_ids["head"])
        assert noted >= MORNING


class TestCost:
    def test_count_of_news_is_one_statement_with_the_menu_s(self, app: Flask, as_: As) -> None:
        head, student = as_("head"), as_("student")
        for browser in (head, student):
            browser.get("/mon-compte")
            with statements_sent(app) as sent:
                browser.get("/mon-compte")
            assert len([each for each in sent if "audit_entry" in each]) == 1

    @pytest.mark.parametrize("role", ["administrator", "head", "student"])
    def test_count_of_news_reads_the_indexes_of_the_journal(
        self, app: Flask, as_: As, world: World, arrange: Arrange, role: str
    ) -> None:
        with arrange() as session:
            session.add_all(line_of(world.a.id, number) for number in range(600))
            session.flush()
            if session.get_bind().dialect.name == "postgresql":
                session.execute(text("ANALYZE audit_entry"))
        browser = as_(role)
        with statements_with_values(app) as sent:
            browser.get("/mon-compte")

        [counted] = [each for each in sent if "audit_entry" in each[0] and "count" in each[0]]
        plan = read_plan(app, *counted)

        assert "SCAN audit_entry" not in plan and "Seq Scan on audit_entry" not in plan
        assert "ix_audit_entry_at" in plan
        assert "ix_audit_entry_action" in plan or "ix_audit_entry_object" in plan
