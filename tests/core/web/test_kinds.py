"""Columns of generated lists, as the model says them: by what they are sorted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from sqlalchemy.orm import Session

from cpro.core.permissions import Role
from tests.factories import World, make_account, make_student
from tests.helpers.browser import Browser
from tests.helpers.pages import walk

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]


@pytest.mark.parametrize("way", ["asc", "desc"])
class TestOrderOf:
    """A column sorted by several: its pages follow each other both ways, no row twice and none left out."""

    def test_order_of_accounts_by_role_then_name(self, as_: As, world: World, arrange: Look, way: str) -> None:
        with arrange() as session:
            roles = (Role.TEACHER, Role.STUDENT)
            session.add_all(make_account(world.a.id, last_name=f"Z{n % 7}", role=roles[n % 2]) for n in range(45))

        rows = walk(as_("administrator"), f"/admin/utilisateurs/?tri=role&ordre={way}")

        told = [(each[3], each[1]) for each in rows]
        labels = [role for role, _name in told]
        assert len(rows) == len({each[4] for each in rows}) == 49
        assert [each for n, each in enumerate(labels) if each not in labels[:n]] == (
            ["Administrateur", "Chef d’établissement", "Apprenant", "Enseignant"][:: 1 if way == "asc" else -1]
        )
        for role in set(labels):
            names = [name for each, name in told if each == role]
            assert names == sorted(names, reverse=way == "desc")

    def test_order_of_pupils_by_course_then_name(self, as_: As, world: World, arrange: Look, way: str) -> None:
        with arrange() as session:
            codes = ("24725510310", "24725510311", "")
            session.add_all(
                make_student(world.a.id, last_name=f"OPALE {n % 9}", mef_code=codes[n % 3]) for n in range(45)
            )
        browser = as_("administrator")
        browser.get("/admin/eleves/")
        browser.post("/admin/eleves/colonnes/", {"colonne": "mef_code"})

        rows = walk(browser, f"/admin/eleves/?tri=mef_code&ordre={way}&situation=presents&recherche=opale")

        told = [(each[2], each[1]) for each in rows]
        assert len(told) == 45
        assert told == sorted(told, reverse=way == "desc")
