"""Every sort, filter and count of what grows reads the index made for it, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from cpro.audit.models import AuditEntry
from cpro.core import tenancy
from cpro.core.counts import count_together
from cpro.core.permissions import Actor
from cpro.core.search import Searched
from cpro.dashboard.views import COUNTS
from cpro.records.operations.retention import list_schools_to_expire
from cpro.transfers.models import Direction, TransferSide, TransferState
from cpro.transfers.queries import list_first_transfers
from tests.factories import NOW, World, make_account, make_student, make_transfer, make_transfer_side
from tests.helpers.browser import Browser
from tests.helpers.plans import BEGINS, INDEXES, OTHERWISE, SORTS, read_plan, reads_another_index
from tests.helpers.screens import screens
from tests.helpers.statements import statements_with_values

Look = Callable[[], AbstractContextManager[Session]]
#: {what the dashboard counts: the indexes that may be read}; the other counts are of tables that do not grow.
COUNTED = {
    "sign-ins": "ix_audit_entry_at",
    "other actions": "ix_audit_entry_at",
    "unseen links": "ix_audit_entry_action",
    "activated heads": "ix_account_role",
    "accounts without code": "ix_account_passwordless",
    "pending accounts": "ix_account_pending",
    "unseen teachers": "ix_account_unseen",
    "teachers": "ix_account_role ix_account_establishment_id",  # two rows at most are read
    "accounts of pupils": "ix_account_role",
    "active students": "ix_student_is_active",
    "unknown courses": "ix_student_present_mef_code",
    "divisions without course": "ix_student_division",
    "students without INE": "ix_student_without_ine ix_student_establishment_id_ine",
    "students without account": "uq_student_account",
    "conflicts": "ix_transfer_side_list ix_transfer_side_state",
    "agreements": "ix_transfer_side_list ix_transfer_side_state",
    "offers": "ix_transfer_side_list ix_transfer_side_state",
    "blocked": "ix_transfer_side_state",
    "joined": "ix_transfer_side_done_at",
    "left": "ix_transfer_side_done_at",
}
SMALL = {"pictures", "courses", "unlinked courses", "closed roles"}
#: Those whose rows are counted in the index alone: SQLite says so; on PostgreSQL it depends on the last VACUUM too.
COUNTED_IN_INDEX = {"situation=presents", "situation=partis", "division=2ALP", "mef=24725510310", "tri=mef_code"}


def line_of(school_id: int, number: int) -> AuditEntry:
    """Return a line of the journal of which a filter keeps one in twelve."""
    rank = min(number % 12, 2)
    return AuditEntry(
        establishment_id=school_id,
        at=NOW,
        actor_kind="account",
        actor_id=(1, 2, 0)[rank],
        actor_label="Alix Granite",
        actor_role="head",
        origin="127.0.0.1",
        action=("account:signed-in", "student:changed", "mask:changed")[rank],
        object_type=("account", "student", "mask")[rank],
        object_id="1",
        object_label="Zoé Agate",
        changes={},
        number=10_000 + number,
    )


def side_of(transfer_id: int, school_id: int, number: int) -> TransferSide:
    """Return what a school sees of a transfer, made some days ago or not made yet."""
    values: dict[str, Any] = {"changed_at": NOW - timedelta(days=number), "other_uai": f"{number % 50:07}A"}
    if number % 4:
        values["done_at"] = values["changed_at"]
    else:
        values |= {"done_at": None, "state": (TransferState.CONFLICT, TransferState.AGREEMENT)[number // 4 % 2]}
    direction = Direction.SOURCE if number % 3 else Direction.DESTINATION
    return make_transfer_side(transfer_id, school_id, direction=direction, **values)


@pytest.fixture
def grown(filled: World, arrange: Look) -> World:
    """Return the schools, one of them with enough rows of each kind for an index to be worth reading."""
    with arrange() as session:
        accounts = [
            make_account(filled.a.id, is_active=number % 3 > 0, activated_at=NOW if number % 3 > 1 else None)
            for number in range(300)
        ]
        session.add_all(accounts)
        session.flush()
        ids = [each.id for each in accounts] + [None] * 60
        session.add_all(
            make_student(
                filled.a.id,
                is_active=number % 4 == 0,
                account_id=account_id,
                mef_code=f"247255{10_300 + number % 60}",
            )
            for number, account_id in enumerate(ids)
        )
        session.add_all(make_student(filled.b.id) for _ in range(200))
        for school in (filled.a, filled.b):
            session.add_all(line_of(school.id, number) for number in range(600))
        transfers = [make_transfer(filled.a.id, filled.b.id) for _ in range(400)]
        session.add_all(transfers)
        session.flush()
        session.add_all(side_of(each.id, filled.a.id, number) for number, each in enumerate(transfers))
        session.flush()
        if session.get_bind().dialect.name == "postgresql":
            session.execute(text("ANALYZE student, audit_entry, account, transfer_side"))
    return filled


@pytest.mark.parametrize("table", INDEXES)
def test_every_sort_and_filter_reads_its_index(
    app: Flask, as_: Callable[..., Browser], grown: World, migrated_app: Flask, table: str
) -> None:
    (screen,) = (each for each in screens(migrated_app) if each.model.__tablename__ == table)
    assert issubclass(screen.model, Searched)
    browser = as_("administrator")
    wrong = []

    for asked, index in INDEXES[table].items():
        with statements_with_values(app) as sent:
            assert browser.get(f"{screen.url}/?{asked}").status_code == 200
        pages = [each for each in sent if f"FROM {table}" in each[0] and "LIMIT" in each[0] and "count(" in each[0]]
        plan = read_plan(app, *pages[0])
        others = [line for line in plan.splitlines() if reads_another_index(line, table, index)]
        if not any(name in plan for name in index.split()) or others or SORTS.search(plan):
            wrong.append(f"{asked}: {index}\n{plan}")
        if asked in COUNTED_IN_INDEX and "SEARCH" in plan and f"COVERING INDEX {index}" not in plan:
            wrong.append(f"{asked}: not counted in {index} alone\n{plan}")

    assert not wrong, "\n\n".join(wrong)


@pytest.mark.parametrize("table", INDEXES)
def test_every_sort_begins_at_its_place_in_its_index_both_ways(
    app: Flask, as_: Callable[..., Browser], grown: World, arrange: Look, migrated_app: Flask, table: str
) -> None:
    (screen,) = (each for each in screens(migrated_app) if each.model.__tablename__ == table)
    with arrange() as session:
        own = select(screen.model.id).where(screen.model.establishment_id == grown.a.id).order_by(screen.model.id)
        row_id = session.scalars(own.offset(150).limit(1)).one()
    browser = as_("administrator")
    wrong = []

    for sort, way, place in product(
        (asked for asked in INDEXES[table] if asked.startswith("tri=")), ("", "&ordre=desc"), ("apres", "avant")
    ):
        asked = f"{sort}{way}&{place}={row_id}"
        with statements_with_values(app) as sent:
            assert browser.get(f"{screen.url}/?{asked}").status_code == 200
        page = next(each for each in sent if f"FROM {table}" in each[0] and "LIMIT" in each[0] and "count(" in each[0])
        plan = read_plan(app, *page)
        if (
            not any(name in plan for name in INDEXES[table][sort].split())
            or not BEGINS.search(plan)
            or SORTS.search(plan)
        ):
            wrong.append(f"{asked}\n{page[0]}\n{plan}")

    assert not wrong, "\n\n".join(wrong)


def test_every_sort_and_filter_offered_is_tried(migrated_app: Flask, app: Flask, filled: World) -> None:
    for screen in screens(migrated_app):
        table = screen.model.__tablename__
        if table not in INDEXES:
            continue
        tried = {*INDEXES[table], *OTHERWISE[table]}
        names = {each.partition("=")[0] for each in tried}
        sorts = {f"tri={column.key}" for column in screen.columns if column.sort}
        assert sorts <= tried, table
        assert {each.key for each in screen.filters} <= names, table


def test_every_value_of_a_drop_down_that_reads_otherwise_is_tried(
    migrated_app: Flask, app: Flask, filled: World
) -> None:
    """Values whose conditions differ by a parameter only are one: any of them is enough."""
    untried = []
    with app.test_request_context("/"):
        tenancy.enter(tenancy.Scope(filled.a.id))
        for screen in screens(migrated_app):
            table = screen.model.__tablename__
            tried = {*INDEXES.get(table, ()), *OTHERWISE.get(table, ())}
            offered = [(each, value) for each in screen.filters if each.choices for value, _ in each.choices()]
            asked: dict[str, set[str]] = {}
            for each, value in offered:
                asked.setdefault(f"{each.key}: {each.read(value)}", set()).add(f"{each.key}={value}")
            if table in INDEXES:
                untried += [f"{table}: {sorted(values)[:3]}" for values in asked.values() if not values & tried]

    assert not untried, "name its index in tests/helpers/plans.py, or why it needs none"


def test_every_count_of_the_dashboard_reads_its_index(app: Flask, grown: World) -> None:
    wrong = []
    with app.app_context():
        tenancy.enter(tenancy.Scope(grown.a.id))
        asked = {name: counted for ask in COUNTS for name, counted in ask().items()}
        plans = {}
        for name, counted in asked.items():
            with statements_with_values(app) as sent:
                count_together({name: counted})
            plans[name] = read_plan(app, *sent[-1])

    for name, plan in plans.items():
        indexes = COUNTED.get(name.rstrip(" 0123456789"), "").split()
        if not any(index in plan for index in indexes) and name not in SMALL:
            wrong.append(f"{name}: {indexes}\n{plan}")

    assert not wrong, "\n\n".join(wrong)


def test_first_transfers_are_looked_for_in_the_index_of_their_dates(app: Flask, grown: World) -> None:
    with app.app_context():
        tenancy.enter(tenancy.Scope(grown.a.id))
        with statements_with_values(app) as sent:
            list_first_transfers(NOW, reader=Actor("account", grown.a.account_ids["head"], "", "head"), limit=3)
        plan = read_plan(app, *sent[-1])

    assert "ix_transfer_side_done_at" in plan
    assert "ix_transfer_side_other_uai" in plan


def test_records_past_their_period_are_looked_for_pupil_by_pupil(app: Flask, grown: World) -> None:
    """The night asks it of all schools at once: no filter of one school narrows what it reads."""
    with app.app_context():
        with statements_with_values(app) as sent:
            list_schools_to_expire(NOW)
        plan = read_plan(app, *next(each for each in sent if "FROM student" in each[0]))

    # PostgreSQL takes any index of the school here, where a table has hardly a row.
    by_key = (
        "(establishment_id=? AND student_id=?",
        "Cond: (establishment_id = student.establishment_id)",
        "Cond: ((establishment_id = student.establishment_id) AND (student_id =",
    )
    assert sum(plan.count(each) for each in by_key) >= 3, plan
