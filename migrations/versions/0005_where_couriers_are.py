"""Where couriers are: the phones that may tell it, and what they told."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry

revision = "0005"
down_revision = "0004"

SOURCE = ("app", "traccar")


def source() -> sa.Enum:
    """What sends positions."""
    return sa.Enum(*SOURCE, name="source", native_enum=False, create_constraint=True, length=32)


def upgrade() -> None:
    op.create_table(
        "tracking_device",
        sa.Column("courier_id", sa.Uuid(), nullable=False),
        sa.Column("kind", source(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_fix_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["courier_id"], ["person.id"], name=op.f("fk_tracking_device_courier_id")),
        sa.PrimaryKeyConstraint("courier_id", "kind", name=op.f("pk_tracking_device")),
        sa.UniqueConstraint("digest", name=op.f("uq_tracking_device_digest")),
    )
    op.create_geospatial_table(
        "position",
        sa.Column("courier_id", sa.Uuid(), nullable=False),
        sa.Column("captured_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("point", Geometry("POINT", 4326, spatial_index=False, nullable=False), nullable=False),
        sa.Column("accuracy_m", sa.SmallInteger(), nullable=True),
        sa.Column("speed_mps", sa.Float(), nullable=True),
        sa.Column("heading", sa.SmallInteger(), nullable=True),
        sa.Column("battery", sa.SmallInteger(), nullable=True),
        sa.Column("moving", sa.Boolean(), nullable=True),
        sa.Column("source", source(), nullable=False),
        sa.CheckConstraint("heading BETWEEN 0 AND 359", name=op.f("ck_position_heading")),
        sa.CheckConstraint("battery BETWEEN 0 AND 100", name=op.f("ck_position_battery")),
        sa.ForeignKeyConstraint(["courier_id"], ["person.id"], name=op.f("fk_position_courier_id")),
        sa.PrimaryKeyConstraint("courier_id", "captured_at", name=op.f("pk_position")),
    )
    op.create_index("ix_position_captured_at", "position", ["captured_at"], unique=False, postgresql_using="brin")


def downgrade() -> None:
    op.drop_index("ix_position_captured_at", table_name="position", postgresql_using="brin")
    op.drop_geospatial_table("position")
    op.drop_table("tracking_device")
