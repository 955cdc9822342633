"""The tables of the whole story, and the locks that keep custody append-only."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


EXTENSIONS = ("postgis", "btree_gist", "pg_trgm", "unaccent")
APPEND_ONLY = ("handover", "handover_line", "signature")


def upgrade() -> None:
    for extension in EXTENSIONS:
        op.execute(f"CREATE EXTENSION IF NOT EXISTS {extension}")
    op.create_table(
        "calendar_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("working", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_calendar_day")),
    )
    op.create_geospatial_table(
        "commune",
        sa.Column("code", sa.String(length=5), nullable=False),
        sa.Column("postal_code", sa.String(length=5), nullable=True),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("short_name", sa.String(length=80), nullable=False),
        sa.Column("search_name", sa.String(length=80), nullable=False),
        sa.Column("province_code", sa.String(length=2), nullable=False),
        sa.Column("population", sa.Integer(), nullable=True),
        sa.Column("outline", Geometry("MULTIPOLYGON", 4326, spatial_index=False), nullable=False),
        sa.Column("post_office_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_commune")),
    )
    op.create_geospatial_index(
        "idx_commune_outline", "commune", ["outline"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index(op.f("ix_commune_search_name"), "commune", ["search_name"], unique=False)
    op.create_index(
        "ix_commune_search_name_trgm",
        "commune",
        ["search_name"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"search_name": "gin_trgm_ops"},
    )
    op.create_table(
        "import_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("rows_in", sa.Integer(), nullable=False),
        sa.Column("rows_refused", sa.Integer(), nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("rows_in >= 0 AND rows_refused >= 0", name=op.f("ck_import_run_counts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_run")),
    )
    op.create_index(op.f("ix_import_run_kind_digest"), "import_run", ["kind", "digest"], unique=False)
    op.create_table(
        "number_range",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("prefix", sa.String(length=2), nullable=False),
        sa.Column("first", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.Column("next", sa.Integer(), nullable=False),
        sa.CheckConstraint("prefix ~ '^[A-Z]{2}$'", name=op.f("ck_number_range_prefix")),
        sa.CheckConstraint(
            "first >= 0 AND last <= 99999999 AND first <= last AND next BETWEEN first AND last + 1",
            name=op.f("ck_number_range_range"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_number_range")),
        sa.UniqueConstraint("prefix", "first", name=op.f("uq_number_range_prefix_first")),
    )
    op.create_table(
        "one_time_code",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("phone", sa.String(length=16), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wrong_tries", sa.Integer(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_time_code")),
    )
    op.create_index("ix_one_time_code_phone_created_at", "one_time_code", ["phone", "created_at"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("task", sa.String(), nullable=False),
        sa.Column("argument", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_index(
        "ix_outbox_waiting", "outbox", ["sent_at"], unique=False, postgresql_where=sa.text("done_at IS NULL")
    )
    op.create_table(
        "person",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("phone", sa.String(length=16), nullable=False),
        sa.Column("full_name", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("phone ~ '^\\+[1-9][0-9]{7,14}$'", name=op.f("ck_person_phone_e164")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("phone", name=op.f("uq_person_phone")),
    )
    op.create_table(
        "procedure",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=8), nullable=False),
        sa.Column("suffix", sa.String(length=30), nullable=False),
        sa.CheckConstraint("code ~ '^[0-9]\\.[0-9]{6}$'", name=op.f("ck_procedure_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_procedure")),
        sa.UniqueConstraint("code", "suffix", name=op.f("uq_procedure_code_suffix")),
    )
    op.create_geospatial_table(
        "road",
        sa.Column("osm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("highway", sa.String(length=30), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=True),
        sa.Column("line", Geometry("LINESTRING", 4326, spatial_index=False), nullable=False),
        sa.PrimaryKeyConstraint("osm_id", name=op.f("pk_road")),
    )
    op.create_geospatial_index(
        "idx_road_line", "road", ["line"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_table(
        "stored_answer",
        sa.Column("caller", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("request_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("etag", sa.String(length=80), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("caller", "key", name=op.f("pk_stored_answer")),
    )
    op.create_table(
        "tariff",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "service",
            sa.Enum("send", "return", "both", name="service", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("postage", sa.Integer(), nullable=False),
        sa.Column("fee_transfer", sa.Integer(), nullable=False),
        sa.CheckConstraint("postage >= 0 AND fee_transfer >= 0", name=op.f("ck_tariff_amounts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tariff")),
        sa.UniqueConstraint("service", "valid_from", name=op.f("uq_tariff_service_valid_from")),
    )
    op.create_index(
        "ix_tariff_current", "tariff", ["service"], unique=True, postgresql_where=sa.text("valid_to IS NULL")
    )
    op.create_table(
        "access_token",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "citizen",
                "courier",
                "clerk",
                "dispatcher",
                "officer",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_access_token_person_id")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_access_token")),
    )
    op.create_index(op.f("ix_access_token_person_id"), "access_token", ["person_id"], unique=False)
    op.create_table(
        "consent",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("text_version", sa.String(length=20), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_consent_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    op.create_index(op.f("ix_consent_person_id"), "consent", ["person_id"], unique=False)
    op.create_table(
        "day_plan",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column(
            "half",
            sa.Enum("morning", "afternoon", name="half", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "queued",
                "running",
                "done",
                "failed",
                name="planstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("progress", sa.Integer(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("travel_source", sa.String(length=80), nullable=True),
        sa.Column("jobs", sa.Integer(), nullable=True),
        sa.Column("planned", sa.Integer(), nullable=True),
        sa.Column("metres", sa.Integer(), nullable=True),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["requested_by"], ["person.id"], name=op.f("fk_day_plan_requested_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_day_plan")),
    )
    op.create_index(
        "ix_day_plan_one_running",
        "day_plan",
        ["day", "half"],
        unique=True,
        postgresql_where=sa.text("state IN ('queued', 'running')"),
    )
    op.create_geospatial_table(
        "hamlet",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("search_name", sa.String(length=120), nullable=False),
        sa.Column("old_commune", sa.String(length=80), nullable=False),
        sa.Column("search_old_commune", sa.String(length=80), nullable=False),
        sa.Column("commune_code", sa.String(length=5), nullable=False),
        sa.Column("point", Geometry("POINT", 4326, spatial_index=False), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.CheckConstraint("weight >= 0", name=op.f("ck_hamlet_weight")),
        sa.ForeignKeyConstraint(["commune_code"], ["commune.code"], name=op.f("fk_hamlet_commune_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hamlet")),
        sa.UniqueConstraint(
            "commune_code", "name", "old_commune", name=op.f("uq_hamlet_commune_code_name_old_commune")
        ),
    )
    op.create_geospatial_index(
        "idx_hamlet_point", "hamlet", ["point"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index(op.f("ix_hamlet_commune_code"), "hamlet", ["commune_code"], unique=False)
    op.create_index(op.f("ix_hamlet_search_name"), "hamlet", ["search_name"], unique=False)
    op.create_index(
        "ix_hamlet_search_name_trgm",
        "hamlet",
        ["search_name"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"search_name": "gin_trgm_ops"},
    )
    op.create_table(
        "old_unit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("old_code", sa.String(length=5), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("search_name", sa.String(length=80), nullable=False),
        sa.Column("district", sa.String(length=80), nullable=False),
        sa.Column("search_district", sa.String(length=80), nullable=False),
        sa.Column("commune_code", sa.String(length=5), nullable=False),
        sa.Column("divided", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["commune_code"], ["commune.code"], name=op.f("fk_old_unit_commune_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_old_unit")),
        sa.UniqueConstraint("old_code", "commune_code", name=op.f("uq_old_unit_old_code_commune_code")),
    )
    op.create_index(op.f("ix_old_unit_commune_code"), "old_unit", ["commune_code"], unique=False)
    op.create_index(op.f("ix_old_unit_search_district"), "old_unit", ["search_district"], unique=False)
    op.create_index(op.f("ix_old_unit_search_name"), "old_unit", ["search_name"], unique=False)
    op.create_index(
        "ix_old_unit_search_name_trgm",
        "old_unit",
        ["search_name"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"search_name": "gin_trgm_ops"},
    )
    op.create_table(
        "procedure_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("procedure_id", sa.Uuid(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=True),
        sa.Column("search_name", sa.Text(), nullable=False),
        sa.Column("field", sa.String(length=200), nullable=False),
        sa.Column(
            "level",
            sa.Enum(
                "commune",
                "province",
                "ministry",
                name="agencylevel",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("competent_agency", sa.String(length=200), nullable=False),
        sa.Column(
            "eligibility",
            sa.Enum(
                "send",
                "return",
                "both",
                "none",
                name="eligibility",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "authorization",
            sa.Enum(
                "anyone_written",
                "family_exempt",
                "forbidden",
                name="authorization",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("working_days", sa.Integer(), nullable=True),
        sa.Column("state_fee", sa.Integer(), nullable=True),
        sa.Column("bookable", sa.Boolean(), nullable=False),
        sa.Column("source_digest", sa.String(length=64), nullable=False),
        sa.CheckConstraint(
            "NOT bookable OR (state_fee IS NOT NULL AND working_days IS NOT NULL)",
            name=op.f("ck_procedure_version_bookable"),
        ),
        sa.CheckConstraint("state_fee IS NULL OR state_fee >= 0", name=op.f("ck_procedure_version_state_fee")),
        sa.CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_procedure_version_validity")),
        sa.CheckConstraint("working_days IS NULL OR working_days >= 0", name=op.f("ck_procedure_version_working_days")),
        sa.ForeignKeyConstraint(["procedure_id"], ["procedure.id"], name=op.f("fk_procedure_version_procedure_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_procedure_version")),
        sa.UniqueConstraint("procedure_id", "valid_from", name=op.f("uq_procedure_version_procedure_id_valid_from")),
    )
    op.create_index(
        "ix_procedure_version_current",
        "procedure_version",
        ["procedure_id"],
        unique=True,
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.create_index(
        "ix_procedure_version_search_name_trgm",
        "procedure_version",
        ["search_name"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"search_name": "gin_trgm_ops"},
    )
    op.create_table(
        "role_grant",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "citizen",
                "courier",
                "clerk",
                "dispatcher",
                "officer",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_role_grant_person_id")),
        sa.PrimaryKeyConstraint("person_id", "role", name=op.f("pk_role_grant")),
    )
    op.create_geospatial_table(
        "service_point",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "post_office",
                "one_stop_unit",
                name="servicepointkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("commune_code", sa.String(length=5), nullable=False),
        sa.Column("level", sa.String(length=10), nullable=True),
        sa.Column("point", Geometry("POINT", 4326, spatial_index=False), nullable=False),
        sa.Column(
            "point_quality",
            sa.Enum(
                "surveyed",
                "pinned",
                "hamlet",
                "old_commune",
                "commune",
                name="pointquality",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["commune_code"], ["commune.code"], name=op.f("fk_service_point_commune_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_point")),
        sa.UniqueConstraint("code", name=op.f("uq_service_point_code")),
    )
    op.create_geospatial_index(
        "idx_service_point_point", "service_point", ["point"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index(op.f("ix_service_point_commune_code"), "service_point", ["commune_code"], unique=False)
    op.create_table(
        "document_requirement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("name_en", sa.String(length=300), nullable=True),
        sa.Column("originals", sa.Integer(), nullable=False),
        sa.Column("copies", sa.Integer(), nullable=False),
        sa.Column("mandatory", sa.Boolean(), nullable=False),
        sa.Column("recalled_original", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "originals >= 0 AND copies >= 0 AND originals + copies > 0", name=op.f("ck_document_requirement_counts")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["procedure_version.id"], name=op.f("fk_document_requirement_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_requirement")),
        sa.UniqueConstraint("version_id", "position", name=op.f("uq_document_requirement_version_id_position")),
    )
    op.create_geospatial_table(
        "dossier",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("citizen_id", sa.Uuid(), nullable=False),
        sa.Column("procedure_version_id", sa.Uuid(), nullable=False),
        sa.Column(
            "service",
            sa.Enum("send", "return", "both", name="service", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "submitted",
                "collected",
                "at_office",
                "handed_over",
                "received",
                "not_received",
                "result_ready",
                "out_for_delivery",
                "delivered",
                "returned",
                "closed",
                "cancelled",
                name="dossierstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("link_secret", sa.String(length=43), nullable=False),
        sa.Column("contact_name", sa.String(length=120), nullable=False),
        sa.Column("contact_phone", sa.String(length=16), nullable=False),
        sa.Column("address", sa.String(length=300), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.Column("commune_code", sa.String(length=5), nullable=False),
        sa.Column("point", Geometry("POINT", 4326, spatial_index=False), nullable=False),
        sa.Column(
            "point_quality",
            sa.Enum(
                "surveyed",
                "pinned",
                "hamlet",
                "old_commune",
                "commune",
                name="pointquality",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column("competent_agency", sa.String(length=200), nullable=False),
        sa.Column("window_start", sa.DateTime(timezone=True), nullable=True),
        sa.Column("window_end", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dossier_code", sa.String(length=60), nullable=True),
        sa.Column("due_date", sa.Date(), nullable=True),
        sa.Column("refusal_reason", sa.String(length=300), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("window_end > window_start", name=op.f("ck_dossier_window")),
        sa.ForeignKeyConstraint(["centre_id"], ["service_point.id"], name=op.f("fk_dossier_centre_id")),
        sa.ForeignKeyConstraint(["citizen_id"], ["person.id"], name=op.f("fk_dossier_citizen_id")),
        sa.ForeignKeyConstraint(["commune_code"], ["commune.code"], name=op.f("fk_dossier_commune_code")),
        sa.ForeignKeyConstraint(["office_id"], ["service_point.id"], name=op.f("fk_dossier_office_id")),
        sa.ForeignKeyConstraint(
            ["procedure_version_id"], ["procedure_version.id"], name=op.f("fk_dossier_procedure_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dossier")),
        sa.UniqueConstraint("link_secret", name=op.f("uq_dossier_link_secret")),
    )
    op.create_geospatial_index(
        "idx_dossier_point", "dossier", ["point"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index("ix_dossier_centre_state", "dossier", ["centre_id", "state"], unique=False)
    op.create_index("ix_dossier_citizen_id_id", "dossier", ["citizen_id", "id"], unique=False)
    op.create_index("ix_dossier_code", "dossier", ["dossier_code"], unique=False)
    op.create_index(op.f("ix_dossier_office_id"), "dossier", ["office_id"], unique=False)
    op.create_table(
        "manifest",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["centre_id"], ["service_point.id"], name=op.f("fk_manifest_centre_id")),
        sa.ForeignKeyConstraint(["made_by"], ["person.id"], name=op.f("fk_manifest_made_by")),
        sa.ForeignKeyConstraint(["office_id"], ["service_point.id"], name=op.f("fk_manifest_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_manifest")),
        sa.UniqueConstraint("number", name=op.f("uq_manifest_number")),
    )
    op.create_index("ix_manifest_centre_id_id", "manifest", ["centre_id", "id"], unique=False)
    op.create_index("ix_manifest_office_id_id", "manifest", ["office_id", "id"], unique=False)
    op.create_table(
        "posting",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "citizen",
                "courier",
                "clerk",
                "dispatcher",
                "officer",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("service_point_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_posting_person_id")),
        sa.ForeignKeyConstraint(["service_point_id"], ["service_point.id"], name=op.f("fk_posting_service_point_id")),
        sa.PrimaryKeyConstraint("person_id", "role", name=op.f("pk_posting")),
    )
    op.create_index(op.f("ix_posting_service_point_id"), "posting", ["service_point_id"], unique=False)
    op.create_table(
        "shift",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("courier_id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("courier_id"), "="),
            (sa.text("tstzrange(starts_at, ends_at)"), "&&"),
            using="gist",
            name="ex_shift_overlap",
        ),
        sa.CheckConstraint("capacity BETWEEN 1 AND 1000", name=op.f("ck_shift_capacity")),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_shift_period")),
        sa.ForeignKeyConstraint(["courier_id"], ["person.id"], name=op.f("fk_shift_courier_id")),
        sa.ForeignKeyConstraint(["office_id"], ["service_point.id"], name=op.f("fk_shift_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shift")),
    )
    op.create_index("ix_shift_starts_at", "shift", ["starts_at"], unique=False)
    op.create_table(
        "charge",
        sa.Column("dossier_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "state_fee",
                "postage",
                "fee_transfer",
                name="chargekind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_charge_amount")),
        sa.ForeignKeyConstraint(["dossier_id"], ["dossier.id"], name=op.f("fk_charge_dossier_id")),
        sa.PrimaryKeyConstraint("dossier_id", "kind", name=op.f("pk_charge")),
    )
    op.create_table(
        "document",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("dossier_id", sa.Uuid(), nullable=False),
        sa.Column("requirement_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("originals", sa.Integer(), nullable=False),
        sa.Column("copies", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "originals >= 0 AND copies >= 0 AND originals + copies > 0", name=op.f("ck_document_counts")
        ),
        sa.ForeignKeyConstraint(["dossier_id"], ["dossier.id"], name=op.f("fk_document_dossier_id")),
        sa.ForeignKeyConstraint(
            ["requirement_id"], ["document_requirement.id"], name=op.f("fk_document_requirement_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document")),
        sa.UniqueConstraint("dossier_id", "position", name=op.f("uq_document_dossier_id_position")),
    )
    op.create_table(
        "dossier_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("dossier_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("device_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["dossier_id"], ["dossier.id"], name=op.f("fk_dossier_event_dossier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dossier_event")),
    )
    op.create_index("ix_dossier_event_dossier_id_seq", "dossier_event", ["dossier_id", "seq"], unique=False)
    op.create_table(
        "postal_item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("dossier_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("send", "result", name="itemkind", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("tracking_number", sa.String(length=13), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["dossier_id"], ["dossier.id"], name=op.f("fk_postal_item_dossier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_postal_item")),
        sa.UniqueConstraint("dossier_id", "kind", name=op.f("uq_postal_item_dossier_id_kind")),
        sa.UniqueConstraint("tracking_number", name=op.f("uq_postal_item_tracking_number")),
    )
    op.create_geospatial_table(
        "round",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("shift_id", sa.Uuid(), nullable=False),
        sa.Column("courier_id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column(
            "half",
            sa.Enum("morning", "afternoon", name="half", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "published",
                "started",
                "finished",
                "withdrawn",
                name="roundstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("departs_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("returns_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("metres", sa.Integer(), nullable=False),
        sa.Column("travel_seconds", sa.Integer(), nullable=False),
        sa.Column("line", Geometry("LINESTRING", 4326, spatial_index=False), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["courier_id"], ["person.id"], name=op.f("fk_round_courier_id")),
        sa.ForeignKeyConstraint(["office_id"], ["service_point.id"], name=op.f("fk_round_office_id")),
        sa.ForeignKeyConstraint(["plan_id"], ["day_plan.id"], name=op.f("fk_round_plan_id")),
        sa.ForeignKeyConstraint(["shift_id"], ["shift.id"], name=op.f("fk_round_shift_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_round")),
        sa.UniqueConstraint("shift_id", "half", "plan_id", name=op.f("uq_round_shift_id_half_plan_id")),
    )
    op.create_geospatial_index(
        "idx_round_line", "round", ["line"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index("ix_round_courier_id_day", "round", ["courier_id", "day"], unique=False)
    op.create_index("ix_round_day_half", "round", ["day", "half"], unique=False)
    op.create_index(op.f("ix_round_plan_id"), "round", ["plan_id"], unique=False)
    op.create_table(
        "voucher",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("handover_id", sa.Uuid(), nullable=False),
        sa.Column("dossier_id", sa.Uuid(), nullable=False),
        sa.Column("courier_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("number", sa.String(length=24), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_voucher_amount")),
        sa.ForeignKeyConstraint(["courier_id"], ["person.id"], name=op.f("fk_voucher_courier_id")),
        sa.ForeignKeyConstraint(["dossier_id"], ["dossier.id"], name=op.f("fk_voucher_dossier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voucher")),
        sa.UniqueConstraint("handover_id", name=op.f("uq_voucher_handover_id")),
        sa.UniqueConstraint("number", name=op.f("uq_voucher_number")),
    )
    op.create_index(op.f("ix_voucher_courier_id"), "voucher", ["courier_id"], unique=False)
    op.create_index(op.f("ix_voucher_dossier_id"), "voucher", ["dossier_id"], unique=False)
    op.create_geospatial_table(
        "handover",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("leg", sa.SmallInteger(), nullable=False),
        sa.Column(
            "from_role",
            sa.Enum(
                "citizen",
                "courier",
                "office",
                "agency",
                name="from_role",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("from_id", sa.Uuid(), nullable=False),
        sa.Column("from_name", sa.String(length=120), nullable=False),
        sa.Column(
            "to_role",
            sa.Enum(
                "citizen",
                "courier",
                "office",
                "agency",
                name="to_role",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("to_id", sa.Uuid(), nullable=False),
        sa.Column("to_name", sa.String(length=120), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        sa.Column("recorded_role", sa.String(length=20), nullable=False),
        sa.Column("device_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("point", Geometry("POINT", 4326, spatial_index=False), nullable=True),
        sa.Column("accuracy_m", sa.Integer(), nullable=True),
        sa.Column("seal_number", sa.String(length=40), nullable=True),
        sa.Column(
            "identity_check",
            sa.Enum(
                "card_seen",
                "card_scanned",
                "known_person",
                "none",
                name="identitycheck",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column(
            "receiver",
            sa.Enum(
                "self", "family", "authorized", name="receiver", native_enum=False, create_constraint=True, length=32
            ),
            nullable=True,
        ),
        sa.Column("receiver_name", sa.String(length=120), nullable=True),
        sa.Column("authorization_reference", sa.String(length=120), nullable=True),
        sa.Column("fee_collected", sa.Integer(), nullable=False),
        sa.Column("line_count", sa.SmallInteger(), nullable=False),
        sa.Column("signature_count", sa.SmallInteger(), nullable=False),
        sa.Column("request_digest", sa.LargeBinary(length=32), nullable=False),
        sa.CheckConstraint("from_role <> to_role OR from_id <> to_id", name=op.f("ck_handover_two_parties")),
        sa.CheckConstraint("leg >= 1", name=op.f("ck_handover_leg")),
        sa.ForeignKeyConstraint(["item_id"], ["postal_item.id"], name=op.f("fk_handover_item_id")),
        sa.ForeignKeyConstraint(["recorded_by"], ["person.id"], name=op.f("fk_handover_recorded_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover")),
        sa.UniqueConstraint("item_id", "leg", name=op.f("uq_handover_item_id_leg")),
    )
    op.create_geospatial_index(
        "idx_handover_point", "handover", ["point"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index("ix_handover_to_id", "handover", ["to_role", "to_id"], unique=False)
    op.create_geospatial_table(
        "job",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("dossier_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("pickup", "delivery", name="jobkind", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum("open", "closed", name="jobstate", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column(
            "outcome",
            sa.Enum(
                "succeeded", "failed", "cancelled", name="outcome", native_enum=False, create_constraint=True, length=32
            ),
            nullable=True,
        ),
        sa.Column(
            "reason",
            sa.Enum(
                "not_home",
                "wrong_address",
                "wrong_phone",
                "missing_document",
                "identity_not_shown",
                "receiver_not_authorized",
                "refused",
                "postponed",
                "unsafe",
                "road_closed",
                name="failurereason",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("point", Geometry("POINT", 4326, spatial_index=False), nullable=False),
        sa.Column("window_start", sa.DateTime(timezone=True), nullable=True),
        sa.Column("window_end", sa.DateTime(timezone=True), nullable=True),
        sa.Column("service_seconds", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'closed') = (outcome IS NOT NULL)", name=op.f("ck_job_outcome_when_closed")),
        sa.CheckConstraint("service_seconds > 0", name=op.f("ck_job_service_seconds")),
        sa.CheckConstraint("window_end > window_start", name=op.f("ck_job_window")),
        sa.ForeignKeyConstraint(["dossier_id"], ["dossier.id"], name=op.f("fk_job_dossier_id")),
        sa.ForeignKeyConstraint(["item_id"], ["postal_item.id"], name=op.f("fk_job_item_id")),
        sa.ForeignKeyConstraint(["office_id"], ["service_point.id"], name=op.f("fk_job_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    op.create_geospatial_index(
        "idx_job_point", "job", ["point"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index(op.f("ix_job_dossier_id"), "job", ["dossier_id"], unique=False)
    op.create_index(
        "ix_job_open_leg", "job", ["dossier_id", "kind"], unique=True, postgresql_where=sa.text("state = 'open'")
    )
    op.create_index(
        "ix_job_open_office",
        "job",
        ["office_id", "window_start"],
        unique=False,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "manifest_line",
        sa.Column("manifest_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "pending", "accepted", "refused", name="linestate", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("dossier_code", sa.String(length=60), nullable=True),
        sa.Column("due_date", sa.Date(), nullable=True),
        sa.Column("reason", sa.String(length=300), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state <> 'accepted' OR (dossier_code IS NOT NULL AND due_date IS NOT NULL)",
            name=op.f("ck_manifest_line_accepted"),
        ),
        sa.CheckConstraint("state <> 'refused' OR reason IS NOT NULL", name=op.f("ck_manifest_line_refused")),
        sa.ForeignKeyConstraint(["item_id"], ["postal_item.id"], name=op.f("fk_manifest_line_item_id")),
        sa.ForeignKeyConstraint(["manifest_id"], ["manifest.id"], name=op.f("fk_manifest_line_manifest_id")),
        sa.PrimaryKeyConstraint("manifest_id", "position", name=op.f("pk_manifest_line")),
        sa.UniqueConstraint("manifest_id", "item_id", name=op.f("uq_manifest_line_manifest_id_item_id")),
    )
    op.create_index(
        "ix_manifest_line_waiting",
        "manifest_line",
        ["item_id"],
        unique=True,
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_geospatial_table(
        "attempt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("courier_id", sa.Uuid(), nullable=False),
        sa.Column(
            "reason",
            sa.Enum(
                "not_home",
                "wrong_address",
                "wrong_phone",
                "missing_document",
                "identity_not_shown",
                "receiver_not_authorized",
                "refused",
                "postponed",
                "unsafe",
                "road_closed",
                name="failurereason",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.Column(
            "next_action",
            sa.Enum("try_again", "give_up", name="nextaction", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("point", Geometry("POINT", 4326, spatial_index=False), nullable=True),
        sa.Column("device_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["courier_id"], ["person.id"], name=op.f("fk_attempt_courier_id")),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_attempt_job_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
    )
    op.create_geospatial_index(
        "idx_attempt_point", "attempt", ["point"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index(op.f("ix_attempt_job_id"), "attempt", ["job_id"], unique=False)
    op.create_table(
        "handover_line",
        sa.Column("handover_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("originals", sa.SmallInteger(), nullable=False),
        sa.Column("copies", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint("originals >= 0 AND copies >= 0", name=op.f("ck_handover_line_counts")),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_handover_line_document_id")),
        sa.ForeignKeyConstraint(["handover_id"], ["handover.id"], name=op.f("fk_handover_line_handover_id")),
        sa.PrimaryKeyConstraint("handover_id", "position", name=op.f("pk_handover_line")),
    )
    op.create_table(
        "signature",
        sa.Column("handover_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("signer_name", sa.String(length=120), nullable=False),
        sa.Column("relationship", sa.String(length=40), nullable=False),
        sa.Column("strokes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(["handover_id"], ["handover.id"], name=op.f("fk_signature_handover_id")),
        sa.PrimaryKeyConstraint("handover_id", "position", name=op.f("pk_signature")),
    )
    op.create_geospatial_table(
        "stop",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("round_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "pending",
                "arrived",
                "done",
                "failed",
                "cancelled",
                name="stopstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("arrival", sa.DateTime(timezone=True), nullable=False),
        sa.Column("service_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("departure", sa.DateTime(timezone=True), nullable=False),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("arrived_device_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("arrived_point", Geometry("POINT", 4326, spatial_index=False), nullable=True),
        sa.Column("arrived_metres", sa.Integer(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_stop_job_id")),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("fk_stop_round_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stop")),
        sa.UniqueConstraint(
            "round_id", "position", deferrable=True, initially="DEFERRED", name=op.f("uq_stop_round_id_position")
        ),
    )
    op.create_geospatial_index(
        "idx_stop_arrived_point", "stop", ["arrived_point"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index(
        "ix_stop_job_once", "stop", ["job_id"], unique=True, postgresql_where=sa.text("state IN ('pending', 'arrived')")
    )
    op.create_table(
        "unplanned_job",
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("detail", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_unplanned_job_job_id")),
        sa.ForeignKeyConstraint(["plan_id"], ["day_plan.id"], name=op.f("fk_unplanned_job_plan_id")),
        sa.PrimaryKeyConstraint("plan_id", "job_id", name=op.f("pk_unplanned_job")),
    )
    # Communes name their post office, post offices their commune: one of the two has to come later.
    op.create_foreign_key(op.f("fk_commune_post_office_id"), "commune", "service_point", ["post_office_id"], ["id"])
    _make_custody_append_only()


def _make_custody_append_only() -> None:
    """Refuse UPDATE, DELETE and TRUNCATE, whoever asks: a wrong handover is corrected by a later one."""
    op.execute(
        """
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '% on % is refused: custody is append-only', TG_OP, TG_TABLE_NAME
                USING ERRCODE = 'insufficient_privilege';
        END $$
        """
    )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    _take_only_what_was_counted()


def _take_only_what_was_counted() -> None:
    """Refuse a line or signature beyond the number that the handover itself names: none can be slipped in later."""
    op.execute(
        """
        CREATE FUNCTION refuse_uncounted() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            counted integer;
        BEGIN
            EXECUTE format('SELECT %I FROM handover WHERE id = $1', TG_ARGV[0]) INTO counted USING NEW.handover_id;
            IF NEW.position < 1 OR NEW.position > coalesce(counted, 0) THEN
                RAISE EXCEPTION 'handover % has % rows of %, not more', NEW.handover_id, counted, TG_TABLE_NAME
                    USING ERRCODE = 'insufficient_privilege';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    for table, column in (("handover_line", "line_count"), ("signature", "signature_count")):
        op.execute(
            f"CREATE TRIGGER {table}_counted BEFORE INSERT ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION refuse_uncounted('{column}')"
        )


