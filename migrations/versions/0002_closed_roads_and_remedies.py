"""Roads that are shut, and what would let a job in that a plan left out."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_geospatial_table(
        "road_closure",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area", Geometry("POLYGON", 4326, spatial_index=False), nullable=True),
        sa.Column("ways", sa.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=False),
        sa.Column("applied", sa.Boolean(), nullable=False),
        sa.Column("fault", sa.String(length=200), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("area IS NOT NULL OR cardinality(ways) > 0", name=op.f("ck_road_closure_closes_something")),
        sa.CheckConstraint("ends_at >= starts_at", name=op.f("ck_road_closure_period")),
        sa.ForeignKeyConstraint(["closed_by"], ["person.id"], name=op.f("fk_road_closure_closed_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_road_closure")),
    )
    op.create_geospatial_index(
        "idx_road_closure_area", "road_closure", ["area"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_table(
        "remedy",
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "longer_shift",
                "longer_window",
                "earlier_window",
                "larger_load",
                name="remedykind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("shift_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("riding_seconds", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["plan_id", "job_id"],
            ["unplanned_job.plan_id", "unplanned_job.job_id"],
            name=op.f("fk_remedy_plan_id_job_id"),
        ),
        sa.ForeignKeyConstraint(["shift_id"], ["shift.id"], name=op.f("fk_remedy_shift_id")),
        sa.PrimaryKeyConstraint("plan_id", "job_id", "kind", name=op.f("pk_remedy")),
    )


def downgrade() -> None:
    op.drop_table("remedy")
    op.drop_geospatial_index(
        "idx_road_closure_area", table_name="road_closure", postgresql_using="gist", column_name="area"
    )
    op.drop_geospatial_table("road_closure")
