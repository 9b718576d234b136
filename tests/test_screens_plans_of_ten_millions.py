"""Every list reads the index made for it where the planner believes in ten million rows, of 2 500 schools.

The school asked is one of the many, or the one that holds a million. On PostgreSQL, both plans that a page may get are
read: that of its values, and the one kept for any values. Nothing is switched off, unlike in `test_screens_plans.py`,
whose indexes these are: a plan that differs between small tables and large ones fails one of both.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Connection

from cpro import create_app
from cpro.core import tenancy
from cpro.core.counts import MOST_COUNTED
from cpro.core.permissions import Role
from cpro.core.transactions import platform_unit_of_work
from cpro.extensions import db
from cpro.students.queries import offer_divisions_and_courses
from tests.conftest import ADMIN_URL
from tests.factories import make_account, make_establishment
from tests.helpers.browser import Browser
from tests.helpers.empty_databases import empty_database
from tests.helpers.plans import INDEXES, OTHERWISE, SORTS, page_read, reads_another_index
from tests.helpers.screens import screens
from tests.helpers.statements import statements_with_values
from tests.helpers.ten_millions import SCHOOLS, believe, set_statistics_of_sqlite

pytestmark = pytest.mark.slow

#: The school asked, and how many schools there are for SQLite, which knows averages only.
CASES = {"small": SCHOOLS, "large": 10}
#: What a page read anywhere costs PostgreSQL: as it comes, and as it is told of disks that do not turn.
PAGE_COSTS = (4, 1.1)
#: The other settings of PostgreSQL's planner, as they come, whatever those of the server.
SETTINGS = {
    "seq_page_cost": 1,
    "cpu_tuple_cost": 0.01,
    "cpu_index_tuple_cost": 0.005,
    "cpu_operator_cost": 0.0025,
    "effective_cache_size": "4GB",
    "work_mem": "4MB",
    "max_parallel_workers_per_gather": 2,
}
#: Rows that a page may sort: where an index finds so few, their order costs nothing.
FEW = 100
#: {(table, what is asked): the databases that sort what they find}. Accounts of pupils who left, and those of a
#: division, are found through their pupils. Pupils without INE have an index on both databases: SQLite leaves it once
#: somebody has run ANALYZE, as the product never does. INE are nearly all distinct, so those without one look few.
SORTED = {
    ("account", "etat=parti"): {"sqlite", "postgresql"},
    ("account", "division=2ALP"): {"sqlite"},
    ("student", "ine=sans"): {"sqlite"},
}


@dataclass(frozen=True)
class Nation:
    """An application on a database of two real schools, with what its planner believes of it."""

    app: Flask
    database: str
    #: {code: id}
    schools: dict[str, int]


@pytest.fixture(scope="module")
def nation(tmp_path_factory: pytest.TempPathFactory, database: str) -> Iterator[Nation]:
    folder = tmp_path_factory.mktemp("nation")
    with empty_database(folder) as address:
        app = create_app(
            {
                "CPRO_INSTANCE": folder,
                "CPRO_UPLOADS": folder / "uploads",
                "SQLALCHEMY_DATABASE_URI": address,
                "SECRET_KEY": "test-secret-key-of-no-value",
                "TESTING": True,
            }
        )
        assert isinstance(app, Flask)
        with app.app_context():
            upgrade()
            with platform_unit_of_work("test") as work:
                made = {code: make_establishment(code=code) for code in CASES}
                work.session.add_all(made.values())
                work.session.flush()
                schools = {code: each.id for code, each in made.items()}
                work.session.add_all(make_account(each, Role.ADMINISTRATOR, login="alix") for each in schools.values())
            db.engine.dispose()
        is_sqlite = address.startswith("sqlite")
        believe(address if is_sqlite else f"{ADMIN_URL.rsplit('/', 1)[0]}/{address.rsplit('/', 1)[1]}", **schools)
        yield Nation(app, address, schools)
        with app.app_context():
            db.engine.dispose()


def believe_in_schools_of(nation: Nation, case: str) -> None:
    """Tell SQLite how large a school is; PostgreSQL, which knows each, was told once for all."""
    if nation.database.startswith("sqlite"):
        engine = create_engine(nation.database)
        with engine.begin() as connection:
            set_statistics_of_sqlite(connection, CASES[case])
        engine.dispose()
        with nation.app.app_context():
            db.engine.dispose()  # statistics are read when a connection opens


def places(asked: str, row_id: int) -> Iterator[str]:
    """Yield what is asked of a list: its first page, its last, one on from a row, and back; names from a letter on."""
    ways = ("", "&ordre=desc") if asked.startswith("tri=") else ("",)
    pages = ["", "&fin=oui", f"&apres={row_id}", f"&avant={row_id}"]
    if asked in ("", "tri=name", "tri=pupil"):
        pages.append("&lettre=m")
    yield from (f"{asked}{way}{page}" for way, page in product(ways, pages))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("table", INDEXES)
def test_every_list_reads_its_index_among_ten_million_rows(nation: Nation, table: str, case: str) -> None:
    believe_in_schools_of(nation, case)
    (screen,) = (each for each in screens(nation.app) if each.model.__tablename__ == table)
    browser, school_id = Browser(nation.app).mint_sign_in(case, "alix"), nation.schools[case]
    with nation.app.app_context(), db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SELECT set_config('cpro.scope', '{school_id}', true)"))
        own = text(f"SELECT id FROM {table} WHERE establishment_id = {school_id} ORDER BY id LIMIT 1 OFFSET 4")
        row_id = connection.scalar(own)
        wrong = []
        for asked, index in {**INDEXES[table], **dict.fromkeys(OTHERWISE[table], "")}.items():
            for place in places(asked, row_id):
                with statements_with_values(nation.app) as sent:
                    assert browser.get(f"{screen.url}/?{place}").status_code == 200
                if connection.dialect.name not in SORTED.get((table, asked), ()):
                    found = faults(connection, *page_read(sent, table), table, index, school_id)
                    wrong += [f"{place}: {fault} ({index})\n{plan}" for fault, plan in found]

    assert not wrong, f"{len(wrong)} plans\n" + "\n\n".join(wrong)


@pytest.mark.parametrize("case", CASES)
def test_courses_not_in_the_list_are_read_one_from_the_other_in_their_index(nation: Nation, case: str) -> None:
    """However many pupils of a course have left, which each page of the list of pupils would otherwise read."""
    index, school_id = "ix_student_present_mef_code", nation.schools[case]
    believe_in_schools_of(nation, case)
    with nation.app.test_request_context(), statements_with_values(nation.app) as sent:
        tenancy.enter(tenancy.Scope(school_id))
        offer_divisions_and_courses()
    with nation.app.app_context(), db.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            lines = [row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sent[-1][0]}", sent[-1][1])]
            read = [line.partition(" USING ")[2] for line in lines if re.match(r"(SEARCH|SCAN) student\b", line)]
            assert read == [f"INDEX {index} (establishment_id=? AND mef_code>?)"] * 2, lines
            return
        # The codes that follow are read by a part of the plan that PostgreSQL tells only of a statement that it ran.
        for told, plan in plans_of(connection, *sent[-1], school_id, "EXPLAIN (ANALYZE, FORMAT JSON)"):
            read = [node.get("Index Name", "") for node, _ in nodes_of(plan) if node.get("Relation Name") == "student"]
            assert read == [index] * 2, f"{told}\n{json.dumps(plan, indent=1)}"


def faults(
    connection: Connection, statement: str, parameters: Any, table: str, index: str, school_id: int
) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with how a page is read, and the plan."""
    if connection.dialect.name == "sqlite":
        lines = [row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
        plan = "\n".join(lines)
        if index and not any(name in plan for name in index.split()):
            yield "another index", plan
        if SORTS.search(plan) or (index and any(reads_another_index(line, table, index) for line in lines)):
            yield "sorted, or found by another index", plan
        if re.search(rf"^SCAN ({'|'.join(INDEXES)}|search_word)\b", plan, re.MULTILINE):
            yield "all rows read", plan
        return
    for told, plan in plans_of(connection, statement, parameters, school_id):
        for fault in faults_of(plan, index):
            yield f"{fault}, {told}", json.dumps(plan, indent=1)


def plans_of(
    connection: Connection, statement: str, parameters: Any, school_id: int, command: str = "EXPLAIN (FORMAT JSON)"
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield PostgreSQL's plans of a statement, and what each supposes."""
    for explain, page_cost in product((explain_its_values, explain_any_values), PAGE_COSTS):
        for name, value in {"cpro.scope": school_id, "random_page_cost": page_cost, **SETTINGS}.items():
            connection.execute(text(f"SELECT set_config('{name}', '{value}', true)"))
        plan = explain(connection, command, statement, parameters)
        connection.rollback()
        yield f"{explain.__name__}, {page_cost}", plan


def explain_its_values(connection: Connection, command: str, statement: str, parameters: Any) -> dict[str, Any]:
    """Return PostgreSQL's plan of a statement for these values."""
    (plan,) = connection.exec_driver_sql(f"{command} {statement}", parameters).scalar_one()
    return dict(plan["Plan"])


def explain_any_values(connection: Connection, command: str, statement: str, parameters: Any) -> dict[str, Any]:
    """Return the plan that PostgreSQL keeps, from the sixth execution of a statement on, for any values."""
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", statement)))
    for rank, name in enumerate(names, 1):
        statement = statement.replace(f"%({name})s", f"${rank}")
    connection.execute(text("SET LOCAL plan_cache_mode = force_generic_plan"))
    raw: Any = connection.connection.dbapi_connection
    with psycopg.ClientCursor(raw) as cursor:
        cursor.execute(f"PREPARE page AS {statement}")
        values = ", ".join(["%s"] * len(names))
        cursor.execute(f"{command} EXECUTE page({values})", [parameters[name] for name in names])
        found = cursor.fetchone()
        cursor.execute("DEALLOCATE page")
    assert found is not None
    return dict(found[0][0]["Plan"])


def faults_of(plan: dict[str, Any], index: str) -> Iterator[str]:
    """Yield what is wrong with a plan of PostgreSQL, whose count stops at `MOST_COUNTED`."""
    nodes = list(nodes_of(plan))
    names = {*index.split(), f"pk_{index}"}
    if index and not any(node.get("Index Name") in names for node, _ in nodes):
        yield "another index"
    for node, is_count in nodes:
        if node["Node Type"] == "Seq Scan":
            yield f"all of {node['Relation Name']} read"
        if node["Node Type"] == "Sort" and node["Plans"][0]["Plan Rows"] > (MOST_COUNTED if is_count else FEW):
            yield f"{node['Plans'][0]['Plan Rows']} rows sorted"


def nodes_of(plan: dict[str, Any], is_count: bool = False) -> Iterator[tuple[dict[str, Any], bool]]:
    """Yield each node of a plan, and whether it is of a count beside the rows of the page."""
    is_count = is_count or plan.get("Parent Relationship") == "InitPlan"
    yield plan, is_count
    for each in plan.get("Plans", ()):
        yield from nodes_of(each, is_count)
