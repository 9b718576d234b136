"""What lists of pupils and accounts are sorted by besides names: division, birth date, last sign-in, never empty.

A page of a list is found from a place in an index, which an empty value has not: what is empty stands after all the
rest. Days and instants are columns that the database makes. The code of a division stands in another table: triggers
copy it beside each of its pupils, however one is written, behind a digit that puts pupils without division last.
"""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

#: (table, column, its type, what it is made of)
MADE = (
    ("student", "birth_sort", sa.Date(), "coalesce(birth_date, '9999-12-31')"),
    (
        "account",
        "sign_in_sort",
        sa.DateTime(timezone=True),
        "coalesce(last_sign_in_at, '9999-12-31 00:00:00.000000')",
    ),
)
#: (table, column) of each index.
SORTED = (*((table, name) for table, name, *_ in MADE), ("student", "division_sort"))
#: Of a pupil `{row}`, what lists by division are sorted by.
DIVISION_SORT = (
    "coalesce((SELECT '0' || d.code FROM division d "
    "WHERE d.establishment_id = {row}.establishment_id AND d.id = {row}.division_id), '1')"
)
#: Of a division, its pupils once its code has changed.
RENAMED = (
    "UPDATE student SET division_sort = '0' || NEW.code "
    "WHERE establishment_id = NEW.establishment_id AND division_id = NEW.id"
)
TRIGGERS = (("student", "student_division_sort"), ("division", "division_code_sort"))


def upgrade():
    # SQLite adds no column that it would have to store.
    for table, name, kind, made_of in MADE:
        op.add_column(table, sa.Column(name, kind, sa.Computed(made_of, persisted=_on_postgresql()), nullable=False))
    op.add_column("student", sa.Column("division_sort", sa.String(9), nullable=False, server_default="1"))
    _fill()
    for table, name in SORTED:
        op.create_index(f"ix_{table}_{name}", table, ["establishment_id", name, "search_key", "id"])
    if _on_postgresql():
        _create_triggers_on_postgresql()
    else:
        _create_triggers_on_sqlite()


def downgrade():
    for table, name in TRIGGERS:
        if _on_postgresql():
            op.execute(f"DROP TRIGGER {name} ON {table}")
            op.execute(f"DROP FUNCTION {name}()")
        else:
            for way in ("insert", "update"):
                op.execute(f"DROP TRIGGER IF EXISTS {name}_{way}")
    for table, name in SORTED:
        op.drop_index(f"ix_{table}_{name}", table_name=table)
        op.drop_column(table, name)


def _on_postgresql():
    return op.get_bind().dialect.name == "postgresql"


def _fill():
    """Give their division to the pupils that are there already; their names stay, and what they are searched by."""
    fill = f"UPDATE student SET division_sort = {DIVISION_SORT.format(row='student')} WHERE division_id IS NOT NULL"
    if not _on_postgresql():
        op.execute(fill)
        return
    op.execute("ALTER TABLE student DISABLE TRIGGER search_words_student_update")
    op.execute(fill)
    op.execute("ALTER TABLE student ENABLE TRIGGER search_words_student_update")


def _create_triggers_on_postgresql():
    for table, name, on, body in (
        (
            "student",
            "student_division_sort",
            "BEFORE INSERT OR UPDATE OF division_id",
            f"NEW.division_sort := {DIVISION_SORT.format(row='NEW')}; RETURN NEW;",
        ),
        ("division", "division_code_sort", "AFTER UPDATE OF code", f"{RENAMED}; RETURN NULL;"),
    ):
        op.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$")
        op.execute(f"CREATE TRIGGER {name} {on} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")


def _create_triggers_on_sqlite():
    moved = f"UPDATE student SET division_sort = {DIVISION_SORT.format(row='NEW')} WHERE id = NEW.id"
    for name, on, body in (
        ("student_division_sort_insert", "INSERT ON student WHEN NEW.division_id IS NOT NULL", moved),
        ("student_division_sort_update", "UPDATE OF division_id ON student", moved),
        ("division_code_sort_update", "UPDATE OF code ON division", RENAMED),
    ):
        op.execute(f"CREATE TRIGGER {name} AFTER {on} BEGIN {body}; END")
