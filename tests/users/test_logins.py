"""Logins: drawn from names, numbered, unique in the school even when two people create at once."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, insert

from cpro.core.permissions import Role
from cpro.users.errors import LoginTaken
from cpro.users.models import Account
from cpro.users.operations.logins import MAX_LENGTH, free_login, propose_login
from tests.factories import NOW, World
from tests.helpers.office import Office


class TestProposeLogin:
    @pytest.mark.parametrize(
        ("first", "last", "login"),
        [
            ("Zoé", "Martin", "zoe.martin"),
            ("Jean-Pierre", "Lefèvre", "jean-pierre.lefevre"),
            ("Anne Sophie", "de La Tour", "annesophie.delatour"),
            ("Loïc", "D’Artagnan", "loic.dartagnan"),
            ("Loïc", "D'Artagnan", "loic.dartagnan"),
            ("Œdipe", "Cæsar", "oedipe.caesar"),
            ("Łukasz", "Weiß", "lukasz.weiss"),
            ("François", "Nuñez", "francois.nunez"),
            ("Marie‑Ève", "Côté – Roy", "marie-eve.cote-roy"),
            ("Élève", "02", "eleve.02"),
            ("ZOÉ", "MARTIN", "zoe.martin"),
            ("-Ana-", "--", "ana"),
            ("", "Martin", "martin"),
            ("Zoé", "", "zoe"),
            ("李", "小龙", "compte"),
            ("", "", "compte"),
            ("a.b", "c@d", "ab.cd"),
        ],
    )
    def test_propose_login_folds_a_name(self, first: str, last: str, login: str) -> None:
        assert propose_login(first, last) == login

    @pytest.mark.parametrize(
        "name",
        ["x" * 300, "é" * 100, "-" * 100, "a-" * 60, "\u202eabc", "'; DROP TABLE", "\x00", "ﬁﬂ", "½", "İstanbul"],
    )
    def test_propose_login_is_always_something_one_can_type(self, name: str) -> None:
        login = propose_login(name, name)

        assert re.fullmatch(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?", login)
        assert len(login) <= MAX_LENGTH


class TestFreeLogin:
    def test_free_login_is_the_name_where_it_is_free(self) -> None:
        assert free_login({"zoe.martine"}, "zoe.martin") == "zoe.martin"

    def test_free_login_numbers_homonyms_from_two_on(self) -> None:
        assert free_login({"zoe.martin"}, "zoe.martin") == "zoe.martin2"
        assert free_login({"zoe.martin", "zoe.martin2", "zoe.martin4"}, "zoe.martin") == "zoe.martin3"

    def test_free_login_shortens_a_long_name_to_make_room(self) -> None:
        base = "x" * MAX_LENGTH
        taken = {base, *(f"{'x' * (MAX_LENGTH - 1)}{number}" for number in range(2, 10))}

        assert free_login(taken, base) == "x" * (MAX_LENGTH - 2) + "10"


class TestLoginOfCreateManualAccount:
    def test_create_manual_account_login_homonyms_are_numbered_in_the_school(self, app: Flask, world: World) -> None:
        office = Office(app, world)

        logins = [office.find(office.create(first_name="Zoé", last_name="Martin")).login for _ in range(3)]

        assert logins == ["zoe.martin", "zoe.martin2", "zoe.martin3"]

    def test_create_manual_account_login_the_other_schools_homonym_takes_nothing(
        self, app: Flask, world: World
    ) -> None:
        Office(app, world, "b").create(first_name="Zoé", last_name="Martin")
        office = Office(app, world)

        account = office.find(office.create(first_name="Zoé", last_name="Martin"))

        assert account.login == "zoe.martin"

    def test_create_manual_account_login_a_login_stays_taken_after_its_bearer_left(
        self, app: Flask, world: World
    ) -> None:
        office = Office(app, world)
        office.add(Role.TEACHER, login="zoe.martin", is_active=False)

        account = office.find(office.create(first_name="Zoé", last_name="Martin"))

        assert account.login == "zoe.martin2"

    def test_create_manual_account_login_very_long_homonyms_all_find_one(self, app: Flask, world: World) -> None:
        office = Office(app, world)
        name = {"first_name": "x" * 100, "last_name": "y" * 100}

        logins = [office.find(office.create(**name)).login for _ in range(11)]

        assert len(set(logins)) == 11
        assert max(map(len, logins)) == MAX_LENGTH

    def test_create_manual_account_login_created_at_once_they_differ(self, app: Flask, world: World) -> None:
        office = Office(app, world)

        with ThreadPoolExecutor(4) as pool:
            ids = list(pool.map(lambda _: office.create(first_name="Zoé", last_name="Martin"), range(8)))

        logins = {office.find(account_id).login for account_id in ids}
        assert logins == {"zoe.martin", *(f"zoe.martin{number}" for number in range(2, 9))}

    def test_create_manual_account_login_taken_at_the_last_moment_it_is_refused_plainly(
        self, app: Flask, world: World
    ) -> None:
        office = Office(app, world)

        def overtake(mapper: Any, connection: Any, account: Account) -> None:
            row = {
                "establishment_id": world.a.id,
                "login": account.login,
                "role": Role.TEACHER,
                "last_name": "Plus",
                "first_name": "Vite",
                "created_at": NOW,
            }
            connection.execute(insert(Account).values(row))

        event.listen(Account, "before_insert", overtake)
        try:
            with pytest.raises(LoginTaken, match=r"zoe\.martin"):
                office.create(first_name="Zoé", last_name="Martin")
        finally:
            event.remove(Account, "before_insert", overtake)
