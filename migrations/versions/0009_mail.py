"""Messages wait in a table until a server takes them, and jobs may wait for an instant."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

# As 0008 says it.
IS_PLATFORM = "(SELECT current_setting('cpro.scope', true) = 'platform')"
SCHOOL = "(SELECT NULLIF(NULLIF(current_setting('cpro.scope', true), 'platform'), '')::integer)"


def upgrade():
    op.add_column("job", sa.Column("not_before", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "mail_message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("establishment_id", sa.Integer(), nullable=True),
        sa.Column("object_type", sa.String(length=40), nullable=False),
        sa.Column("object_id", sa.String(length=40), nullable=False),
        sa.Column("recipient", sa.String(length=254), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("sealed_body", sa.Text(), nullable=False),
        sa.Column("message_id", sa.String(length=300), nullable=False),
        sa.Column("state_value", sa.String(length=16), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("last_answer", sa.String(length=300), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_mail_message_establishment_id_establishment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_message")),
    )
    op.create_index(op.f("ix_mail_message_establishment_id"), "mail_message", ["establishment_id"])
    op.create_index(
        "ix_mail_message_about", "mail_message", ["establishment_id", "object_type", "object_id", "id"]
    )
    op.create_index("ix_mail_message_settled", "mail_message", ["settled_at"])
    if op.get_bind().dialect.name == "postgresql":
        rule = f"{IS_PLATFORM} OR establishment_id = {SCHOOL}"
        op.execute("ALTER TABLE mail_message ENABLE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE mail_message FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenancy ON mail_message USING ({rule}) WITH CHECK ({rule})")


def downgrade():
    op.drop_table("mail_message")
    op.drop_column("job", "not_before")
