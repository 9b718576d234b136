"""The side bar counts what waits for whoever is signed in, and nothing of what is another's."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from sqlalchemy.orm import Session

from cpro.core.permissions import ROLE_PERMISSIONS, Permission, Role
from cpro.records.models import FicheState
from cpro.site import menu
from cpro.students.models import Student, TeacherDivision
from cpro.transfers.models import Direction, TransferState
from tests.factories import World, make_account, make_transfer, make_transfer_side
from tests.helpers.browser import Browser
from tests.helpers.pages import Page, text_of
from tests.records.conftest import make_fiche

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]


def waiting(browser: Browser, address: str) -> dict[str, str]:
    """Return what the menu says of each line where something waits."""
    root = Page(browser.get(address, follow_redirects=True)).root
    side = next(each for each in root.iter("div") if each.get("class") == "side")
    found = {}
    for link in side.iter("a"):
        label, *counts = [text_of(each) for each in link.findall("span")]
        if counts:
            found[label] = counts[0]
    return found


class TestWaiting:
    @pytest.fixture(autouse=True)
    def rows(self, world: World, arrange: Look) -> None:
        """Give both schools an account that waits for its head, a transfer to decide and a fiche to validate."""
        with arrange() as session:
            transfer = make_transfer(world.a.id, world.b.id, state=TransferState.AGREEMENT)
            session.add(transfer)
            session.flush()
            for school, direction in ((world.a, Direction.SOURCE), (world.b, Direction.DESTINATION)):
                side = {"direction": direction, "state": TransferState.AGREEMENT}
                session.add(make_transfer_side(transfer.id, school.id, **side))
                session.add(make_account(school.id, Role.HEAD, login="autre", consent_needed=True, consented_at=None))
                pupil = session.get_one(Student, school.student_id)
                pupil.division_id = school.division_id
                session.add(make_fiche(pupil, state=FicheState.SUBMITTED, validated_at=None, validated_by_label=""))
                taught = {"account_id": school.account_ids["teacher"], "division_id": school.division_id}
                session.add(TeacherDivision(establishment_id=school.id, **taught))

    def test_waiting_is_counted_beside_the_line_for_those_who_act_on_it(self, as_: As) -> None:
        assert waiting(as_("head"), "/") == {
            "Gérer les profils utilisateurs": "1 en attente",
            "Transferts": "1 en attente",
        }
        assert waiting(as_("teacher"), "/") == {"Parcours des apprenants": "1 en attente"}

    def test_waiting_counts_once_a_teacher_to_consent_to_and_to_see(self, as_: As, world: World, arrange: Look) -> None:
        with arrange() as session:
            waits = {"consent_needed": True, "unseen_by_head": True}
            session.add(make_account(world.a.id, Role.TEACHER, login="neuf", **waits))
            session.add(make_account(world.a.id, Role.TEACHER, login="vu", unseen_by_head=True))
        head = as_("head")

        assert waiting(head, "/")["Gérer les profils utilisateurs"] == "3 en attente"
        assert len(Page(head.get("/admin/utilisateurs/?etat=a-voir")).rows()) == 1
        assert len(Page(head.get("/admin/utilisateurs/?etat=accord")).rows()) == 2

    def test_waiting_is_composed_once_for_people_of_the_same_rights(self, as_: As) -> None:
        menu._compose.cache_clear()
        for school, account in (("a", "head"), ("b", "head"), ("a", "teacher"), ("b", "teacher")):
            as_(account, school).get("/", follow_redirects=True)

        assert menu._compose.cache_info().misses == 2

    def test_waiting_follows_the_rights_of_a_role(self, as_: As, monkeypatch: pytest.MonkeyPatch) -> None:
        administrator = as_("administrator")
        before = waiting(administrator, "/")
        rights = Role.ADMINISTRATOR.permissions
        monkeypatch.setitem(ROLE_PERMISSIONS, Role.ADMINISTRATOR, rights | {Permission.USERS_CONSENT})

        assert waiting(administrator, "/") == before | {"Gérer les profils utilisateurs": "1 en attente"}

        monkeypatch.setitem(ROLE_PERMISSIONS, Role.ADMINISTRATOR, rights - {Permission.TRANSFERS_MANAGE})
        assert waiting(administrator, "/") == {}

    def test_waiting_is_nobody_elses(self, as_: As) -> None:
        assert waiting(as_("administrator"), "/") == {"Transferts": "1 en attente"}
        assert waiting(as_("head", "b"), "/") == {"Gérer les profils utilisateurs": "1 en attente"}
