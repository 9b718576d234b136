"""Kinds of « Nouveautés »: accounts with powers, which the menu counts while they wait; pupils who change division."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from flask import Flask
from sqlalchemy.orm import Session

from cpro.core.permissions import Actor, Role
from cpro.establishments.models import Establishment
from cpro.site.news.kinds import KINDS
from cpro.students.models import Division, TeacherDivision
from tests.factories import World, make_account, make_student
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.site.news.conftest import PAGE, bell
from tests.site.test_menu import waiting

As = Callable[..., Browser]
Arrange = Callable[[], AbstractContextManager[Session]]


class TestKinds:
    def test_news_tell_the_head_of_accounts_with_powers_created_and_deactivated(
        self, as_: As, world: World, arrange: Arrange, tell: Callable[..., None]
    ) -> None:
        with arrange() as session:
            waiting = make_account(world.a.id, Role.ADMINISTRATOR, last_name="Mica", consent_needed=True)
            teacher = make_account(world.a.id, Role.TEACHER, last_name="Talc")
            session.add_all([waiting, teacher])
            session.flush()
            ids = {"Prénom MICA": waiting.id, "Prénom TALC": teacher.id}
        own = Actor("account", world.a.account_ids["administrator"], "Alix GRANITE", "administrator", "test")
        for name, account_id in ids.items():
            for action in ("account:created", "account:disabled"):
                tell(action, ("account", account_id, name), by=own)
        head = as_("head")

        text = Page(head.get(PAGE)).text

        assert "Alix GRANITE a créé un compte : Prénom MICA." in text
        assert "Alix GRANITE a désactivé un compte : Prénom MICA." in text
        assert "TALC" not in text
        assert bell(head) == "Nouveautés 1 à lire"  # the one created waits beside the line of the menu
        assert "MICA" not in Page(as_("head", "b").get(PAGE)).text

    def test_news_do_not_count_an_account_that_waits_in_the_menu(
        self, as_: As, world: World, arrange: Arrange, tell: Callable[..., None]
    ) -> None:
        with arrange() as session:
            teacher = {"last_name": "Talc", "consent_needed": True, "unseen_by_head": True}
            account = make_account(world.a.id, Role.TEACHER, **teacher)
            session.add(account)
            session.flush()
            account_id = account.id
        own = Actor("account", world.a.account_ids["administrator"], "Alix GRANITE", "administrator", "test")
        tell("account:created", ("account", account_id, "Prénom TALC"), by=own)
        head = as_("head")

        assert bell(head) == "Nouveautés"
        assert waiting(head, "/nouveautes") == {"Gérer les profils utilisateurs": "1 en attente"}
        page = Page(head.get(PAGE))
        assert "Alix GRANITE a créé un compte : Prénom TALC." in page.text and "nouveau" not in page.text.split()
        head.get(f"/admin/utilisateurs/accord/?id={account_id}")
        assert head.post("/admin/utilisateurs/accord/", {"id": str(account_id)}).status_code == 303
        assert bell(head) == "Nouveautés" and waiting(head, "/nouveautes") == {}

    def test_news_tell_the_division_that_pupils_went_to(self, as_: As, world: World, arrange: Arrange) -> None:
        with arrange() as session:
            session.get_one(Establishment, world.a.id).uses_siecle = False
            pupils = [make_student(world.a.id, last_name=name, first_name="Léo") for name in ("Mica", "Talc")]
            division = Division(establishment_id=world.a.id, code="1NEUVE", label="")
            session.add_all([*pupils, division])
            session.flush()
            ids = ",".join(str(each.id) for each in pupils)
            taught = {"account_id": world.a.account_ids["teacher"], "division_id": division.id}
            session.add(TeacherDivision(establishment_id=world.a.id, **taught))
        administrator, head, teacher = as_("administrator"), as_("head"), as_("teacher")

        done = administrator.post("/admin/eleves/division", {"ids": ids, "division": "1NEUVE"})

        assert "2 élèves changés de division : 1NEUVE." in Page(administrator.get(done.location)).text
        page = Page(head.get(PAGE))
        assert "Alix GRANITE a changé 2 élèves de division : 1NEUVE (Léo MICA, Léo TALC)." in page.text
        assert "MICA" in Page(head.get("/admin/eleves/?division=1NEUVE")).text
        assert "/admin/eleves/?division=1NEUVE" in page.links and bell(head) == "Nouveautés 1 à lire"
        page = Page(teacher.get(PAGE))
        assert "L’administrateur a changé 2 élèves de division : 1NEUVE." in page.text  # named where they are read
        assert "MICA" in Page(teacher.get("/eleves?division=1NEUVE")).text and "/eleves?division=1NEUVE" in page.links
        assert bell(administrator) == bell(as_("head", "b")) == "Nouveautés"
        assert "1NEUVE" in Page(head.get("/admin/journal/?action=division:joined")).text

    def test_news_of_a_division_are_not_for_those_who_do_not_teach_it(
        self, as_: As, world: World, tell: Callable[..., None]
    ) -> None:
        tell("division:joined", ("division", world.a.division_id, "1AUTRE"))

        for role in ("teacher", "student"):
            assert "1AUTRE" not in Page(as_(role).get(PAGE)).text
            assert bell(as_(role)) == "Nouveautés"


def test_kinds_name_actions_that_the_journal_knows(app: Flask) -> None:
    from cpro.audit.labels import known_actions

    known = {action for action, _words in known_actions()}

    assert {action for kind in KINDS for action in kind.actions} <= known
