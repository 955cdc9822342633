"""Receipts for uploads: the digest of the bytes as they came, and our signed word for it."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("upload", sa.Column("digest", sa.LargeBinary(length=32), nullable=True))
    op.add_column("upload", sa.Column("receipt", sa.Text(), nullable=True))
    op.add_column("upload", sa.Column("receipt_signature", sa.LargeBinary(length=64), nullable=True))


def downgrade() -> None:
    op.drop_column("upload", "receipt_signature")
    op.drop_column("upload", "receipt")
    op.drop_column("upload", "digest")
