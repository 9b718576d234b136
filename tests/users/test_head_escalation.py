"""The attacks by which an administrator would become the head, played as a browser plays them, to their last step."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from cpro.core import tenancy
from cpro.core.permissions import Role
from cpro.establishments.models import Establishment
from cpro.inspectors.models import Mandate
from cpro.users.models import Account
from tests.factories import PASSWORD, World
from tests.helpers.browser import Browser
from tests.helpers.days import today
from tests.helpers.office import CODE, Office

TAB = "/admin/parametres/etablissement"
USERS = "/admin/utilisateurs"
#: A private mailbox of the administrator, who reads whatever arrives there.
PRIVATE = "alix@boite.example"
CHOSEN = "Girafe-et-zèbre-42"


@pytest.fixture
def office(app: Flask, world: World) -> Office:
    return Office(app, world)


class Attacker:
    """An administrator at their browser, who reads one private mailbox and what pages show."""

    def __init__(self, app: Flask, browser: Browser, password: str = PASSWORD) -> None:
        self.app, self.browser, self.password = app, browser, password
        self.seen: list[str] = []

    def take_the_mailbox(self, **others: str) -> None:
        """Make the school's address a private one, in the form that every administrator has."""
        values = {**self.browser.form(TAB), "email": PRIVATE, "current_password": self.password, **others}
        assert self.browser.post(TAB, values).status_code == 303
        assert f'value="{PRIVATE}"' in self.browser.get(TAB).text

    def create_head(self) -> int:
        """Create a head by hand and return the account's id."""
        answer = self.browser.post(
            f"{USERS}/new/", {"role": "head", "civility": "", "last_name": "Mica", "first_name": "Zoé"}
        )
        assert answer.status_code == 303, answer.text
        return int(re.findall(r"id=(\d+)", answer.location)[0])

    def reset(self, account_id: int) -> None:
        """Press « Réinitialiser » on the page of an account and confirm."""
        self.browser.get(f"{USERS}/reinitialiser/?id={account_id}")
        fields = {"id": account_id, "current_password": self.password}
        answer = self.browser.post(f"{USERS}/reinitialiser/", fields)
        self.seen.append(answer.text)
        if answer.status_code == 303:
            self.seen.append(self.browser.get(answer.location).text)

    def codes(self, office: Office) -> list[str]:
        """Return every code that reached the private mailbox or a page."""
        mine = [text for to, text in office.mails() if to == PRIVATE]
        return [code for text in (*mine, *self.seen) for code in CODE.findall(text)]

    def _mandate(self) -> dict[str, str]:
        day = today().isoformat()
        days = {"starts_on": day, "ends_on": day}
        return {"name": "Dominique Schiste", "email": "d.schiste@ac-essai.example", "purpose": "Visite", **days}

    def play_on(self, codes: list[str], school: str) -> list[Mandate]:
        """Activate the head's account with the codes received, open an inspector; return the mandates opened."""
        for code in codes:
            stranger = Browser(self.app)
            stranger.get("/activation")
            answer = stranger.post(
                "/activation",
                {
                    "establishment": school,
                    "login": "zoe.mica",
                    "code": code,
                    "password": CHOSEN,
                    "password_confirm": CHOSEN,
                },
            )
            if answer.status_code == 303:
                stranger.get("/admin/parametres/inspecteurs")
                stranger.post("/admin/parametres/inspecteurs", self._mandate())
        with self.app.app_context(), tenancy.platform_session("test") as session:
            return list(session.scalars(select(Mandate)))


def open_school(app: Flask, *words: str) -> Attacker:
    """Create the school « curie » on the command line; return its administrator, signed in."""
    created = app.test_cli_runner().invoke(
        args=["establishments", "create", "--name", "Lycée Curie", "--code", "curie", *words]
    )
    assert created.exit_code == 0, created.output
    browser = Browser(app)
    browser.get("/activation")
    fields = {"establishment": "curie", "login": "administrateur", "code": CODE.findall(created.stdout)[0]}
    answer = browser.post("/activation", {**fields, "password": CHOSEN, "password_confirm": CHOSEN})
    assert answer.status_code == 303, answer.text
    return Attacker(app, browser, CHOSEN)


