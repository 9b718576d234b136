"""Columns of generated lists, as the model says them: by what they are sorted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy.orm import Session

from cpro.core.permissions import Role
from cpro.core.web.screens.kinds import _sorted_by_related
from cpro.core.web.screens.parts import Stored
from cpro.students.models import Division, Student
from tests.factories import NOW, World, make_account, make_diploma, make_mef, make_student
from tests.helpers.browser import Browser
from tests.helpers.pages import Page, walk

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

    def test_order_of_pupils_by_birth_date_those_without_are_last(
        self, as_: As, world: World, arrange: Look, way: str
    ) -> None:
        with arrange() as session:
            session.add_all(
                make_student(
                    world.a.id,
                    last_name=f"OPALE {n:02}",
                    birth_date=date(2009, 1, 1) + timedelta(days=n % 5) if n % 3 else None,
                )
                for n in range(66)
            )
        browser, asked = as_("administrator"), f"tri=birth_date&ordre={way}&recherche=opale"

        rows = walk(browser, f"/admin/eleves/?{asked}")

        told = [("".join(reversed(each[3].split("/"))) or "9999", each[1]) for each in rows]
        assert len(told) == 66
        assert told == sorted(told, reverse=way == "desc")
        exported = browser.get(f"/admin/eleves/export/csv/?{asked}").text.splitlines()[1:]
        assert [line.split(";")[0] for line in exported] == [each[1] for each in rows]

    def test_order_of_pupils_by_division_then_name_those_without_are_last(
        self, as_: As, world: World, arrange: Look, way: str
    ) -> None:
        with arrange() as session:
            divisions = [Division(establishment_id=world.a.id, code=code) for code in ("Z9", "2 CIP", "ZZ", "1MEL")]
            session.add_all(divisions)
            session.flush()
            ids = [None, *(each.id for each in divisions)]
            session.add_all(
                make_student(world.a.id, last_name=f"OPALE {n % 9}", division_id=ids[n % 5]) for n in range(66)
            )
        browser, asked = as_("administrator"), f"tri=division&ordre={way}&recherche=opale"

        rows = walk(browser, f"/admin/eleves/?{asked}")

        told = [(each[4] == "aucune", each[4], each[1]) for each in rows]
        assert {code for _is_last, code, _name in told} == {"1MEL", "2 CIP", "Z9", "ZZ", "aucune"}
        assert told == sorted(told, reverse=way == "desc")
        exported = browser.get(f"/admin/eleves/export/csv/?{asked}").text.splitlines()[1:]
        assert [line.split(";")[0] for line in exported] == [each[1] for each in rows]

    def test_order_of_pupils_without_birth_date_pages_stand_among_them(
        self, as_: As, world: World, arrange: Look, way: str
    ) -> None:
        with arrange() as session:
            pupils = [make_student(world.a.id, last_name=f"OPALE {n:02}", birth_date=None) for n in range(50)]
            session.add_all(pupils)
            session.flush()
            middle = pupils[24].id
        browser, address = as_("administrator"), f"/admin/eleves/?tri=birth_date&ordre={way}"

        after, before, last = (
            Page(browser.get(f"{address}&{place}")) for place in (f"apres={middle}", f"avant={middle}", "fin=oui")
        )

        names = [f"OPALE {n:02}" for n in range(50)][:: 1 if way == "asc" else -1]
        at = names.index("OPALE 24")
        assert [each[1] for each in after.rows()] == names[at + 1 : at + 21]
        assert [each[1] for each in before.rows()] == names[at - 20 : at]
        assert [each[3] for each in last.rows()][-1] == ("" if way == "asc" else "31/01/2009")
        assert "Aller à la lettre" not in after.text
        browser.get(f"{address}&apres={middle}")
        row = Page(browser.get(f"/admin/eleves/details/?id={middle}"))
        assert [names[at - 1] in row.text.upper(), names[at + 1] in row.text.upper()] == [True, True]

    def test_order_of_accounts_by_last_sign_in_those_who_never_did_are_last(
        self, as_: As, world: World, arrange: Look, way: str
    ) -> None:
        with arrange() as session:
            session.add_all(
                make_account(
                    world.a.id,
                    last_name=f"Z{n:02}",
                    last_sign_in_at=NOW - timedelta(days=n % 5) if n % 3 else None,
                )
                for n in range(45)
            )

        rows = walk(as_("administrator"), f"/admin/utilisateurs/?tri=last_sign_in_at&ordre={way}&role=teacher")

        told = [("".join(reversed(each[6].split("/"))) or "9999", each[1]) for each in rows]
        assert len(told) == 46
        assert told == sorted(told, reverse=way == "desc")

    @pytest.mark.parametrize(("path", "cell"), [("divisions", 2), ("mefs", 2)])
    def test_order_of_few_rows_by_their_diploma_those_to_link_are_last(
        self, as_: As, world: World, arrange: Look, way: str, path: str, cell: int
    ) -> None:
        with arrange() as session:
            diplomas = [make_diploma(code=f"D{n}", short_label=f"Bac {n}") for n in range(3)]
            session.add_all(diplomas)
            session.flush()
            ids = [None, *(each.id for each in diplomas)]
            session.add_all(
                Division(establishment_id=world.a.id, code=f"Z{n:02}", diploma_id=ids[n % 4]) for n in range(45)
            )
            session.add_all(make_mef(world.a.id, code=f"247255{n:05}", diploma_id=ids[n % 4]) for n in range(45))
        browser = as_("administrator")

        rows = walk(browser, f"/admin/{path}/?tri=diploma&ordre={way}")

        told = [each[cell] for each in rows]
        assert told == sorted(told, key=lambda label: (label == "à rattacher", label), reverse=way == "desc")
        assert {"à rattacher", "Bac 2"} < set(told)
        exported = browser.get(f"/admin/{path}/export/csv/?tri=diploma&ordre={way}").text.splitlines()[1:]
        assert [line.split(";")[0].strip("\ufeff") for line in exported] == [each[0] for each in rows]


def test_order_of_a_long_list_by_another_row_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Student\.division is in no index"):
        _sorted_by_related(Student, "division", "code")


def test_open_texts_finds_once_for_a_list_what_depends_on_its_reader() -> None:
    opened: list[str] = []

    def text() -> Callable[[str], str]:
        opened.append("")
        return str.upper

    read = Stored("name", "sans nom", text=text, cell=text).open_texts()

    assert [read(SimpleNamespace(name=name)) for name in ("agate", None, "opale")] == ["AGATE", "sans nom", "OPALE"]
    assert len(opened) == 1