def downgrade() -> None:
    op.drop_constraint(op.f("fk_commune_post_office_id"), "commune", type_="foreignkey")
    op.drop_table("unplanned_job")
    op.drop_index("ix_stop_job_once", table_name="stop", postgresql_where=sa.text("state IN ('pending', 'arrived')"))
    op.drop_geospatial_index(
        "idx_stop_arrived_point", table_name="stop", postgresql_using="gist", column_name="arrived_point"
    )
    op.drop_geospatial_table("stop")
    op.drop_table("signature")
    op.drop_table("handover_line")
    op.drop_index(op.f("ix_attempt_job_id"), table_name="attempt")
    op.drop_geospatial_index("idx_attempt_point", table_name="attempt", postgresql_using="gist", column_name="point")
    op.drop_geospatial_table("attempt")
    op.drop_index("ix_manifest_line_waiting", table_name="manifest_line", postgresql_where=sa.text("state = 'pending'"))
    op.drop_table("manifest_line")
    op.drop_index("ix_job_open_office", table_name="job", postgresql_where=sa.text("state = 'open'"))
    op.drop_index("ix_job_open_leg", table_name="job", postgresql_where=sa.text("state = 'open'"))
    op.drop_index(op.f("ix_job_dossier_id"), table_name="job")
    op.drop_geospatial_index("idx_job_point", table_name="job", postgresql_using="gist", column_name="point")
    op.drop_geospatial_table("job")
    op.drop_index("ix_handover_to_id", table_name="handover")
    op.drop_geospatial_index("idx_handover_point", table_name="handover", postgresql_using="gist", column_name="point")
    op.drop_geospatial_table("handover")
    op.drop_index(op.f("ix_voucher_dossier_id"), table_name="voucher")
    op.drop_index(op.f("ix_voucher_courier_id"), table_name="voucher")
    op.drop_table("voucher")
    op.drop_index(op.f("ix_round_plan_id"), table_name="round")
    op.drop_index("ix_round_day_half", table_name="round")
    op.drop_index("ix_round_courier_id_day", table_name="round")
    op.drop_geospatial_index("idx_round_line", table_name="round", postgresql_using="gist", column_name="line")
    op.drop_geospatial_table("round")
    op.drop_table("postal_item")
    op.drop_index("ix_dossier_event_dossier_id_seq", table_name="dossier_event")
    op.drop_table("dossier_event")
    op.drop_table("document")
    op.drop_table("charge")
    op.drop_index("ix_shift_starts_at", table_name="shift")
    op.drop_table("shift")
    op.drop_index(op.f("ix_posting_service_point_id"), table_name="posting")
    op.drop_table("posting")
    op.drop_index("ix_manifest_office_id_id", table_name="manifest")
    op.drop_index("ix_manifest_centre_id_id", table_name="manifest")
    op.drop_table("manifest")
    op.drop_index(op.f("ix_dossier_office_id"), table_name="dossier")
    op.drop_index("ix_dossier_code", table_name="dossier")
    op.drop_index("ix_dossier_citizen_id_id", table_name="dossier")
    op.drop_index("ix_dossier_centre_state", table_name="dossier")
    op.drop_geospatial_index("idx_dossier_point", table_name="dossier", postgresql_using="gist", column_name="point")
    op.drop_geospatial_table("dossier")
    op.drop_table("document_requirement")
    op.drop_index(op.f("ix_service_point_commune_code"), table_name="service_point")
    op.drop_geospatial_index(
        "idx_service_point_point", table_name="service_point", postgresql_using="gist", column_name="point"
    )
    op.drop_geospatial_table("service_point")
    op.drop_table("role_grant")
    op.drop_index(
        "ix_procedure_version_search_name_trgm",
        table_name="procedure_version",
        postgresql_using="gin",
        postgresql_ops={"search_name": "gin_trgm_ops"},
    )
    op.drop_index(
        "ix_procedure_version_current", table_name="procedure_version", postgresql_where=sa.text("valid_to IS NULL")
    )
    op.drop_table("procedure_version")
    op.drop_index(
        "ix_old_unit_search_name_trgm",
        table_name="old_unit",
        postgresql_using="gin",
        postgresql_ops={"search_name": "gin_trgm_ops"},
    )
    op.drop_index(op.f("ix_old_unit_search_name"), table_name="old_unit")
    op.drop_index(op.f("ix_old_unit_search_district"), table_name="old_unit")
    op.drop_index(op.f("ix_old_unit_commune_code"), table_name="old_unit")
    op.drop_table("old_unit")
    op.drop_index(
        "ix_hamlet_search_name_trgm",
        table_name="hamlet",
        postgresql_using="gin",
        postgresql_ops={"search_name": "gin_trgm_ops"},
    )
    op.drop_index(op.f("ix_hamlet_search_name"), table_name="hamlet")
    op.drop_index(op.f("ix_hamlet_commune_code"), table_name="hamlet")
    op.drop_geospatial_index("idx_hamlet_point", table_name="hamlet", postgresql_using="gist", column_name="point")
    op.drop_geospatial_table("hamlet")
    op.drop_index(
        "ix_day_plan_one_running", table_name="day_plan", postgresql_where=sa.text("state IN ('queued', 'running')")
    )
    op.drop_table("day_plan")
    op.drop_index(op.f("ix_consent_person_id"), table_name="consent")
    op.drop_table("consent")
    op.drop_index(op.f("ix_access_token_person_id"), table_name="access_token")
    op.drop_table("access_token")
    op.drop_index("ix_tariff_current", table_name="tariff", postgresql_where=sa.text("valid_to IS NULL"))
    op.drop_table("tariff")
    op.drop_table("stored_answer")
    op.drop_geospatial_index("idx_road_line", table_name="road", postgresql_using="gist", column_name="line")
    op.drop_geospatial_table("road")
    op.drop_table("procedure")
    op.drop_table("person")
    op.drop_index("ix_outbox_waiting", table_name="outbox", postgresql_where=sa.text("done_at IS NULL"))
    op.drop_table("outbox")
    op.drop_index("ix_one_time_code_phone_created_at", table_name="one_time_code")
    op.drop_table("one_time_code")
    op.drop_table("number_range")
    op.drop_index(op.f("ix_import_run_kind_digest"), table_name="import_run")
    op.drop_table("import_run")
    op.drop_index(
        "ix_commune_search_name_trgm",
        table_name="commune",
        postgresql_using="gin",
        postgresql_ops={"search_name": "gin_trgm_ops"},
    )
    op.drop_index(op.f("ix_commune_search_name"), table_name="commune")
    op.drop_geospatial_index(
        "idx_commune_outline", table_name="commune", postgresql_using="gist", column_name="outline"
    )
    op.drop_geospatial_table("commune")
    op.drop_table("calendar_day")
    op.execute("DROP FUNCTION refuse_change()")
    op.execute("DROP FUNCTION refuse_uncounted()")