class TestFurtherHeadEscalation:
    """The head agrees to a colleague; before they activate, the administrator makes the school's mailbox theirs."""

    def test_further_head_escalation_gives_the_administrator_no_code(
        self, app: Flask, office: Office, as_: Callable[..., Browser]
    ) -> None:
        attacker, head = Attacker(app, as_("administrator")), as_("head")
        further = attacker.create_head()
        asked = head.form(f"{USERS}/accord/?id={further}")
        assert head.post(f"{USERS}/accord/", asked).status_code == 303
        assert office.find(further).may_sign_in

        attacker.take_the_mailbox()
        attacker.reset(further)

        codes = attacker.codes(office)
        assert attacker.play_on(codes, "alpha") == []
        assert codes == []
        assert office.find(further).activated_at is None

    def test_further_head_escalation_gives_no_code_when_the_mailbox_was_taken_before_the_consent(
        self, app: Flask, office: Office, as_: Callable[..., Browser]
    ) -> None:
        attacker, head = Attacker(app, as_("administrator")), as_("head")
        attacker.take_the_mailbox()
        further = attacker.create_head()

        head.post(f"{USERS}/accord/", head.form(f"{USERS}/accord/?id={further}"))
        attacker.reset(further)

        codes = attacker.codes(office)
        assert attacker.play_on(codes, "alpha") == []
        assert codes == []


class TestFirstHeadEscalation:
    """The platform opens a school for its administrator, who then makes a head and receives the code."""

    @pytest.fixture(params=["0570109J", "0999003Y", ""], ids=["in the table", "outside the table", "without a UAI"])
    def uai(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    @pytest.fixture
    def attacker(self, app: Flask, uai: str) -> Attacker:
        return open_school(app, *(("--uai", uai) if uai else ()))

    def test_first_head_escalation_gives_the_administrator_no_code(
        self, app: Flask, office: Office, attacker: Attacker, uai: str
    ) -> None:
        attacker.take_the_mailbox(uai=uai or "0940321N", academy="Créteil")
        head = attacker.create_head()
        attacker.reset(head)

        codes = attacker.codes(office)
        assert attacker.play_on(codes, "curie") == []
        assert codes == []

    def test_first_head_escalation_gives_none_through_the_uai_that_the_form_took(
        self, app: Flask, office: Office, attacker: Attacker, uai: str
    ) -> None:
        """The UAI typed is that of a school whose official mailbox the attacker reads."""
        before = office.mails()
        attacker.take_the_mailbox(uai="0940321N")
        attacker.reset(attacker.create_head())

        mailed = {to for to, text in office.mails() if (to, text) not in before and CODE.search(text)}
        assert "ce.0940321n@ac-creteil.fr" not in mailed

    @pytest.mark.parametrize(
        ("words", "mailbox"),
        [
            (("--uai", "0570109J"), "ce.0570109j@ac-nancy-metz.fr"),
            (("--uai", "0570109J", "--head-email", "proviseure@curie.example"), "proviseure@curie.example"),
            (("--head-email", "proviseure@curie.example"), "proviseure@curie.example"),
            (("--uai", "0570109J", "--no-official-mailbox"), ""),
        ],
    )
    def test_first_head_escalation_sends_the_code_where_the_platform_said_whatever_the_form_says(
        self, app: Flask, office: Office, words: tuple[str, ...], mailbox: str
    ) -> None:
        attacker = open_school(app, *words)
        attacker.take_the_mailbox(uai="0940321N", academy="Créteil")
        head = attacker.create_head()
        attacker.reset(head)

        mailed = [(to, CODE.findall(text)) for to, text in office.mails() if CODE.search(text)]
        assert [to for to, _ in mailed] == ([mailbox] * 2 if mailbox else [])
        assert attacker.codes(office) == []
        page = attacker.browser.get(f"{USERS}/details/?id={head}").text + "".join(attacker.seen)
        assert (mailbox or "l’équipe qui administre CPro") in page

    def test_first_head_escalation_leaves_a_head_whom_the_command_line_lets_in(
        self, app: Flask, office: Office, attacker: Attacker
    ) -> None:
        attacker.take_the_mailbox(uai="0940321N")
        attacker.create_head()

        printed = app.test_cli_runner().invoke(args=["users", "reset", "zoe.mica", "--establishment", "curie"])

        assert printed.exit_code == 0, printed.output
        assert len(attacker.play_on(CODE.findall(printed.stdout), "curie")) == 1


def test_imported_head_escalation_gives_no_code_either(app: Flask, office: Office, as_: Callable[..., Browser]) -> None:
    """A file of STS-Web is text that the administrator deposits: the head it names is not activated through it."""
    office.change(office.school.account_ids["head"], is_active=False)
    imported = office.add(Role.HEAD, login="zoe.mica", password_hash=None, activated_at=None, sts_key="epp:1", email="")
    attacker = Attacker(app, as_("administrator"))

    attacker.take_the_mailbox()
    attacker.reset(imported)

    assert attacker.codes(office) == []
    with app.app_context(), tenancy.platform_session("test") as session:
        assert session.scalars(select(Establishment.email).where(Establishment.code == "alpha")).one() == PRIVATE
        assert session.get_one(Account, imported).activated_at is None
