"""The head opens a mandate: what is asked, what is written, what leaves by mail, what nobody may learn."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from cpro.core.permissions import Role
from cpro.students.models import Diploma
from cpro.users.models import PlatformAccount
from tests.factories import NOW, make_diploma
from tests.helpers.office import CODE
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written
from tests.inspectors.conftest import FORM, TAB, Desk

MORNING = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Coordinates]:
    with time_machine.travel(MORNING, tick=False) as clock:
        yield clock


class TestOpenMandateRefused:
    @pytest.mark.parametrize("role", ["administrator", "teacher", "student"])
    def test_open_mandate_is_refused_to_other_roles_of_the_school(self, desk: Desk, role: str) -> None:
        browser = desk.browser(role)

        with nothing_written(desk.app):
            answer = browser.post(TAB, FORM)

        assert answer.status_code == 403
        (line,) = desk.lines("access:refused")
        assert (line["establishment_id"], line["object_label"]) == (desk.world.a.id, "Paramètres")
        assert TAB in str(line["changes"])

    def test_open_mandate_is_refused_to_the_support(self, desk: Desk) -> None:
        assert desk.browser("support", enter="a").post(TAB, FORM).status_code == 403
        assert desk.mandates() == []

    def test_open_mandate_the_administrator_reads_who_can_and_finds_no_form(self, desk: Desk) -> None:
        page = desk.browser("administrator").get(TAB).text

        assert "Claude BASALTE" in page
        assert "<form" not in page[page.index("<main") :]

    def test_open_mandate_without_a_head_the_administrator_reads_the_two_ways_to_create_one(
        self, desk: Desk, arrange
    ) -> None:
        with arrange() as session:
            from cpro.users.models import Account

            session.get_one(Account, desk.world.a.account_ids["head"]).is_active = False

        page = desk.browser("administrator").get(TAB).text

        assert "sts_emp" in page
        assert "/admin/utilisateurs/" in page


class TestOpenMandateTold:
    def test_open_mandate_of_a_script_without_scope_is_told_to_be_of_all_diplomas(self, desk: Desk) -> None:
        head = desk.browser("head")

        head.post(TAB, FORM)

        page = Page(head.get(TAB))
        assert "Accès ouvert à Claire Fer du 23/11/2026 au 30/06/2027, pour tous les diplômes." in page.flashes[-1]
        assert "tous les diplômes" in " ".join(cell for row in page.rows() for cell in row)
        (line,) = desk.lines("mandate:opened")
        assert "tous les diplômes" in str(line["changes"])
        assert "tous les diplômes de l’établissement" in desk.text()

    def test_open_mandate_of_chosen_diplomas_is_told_with_them(self, desk: Desk) -> None:
        head = desk.browser("head")

        head.post(TAB, {**FORM, "scope": "choisis", "diplomas": [desk.world.diploma_code]})

        said = Page(head.get(TAB)).flashes[-1]
        assert "au 30/06/2027, pour " in said and "tous" not in said


class TestOpenMandateMessages:
    """What a school writes in messages to people outside it is bounded."""

    @pytest.mark.parametrize("field", ["name", "purpose"])
    @pytest.mark.parametrize(
        "text",
        [
            "Lisez https://faux.example/connexion",
            "Votre compte, WWW.faux.example",
            "Voir faux.example/connexion",
            "Voir faux\u2024example",
            "Voir faux\u200d.example",
            "Voir faux.xn--p1ai",
            "Écrire à moi@faux.example",
        ],
    )
    def test_open_mandate_the_address_of_a_site_is_refused(self, desk: Desk, field: str, text: str) -> None:
        head = desk.browser("head")

        with nothing_written(desk.app):
            answer = head.post(TAB, {**FORM, field: text})

        assert answer.status_code == 422
        assert "sans adresse de site" in Page(answer).text
        assert text in answer.text
        assert desk.mails() == []

    def test_open_mandate_more_than_twenty_within_an_hour_are_refused_then_taken(
        self, desk: Desk, clock: time_machine.Coordinates
    ) -> None:
        head = desk.browser("head")
        for number in range(20):
            assert head.post(TAB, {**FORM, "email": f"inspecteur{number}@ac-test.example"}).status_code == 303
        with nothing_written(desk.app):
            answer = head.post(TAB, {**FORM, "email": "un.de.trop@ac-test.example"})
        assert answer.status_code == 429
        assert "20 accès depuis une heure" in Page(answer).text
        assert 0 < int(answer.headers["Retry-After"]) <= 3600
        assert "un.de.trop@ac-test.example" in answer.text
        assert desk.open("b").status_code == 303

        clock.shift(timedelta(hours=1))

        assert desk.open(email="un.de.trop@ac-test.example").status_code == 303


class TestOpenMandate:
    def test_open_mandate_a_mandate_is_written_with_its_line_and_its_message(self, desk: Desk) -> None:
        answer = desk.open(diplomas=[desk.world.diploma_code])

        assert answer.status_code == 303
        (mandate,) = desk.mandates()
        assert (mandate["establishment_id"], mandate["inspector_name"]) == (desk.world.a.id, "Claire Fer")
        assert mandate["all_diplomas"] is False
        (line,) = desk.lines("mandate:opened")
        assert line["establishment_id"] == desk.world.a.id
        assert line["changes"]["diplomas"] == [None, ["Bac pro MELEC"]]
        assert len(desk.mails()) == 1

    def test_open_mandate_no_diploma_means_all_of_them(self, desk: Desk) -> None:
        desk.open()

        assert desk.mandates()[0]["all_diplomas"] is True

    def test_open_mandate_the_page_asks_whether_all_diplomas_or_those_ticked(self, desk: Desk) -> None:
        browser, code = desk.browser("head"), desk.world.diploma_code
        page = browser.get(TAB).text

        assert "scope" not in browser.form(TAB)
        assert page.index("envoie aussitôt un message") < page.index("Ouvrir l’accès</button>")
        for typed, said in (
            ({"asked": "oui"}, "Choisissez : seulement les diplômes cochés, ou tous."),
            ({"scope": "peut-être"}, "Choisissez l’une des réponses proposées."),
            ({"scope": "choisis"}, "Cochez les diplômes à ouvrir"),
            ({"scope": "tous", "diplomas": [code]}, "choisissez l’un ou l’autre"),
        ):
            with nothing_written(desk.app):
                answer = browser.post(TAB, {**FORM, **typed})
            assert (answer.status_code, said in Page(answer).text) == (422, True)
        assert desk.open(scope="tous").status_code == 303
        assert desk.mandates()[0]["all_diplomas"] is True

    @pytest.mark.parametrize(
        ("field", "value", "said"),
        [
            ("name", "", "Indiquez le nom"),
            ("name", "x" * 151, "151"),
            ("email", "", "adresse académique"),
            ("email", "claire.fer", "adresse"),
            ("email", "claire.fer@gmail.com", "adresse académique"),
            ("email", "claire.fer@faux-ac-lyon.fr", "adresse académique"),
            ("email", "claire.fer@ac-lyon.fr.mechant.com", "adresse académique"),
            ("diplomas", "INCONNU", "n’existe plus"),
            ("starts_on", "", "premier jour"),
            ("starts_on", "demain", "Indiquez un jour"),
            ("starts_on", "2029-01-01", "année scolaire"),
            ("ends_on", "", "dernier jour"),
            ("ends_on", "2026-11-22", "passé"),
            ("ends_on", "2027-09-01", "31/08/2027"),
            ("purpose", "", "objet"),
            ("purpose", "x" * 301, "301"),
        ],
    )
    def test_open_mandate_what_is_wrong_is_said_beside_its_field_and_nothing_is_written(
        self, desk: Desk, field: str, value: str, said: str
    ) -> None:
        browser = desk.browser("head")

        with nothing_written(desk.app):
            answer = browser.post(TAB, {**FORM, field: value})

        assert answer.status_code == 422
        assert said in answer.text
        assert 'value="Visite de la filière"' in answer.text or field == "purpose"
        assert desk.mails() == []

    def test_open_mandate_a_last_day_before_the_first_is_refused(self, desk: Desk) -> None:
        assert desk.open(starts_on="2027-03-02", ends_on="2027-03-01").status_code == 422

    @pytest.mark.parametrize(
        "address",
        ["a.b@ac-lyon.fr", "a.b@region-academique-bretagne.fr", "a.b@education.gouv.fr", "a.b@ac-noumea.nc"],
    )
    def test_open_mandate_addresses_of_academies_and_ministries_are_taken(self, desk: Desk, address: str) -> None:
        assert desk.open(email=address).status_code == 303

    def test_open_mandate_another_schools_own_diploma_does_not_exist(self, desk: Desk, arrange) -> None:
        with arrange() as session:
            session.add(make_diploma(code="MAISON-B", establishment_id=desk.world.b.id))

        assert desk.open(diplomas=["MAISON-B"]).status_code == 422

    def test_open_mandate_a_second_mandate_over_the_same_days_is_refused_and_another_school_may(
        self, desk: Desk
    ) -> None:
        desk.open(ends_on="2026-12-31")

        assert desk.open(starts_on="2026-12-31", email="Claire.FER@ac-test.example").status_code == 422
        assert desk.open(starts_on="2027-01-01").status_code == 303
        assert desk.open("b").status_code == 303

    def test_open_mandate_a_diploma_that_a_mandate_names_cannot_be_deleted(self, desk: Desk, arrange, platform) -> None:
        with arrange() as session:
            session.add(make_diploma(code="MAISON-A", short_label="Maison", establishment_id=desk.world.a.id))
        desk.open(diplomas=["MAISON-A"])
        with platform() as session:
            own = session.query(Diploma).filter_by(code="MAISON-A").one().id

        answer = desk.browser("administrator").post("/admin/diplomes/delete/", {"id": own})

        assert answer.status_code == 409
        assert "accès inspecteur" in answer.text


class TestOpenMandateAccount:
    def test_open_mandate_a_new_inspector_is_invited_for_seven_days(self, desk: Desk, clock) -> None:
        desk.open()
        text = desk.text()
        (mail,) = desk.mails()
        code = CODE.search(text)
        assert code is not None

        assert mail["To"] == "claire.fer@ac-test.example"
        assert mail["Subject"] == "CPro\u202f: Lycée alpha vous ouvre un accès"
        for said in (
            "Bonjour Claire Fer",
            "du 23/11/2026 au 30/06/2027 compris",
            "Diplômes : tous les diplômes de l’établissement",
            "Objet : Visite de la filière",
            "https://cpro.example/activation?login=claire.fer%40ac-test.example",
            "valable 7 jours et une seule fois",
            "journal de l’établissement",
        ):
            assert said in text.replace("\u202f", " "), said
        clock.shift(timedelta(days=7, minutes=1))
        assert self._activate(desk, code[0]).status_code == 422
        clock.shift(timedelta(minutes=-2))
        assert self._activate(desk, code[0]).status_code == 303
        clock.shift(timedelta(minutes=1))
        assert self._activate(desk, code[0]).status_code == 422

    def test_open_mandate_a_known_inspector_is_only_notified_of_the_mandate(self, desk: Desk) -> None:
        desk.open(email="Inspecteur@CPro.example")

        text = desk.text()
        assert CODE.search(text) is None
        assert "https://cpro.example/connexion" in text
        assert len(desk.accounts()) == 2

    def test_open_mandate_the_school_sees_the_same_whether_or_not_the_account_existed(self, desk: Desk) -> None:
        new, known = desk.browser("head", "a"), desk.browser("head", "b")
        answers = [
            new.post(TAB, {**FORM, "email": "nouvelle@ac-test.example"}),
            known.post(TAB, {**FORM, "email": "inspecteur@cpro.example"}),
        ]
        pages = [
            re.sub(r"alpha|beta|0999001W|0999002X|inspecteurs/\d", "ECOLE", _calm(browser.get(TAB).text)).replace(
                address, "ADRESSE"
            )
            for browser, address in ((new, "nouvelle@ac-test.example"), (known, "inspecteur@cpro.example"))
        ]

        assert [(answer.status_code, answer.location) for answer in answers] == [(303, TAB)] * 2
        assert pages[0] == pages[1]

    def test_open_mandate_two_schools_meet_one_account_and_neither_reads_what_the_other_typed(self, desk: Desk) -> None:
        desk.open("a", name="Claire Fer")
        desk.open("b", name="Mme l’inspectrice")

        assert [row["email"] for row in desk.accounts()].count("claire.fer@ac-test.example") == 1
        assert {row["inspector_id"] for row in desk.mandates()} == {3}
        assert "Claire Fer" not in desk.browser("head", "b").get(TAB).text
        assert "inspectrice" not in desk.browser("head", "a").get(TAB).text
        first, second = (mail.get_content() for mail in desk.mails())
        assert "alpha" not in second
        assert CODE.search(first)
        assert CODE.search(second)

    def test_open_mandate_a_second_invitation_leaves_the_first_code_good(self, desk: Desk) -> None:
        desk.open("a")
        code = CODE.search(desk.text())
        assert code is not None
        desk.open("b")

        assert self._activate(desk, code[0]).status_code == 303

    def test_open_mandate_a_mandate_changes_nothing_of_a_known_account(self, desk: Desk, platform) -> None:
        before = desk.accounts()

        desk.open(email="inspecteur@cpro.example", name="Autre Nom")

        assert desk.accounts() == before

    def test_open_mandate_an_address_of_the_support_is_refused_like_any_unsuitable_one(self, desk: Desk) -> None:
        support = desk.open(email="support@cpro.example")
        other = desk.open(email="quelquun@gmail.com")

        assert support.status_code == other.status_code == 422
        assert _calm(support.text).replace("support@cpro.example", "") == _calm(other.text).replace(
            "quelquun@gmail.com", ""
        )
        assert len(desk.accounts()) == 2

    def test_open_mandate_a_disabled_inspector_is_not_invited_again(self, desk: Desk, arrange) -> None:
        with arrange() as session:
            session.add(
                PlatformAccount(
                    email="claire.fer@ac-test.example",
                    role=Role.INSPECTOR,
                    name="X",
                    is_active=False,
                    created_at=NOW,
                )
            )

        assert desk.open().status_code == 303
        assert CODE.search(desk.text()) is None

    def _activate(self, desk: Desk, code: str):
        from tests.helpers.browser import Browser

        return Browser(desk.app).post(
            "/activation",
            {
                "establishment": "",
                "login": "claire.fer@ac-test.example",
                "code": code,
                "password": "Basalte-et-mica-2026!",
                "password_confirm": "Basalte-et-mica-2026!",
            },
        )


def _calm(page: str) -> str:
    """Return a page without what is drawn anew each time."""
    return re.sub(r'(name="csrf_token" value|nonce|version" value)="[^"]*"', "", page)
