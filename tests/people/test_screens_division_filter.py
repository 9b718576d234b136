"""The filters of a division read its code as the search reads words: case, accents and blanks do not count."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from urllib.parse import urlencode

import pytest
from sqlalchemy.orm import Session

from cpro.core.permissions import Role
from cpro.students.models import Division
from tests.factories import World, make_account, make_student
from tests.helpers.browser import Browser
from tests.helpers.pages import Page

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]
#: Lists with such a filter, and who reads them.
LISTS = {"/admin/eleves/": "administrator", "/admin/utilisateurs/": "administrator", "/eleves": "head"}


@pytest.fixture(autouse=True)
def amber(world: World, arrange: Look) -> None:
    """Give school A a division « 2 ÉLEC » with a pupil who has an account, and school B one of the same code."""
    with arrange() as session:
        for school in (world.a, world.b):
            division = Division(establishment_id=school.id, code="2 ÉLEC", label="")
            account = make_account(school.id, Role.STUDENT, login="lea.ambre", last_name="AMBRE", first_name="Léa")
            session.add_all([division, account])
            session.flush()
            session.add(
                make_student(
                    school.id, last_name="AMBRE", first_name="Léa", division_id=division.id, account_id=account.id
                )
            )


@pytest.mark.parametrize("address", LISTS)
@pytest.mark.parametrize("typed", ["2 ÉLEC", "2 élec", "2 elec", " 2\u00a0 E\u0301LEC ", "2 ELEC\u200b", "2ELEC"])
def test_division_filter_reads_a_code_as_the_search_reads_words(as_: As, address: str, typed: str) -> None:
    page = Page(as_(LISTS[address]).get(f"{address}?{urlencode({'division': typed})}"))

    assert "AMBRE" in page.text
    assert len(page.rows()) <= 1  # nobody of another division


@pytest.mark.parametrize("address", LISTS)
@pytest.mark.parametrize("typed", ["2 ÉLE", "2ELEK", "%"])
def test_division_filter_takes_no_other_code(as_: As, address: str, typed: str) -> None:
    answer = as_(LISTS[address]).get(f"{address}?{urlencode({'division': typed})}")

    assert answer.status_code == 200
    assert "AMBRE" not in Page(answer).text
