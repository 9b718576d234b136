"""What a search of two words reads of each candidate, and pupils gone, are read in an index alone."""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

KEY = "PRIMARY KEY (establishment_id, kind, word, sort_key, row_id)"
PRESENCE = ("establishment_id", "is_active", "search_key", "id")


def upgrade():
    _index_presence(*PRESENCE, "merged_into_id")
    _set_key(f"{KEY} INCLUDE (shared)")


def downgrade():
    _index_presence(*PRESENCE)
    _set_key(KEY)


def _index_presence(*columns):
    op.drop_index("ix_student_is_active", table_name="student")
    op.create_index("ix_student_is_active", "student", list(columns))


def _set_key(key):
    """Set what the words' key holds; on SQLite it holds the whole row."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE search_word DROP CONSTRAINT pk_search_word, ADD CONSTRAINT pk_search_word {key}")
