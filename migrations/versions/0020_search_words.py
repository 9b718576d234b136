"""The words of what lists are searched by: a row for each, kept by triggers, however a name is written.

A search finds the beginning of a word by the table's key, which row-level security lets PostgreSQL use: comparisons
are leakproof there, LIKE and full-text search are not. Rows of the platform's own journal are in no list.
"""

import os

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

#: What the words of a folded text are cut at; a blank is among them.
SEPARATORS = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~’‘“”„«»–—…°•\t\n\r"
#: {table: whether its rows of one word stand the latest first, or by their names}
SEARCHED = {"student": False, "account": False, "audit_entry": True, "transfer_side": True}
#: How many rows are cut into words at once.
SLICE = 20_000

# As 0008 says it.
IS_PLATFORM = "(SELECT current_setting('cpro.scope', true) = 'platform')"
SCHOOL = "(SELECT NULLIF(NULLIF(current_setting('cpro.scope', true), 'platform'), '')::integer)"


def upgrade():
    op.create_table(
        "search_word",
        sa.Column("establishment_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("word", sa.String(length=450, collation="C" if _on_postgresql() else None), nullable=False),
        sa.Column("sort_key", sa.String(length=320), nullable=False),
        sa.Column("row_id", sa.Integer(), nullable=False),
        sa.Column("shared", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("establishment_id", "kind", "word", "sort_key", "row_id", name=op.f("pk_search_word")),
        sqlite_with_rowid=False,
    )
    if _on_postgresql():
        _protect_rows()
        _create_function()
    for table in SEARCHED:
        _fill(table)
        if _on_postgresql():
            _create_triggers_on_postgresql(table)
        else:
            _create_triggers_on_sqlite(table)


def downgrade():
    for table in SEARCHED:
        for action in ("insert", "update", "delete"):
            name = f"search_words_{table}_{action}"
            # On PostgreSQL, a trigger goes with its function.
            op.execute(f"DROP FUNCTION {name}() CASCADE" if _on_postgresql() else f"DROP TRIGGER {name}")
    if _on_postgresql():
        op.execute("DROP FUNCTION search_words(text)")
    op.drop_table("search_word")


def _on_postgresql():
    return op.get_bind().dialect.name == "postgresql"


def _quoted(text):
    return "'" + text.replace("'", "''") + "'"


def _sort_key(table, row):
    """Return what orders the rows of one word: their names, or their ids turned round."""
    if not SEARCHED[table]:
        return f"{row}search_key"
    turned = f"9999999999 - {row}id"
    return f"lpad(({turned})::text, 10, '0')" if _on_postgresql() else f"printf('%010d', {turned})"


def _fill(table):
    """Cut the texts that are there already, some at a time."""
    for start in range(0, op.get_bind().scalar(sa.text(f"SELECT coalesce(max(id), 0) FROM {table}")), SLICE):
        of_slice = f"r.id > {start} AND r.id <= {start + SLICE}"
        if _on_postgresql():
            op.execute(_insert(table, "r.", f"{table} r, search_words(r.search_key) w", of_slice))
        else:
            _fill_on_sqlite(table, of_slice)


def _insert(table, row, source, condition="true"):
    """Return the statement that writes the words `w` of rows of a table."""
    values = f"{row}establishment_id, {_quoted(table)}, w.word, {_sort_key(table, row)}, {row}id, w.shared"
    of_school = f"{row}establishment_id IS NOT NULL AND {condition}"
    return f"INSERT INTO search_word SELECT {values} FROM {source} WHERE {of_school}"


def _delete(table, row, source):
    """Return the statement that deletes the words `w` of rows of a table, each found by its whole key."""
    return (
        f"DELETE FROM search_word s USING {source} WHERE s.establishment_id = {row}establishment_id "
        f"AND s.kind = {_quoted(table)} AND s.word = w.word AND s.sort_key = {_sort_key(table, row)} "
        f"AND s.row_id = {row}id"
    )


# --- PostgreSQL ------------------------------------------------------------------------------------------------------


def _protect_rows():
    judged = f"{IS_PLATFORM} OR establishment_id = {SCHOOL}"
    op.execute("ALTER TABLE search_word ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE search_word FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenancy ON search_word USING ({judged}) WITH CHECK ({judged})")


def _create_function():
    """Cut a text into words, each with how many letters it shares with the one before it in their order."""
    blanks = " " * len(SEPARATORS)
    op.execute(
        f"""
        CREATE FUNCTION search_words(key text, OUT word text, OUT shared integer) RETURNS SETOF record
        LANGUAGE plpgsql IMMUTABLE ROWS 4 AS $$
        DECLARE earlier text := '';
        BEGIN
          FOR word IN
            SELECT DISTINCT cut COLLATE "C" AS each
            FROM string_to_table(translate(key, {_quoted(SEPARATORS)}, '{blanks}'), ' ') AS cut
            WHERE cut <> '' ORDER BY each
          LOOP
            shared := 0;
            WHILE shared < length(earlier) AND substr(earlier, shared + 1, 1) = substr(word, shared + 1, 1) LOOP
              shared := shared + 1;
            END LOOP;
            earlier := word;
            RETURN NEXT;
          END LOOP;
        END $$
        """
    )


def _create_triggers_on_postgresql(table):
    """Rows come, go and change by the thousand, in one statement."""
    added = _insert(table, "r.", "new_rows r, search_words(r.search_key) w")
    removed = _delete(table, "r.", "old_rows r, search_words(r.search_key) w")
    _create_trigger(table, "insert", f"{added};", "INSERT", "REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT")
    _create_trigger(table, "delete", f"{removed};", "DELETE", "REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT")
    pairs = "old_rows o JOIN new_rows n ON n.id = o.id AND n.search_key IS DISTINCT FROM o.search_key"
    removed = _delete(table, "o.", f"({pairs}) CROSS JOIN LATERAL search_words(o.search_key) w")
    added = _insert(table, "n.", f"({pairs}) CROSS JOIN LATERAL search_words(n.search_key) w")
    changed = "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT"
    _create_trigger(table, "update", f"{removed}; {added};", "UPDATE", changed)


def _create_trigger(table, action, body, on, scope):
    name = f"search_words_{table}_{action}"
    op.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$")
    op.execute(f"CREATE TRIGGER {name} AFTER {on} ON {table} {scope} EXECUTE FUNCTION {name}()")


# --- SQLite ----------------------------------------------------------------------------------------------------------


def _create_triggers_on_sqlite(table):
    added = _insert(table, "NEW.", f"{_words_on_sqlite('NEW')} w") + ";"
    same = " AND ".join(("establishment_id = OLD.establishment_id", f"kind = {_quoted(table)}", "row_id = OLD.id"))
    removed = (
        f"DELETE FROM search_word WHERE {same} AND sort_key = {_sort_key(table, 'OLD.')} "
        f"AND word IN (SELECT word FROM {_words_on_sqlite('OLD')});"
    )
    changed = "UPDATE OF search_key", "WHEN OLD.search_key IS NOT NEW.search_key", removed + added
    for on, when, body in (("INSERT", "", added), ("DELETE", "", removed), changed):
        name = f"search_words_{table}_{on.split()[0].lower()}"
        op.execute(f"CREATE TRIGGER {name} AFTER {on} ON {table} {when} BEGIN {body} END")


def _words_on_sqlite(row):
    """Return the subquery that cuts the text of a row as `search_words` does on PostgreSQL.

    The separators give way by some at a time: the parser takes no deeper call.
    """
    some = [SEPARATORS[start : start + 12] for start in range(0, len(SEPARATORS), 12)]
    steps, text, source = [], f"{row}.search_key", ""
    for number, separators in enumerate(some):
        for each in separators:
            text = f"replace({text}, char({ord(each)}), ' ')"
        steps.append(f"step_{number}(key) AS (SELECT {text}{source})")
        text, source = "key", f" FROM step_{number}"
    return f"""(
        WITH RECURSIVE {", ".join(steps)},
        cut(word, rest) AS (
          SELECT '', key || ' '{source} UNION ALL
          SELECT substr(rest, 1, instr(rest, ' ') - 1), substr(rest, instr(rest, ' ') + 1) FROM cut WHERE rest <> ''
        ),
        words(word) AS (SELECT DISTINCT word FROM cut WHERE word <> ''),
        likeness(word, shared) AS (
          SELECT word, 0 FROM words UNION ALL
          SELECT word, shared + 1 FROM likeness WHERE EXISTS (
            SELECT 1 FROM words earlier
            WHERE earlier.word < likeness.word
            AND substr(earlier.word, 1, shared + 1) = substr(likeness.word, 1, shared + 1)
          )
        )
        SELECT word, max(shared) AS shared FROM likeness GROUP BY word
    )"""


def _fill_on_sqlite(table, of_slice):
    bind = op.get_bind()
    of_school = f"r.establishment_id IS NOT NULL AND {of_slice}"
    found = bind.execute(
        sa.text(
            f"SELECT r.establishment_id, r.id, r.search_key, {_sort_key(table, 'r.')} FROM {table} r WHERE {of_school}"
        )
    )
    rows = [
        {"school": school, "kind": table, "word": word, "sort_key": sort_key, "row_id": row_id, "shared": shared}
        for school, row_id, key, sort_key in found
        for word, shared in _cut(key)
    ]
    if rows:
        values = ":school, :kind, :word, :sort_key, :row_id, :shared"
        bind.execute(sa.text(f"INSERT INTO search_word VALUES ({values})"), rows)


def _cut(key):
    earlier, blanks = "", str.maketrans(SEPARATORS, " " * len(SEPARATORS))
    for word in sorted(set(key.translate(blanks).split(" ")) - {""}):
        yield word, len(os.path.commonprefix([earlier, word]))
        earlier = word
