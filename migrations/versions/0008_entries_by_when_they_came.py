"""Entries of the last weeks are found by when they came."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_index("ix_ledger_entry_received_at", "ledger_entry", ["received_at"], postgresql_using="brin")


def downgrade() -> None:
    op.drop_index("ix_ledger_entry_received_at", table_name="ledger_entry")
