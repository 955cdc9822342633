"""What a courier's phone signs besides: plans seen, cash settled, corrections asked for, calls, originals recalled."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"

ARRIVED_WHY = ("gps_wrong", "met_elsewhere", "address_wrong", "no_signal")
CASES = ("parked", "id_reused", "key_cloned", "gap", "malformed", "evidence")


def upgrade() -> None:
    op.create_table(
        "settlement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("courier_id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("clerk_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("device_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_settlement_amount")),
        sa.ForeignKeyConstraint(["courier_id"], ["person.id"], name=op.f("fk_settlement_courier_id")),
        sa.ForeignKeyConstraint(["office_id"], ["service_point.id"], name=op.f("fk_settlement_office_id")),
        sa.ForeignKeyConstraint(["clerk_id"], ["person.id"], name=op.f("fk_settlement_clerk_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlement")),
    )
    op.create_index(op.f("ix_settlement_courier_id"), "settlement", ["courier_id"], unique=False)
    op.create_table(
        "recalled",
        sa.Column("handover_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("originals", sa.SmallInteger(), nullable=False),
        sa.Column("courier_id", sa.Uuid(), nullable=False),
        sa.Column("settlement_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("originals >= 0", name=op.f("ck_recalled_originals")),
        sa.ForeignKeyConstraint(["courier_id"], ["person.id"], name=op.f("fk_recalled_courier_id")),
        sa.ForeignKeyConstraint(["settlement_id"], ["settlement.id"], name=op.f("fk_recalled_settlement_id")),
        sa.PrimaryKeyConstraint("handover_id", "position", name=op.f("pk_recalled")),
    )
    op.create_index(op.f("ix_recalled_settlement_id"), "recalled", ["settlement_id"], unique=False)
    op.add_column("voucher", sa.Column("settlement_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_voucher_settlement_id"), "voucher", "settlement", ["settlement_id"], ["id"])
    op.create_index(op.f("ix_voucher_settlement_id"), "voucher", ["settlement_id"], unique=False)
    op.create_index(
        "ix_voucher_unsettled",
        "voucher",
        ["courier_id"],
        unique=False,
        postgresql_where=sa.text("settlement_id IS NULL"),
    )
    op.add_column("round", sa.Column("seen_version", sa.Integer(), nullable=True))
    op.add_column("round", sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True))
    arrived_why = sa.Enum(*ARRIVED_WHY, name="arrivedwhy", native_enum=False, create_constraint=True, length=32)
    op.add_column("stop", sa.Column("arrived_why", arrived_why, nullable=True))
    op.add_column(
        "attempt", sa.Column("called", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True)
    )
    op.add_column(
        "dossier",
        sa.Column("cautions", postgresql.ARRAY(sa.String(length=20)), nullable=False, server_default="{}"),
    )
    _cases((*CASES, "remark"))


def downgrade() -> None:
    op.execute("DELETE FROM custody_case WHERE kind = 'remark'")
    _cases(CASES)
    op.drop_column("dossier", "cautions")
    op.drop_column("attempt", "called")
    op.drop_column("stop", "arrived_why")
    op.drop_column("round", "seen_at")
    op.drop_column("round", "seen_version")
    op.drop_index("ix_voucher_unsettled", table_name="voucher", postgresql_where=sa.text("settlement_id IS NULL"))
    op.drop_index(op.f("ix_voucher_settlement_id"), table_name="voucher")
    op.drop_constraint(op.f("fk_voucher_settlement_id"), "voucher", type_="foreignkey")
    op.drop_column("voucher", "settlement_id")
    op.drop_index(op.f("ix_recalled_settlement_id"), table_name="recalled")
    op.drop_table("recalled")
    op.drop_index(op.f("ix_settlement_courier_id"), table_name="settlement")
    op.drop_table("settlement")


def _cases(kinds: tuple[str, ...]) -> None:
    """What kinds of cases there may be."""
    op.drop_constraint(op.f("ck_custody_case_casekind"), "custody_case", type_="check")
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    op.create_check_constraint(op.f("ck_custody_case_casekind"), "custody_case", f"kind IN ({listed})")
