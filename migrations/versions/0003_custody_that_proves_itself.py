"""Custody that proves itself: device keys, signed events, the ledger, the inbox of operations, sealed evidence."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from courier_api.db import Xid8

revision = "0003"
down_revision = "0002"


APPEND_ONLY = ("ledger_entry", "ledger_leaf", "ledger_node", "checkpoint", "cosignature")


def upgrade() -> None:
    _refuse_unsigned()
    op.drop_table("handover_line")
    op.drop_table("signature")
    op.execute("DROP FUNCTION refuse_uncounted()")
    op.create_table(
        "checkpoint",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_checkpoint")),
    )
    op.create_table(
        "ledger_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("kid", sa.String(length=16), nullable=False),
        sa.Column("counter", sa.Integer(), nullable=True),
        sa.Column("event", sa.LargeBinary(), nullable=True),
        sa.Column("of", sa.Uuid(), nullable=True),
        sa.Column("core", sa.LargeBinary(length=114), nullable=False),
        sa.Column("signature", sa.LargeBinary(length=64), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind <> 2 OR event IS NULL", name=op.f("ck_ledger_entry_countersignature_has_no_event")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entry")),
        sa.UniqueConstraint("kid", "counter", name=op.f("uq_ledger_entry_kid_counter")),
    )
    op.create_index(
        "ix_ledger_entry_countersigned",
        "ledger_entry",
        ["of", "kid"],
        unique=True,
        postgresql_where=sa.text("kind = 2"),
    )
    op.create_index("ix_ledger_entry_of", "ledger_entry", ["of"], unique=False)
    op.create_table(
        "ledger_node",
        sa.Column("level", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("level", "index", name=op.f("pk_ledger_node")),
    )
    op.create_table(
        "cosignature",
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("witness", sa.String(length=200), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["size"], ["checkpoint.size"], name=op.f("fk_cosignature_size")),
        sa.PrimaryKeyConstraint("size", "witness", name=op.f("pk_cosignature")),
    )
    op.create_table(
        "courier_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("courier_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("txid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.ForeignKeyConstraint(["courier_id"], ["person.id"], name=op.f("fk_courier_change_courier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_courier_change")),
    )
    op.create_index("ix_courier_change_feed", "courier_change", ["courier_id", "txid", "id"], unique=False)
    op.create_table(
        "custody_case",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "parked",
                "id_reused",
                "key_cloned",
                "gap",
                "malformed",
                "evidence",
                name="casekind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("operation_id", sa.Uuid(), nullable=True),
        sa.Column("kid", sa.String(length=16), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("decision", sa.String(length=20), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("correction_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["correction_id"], ["ledger_entry.id"], name=op.f("fk_custody_case_correction_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_custody_case_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custody_case")),
        sa.UniqueConstraint("operation_id", "kind", name=op.f("uq_custody_case_operation_id_kind")),
    )
    op.create_index(
        "ix_custody_case_open", "custody_case", ["id"], unique=False, postgresql_where=sa.text("decision IS NULL")
    )
    op.create_table(
        "device",
        sa.Column("kid", sa.String(length=16), nullable=False),
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
        sa.Column("public_key", sa.LargeBinary(length=33), nullable=False),
        sa.Column("label", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("certified_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("quarantined_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_counter", sa.Integer(), nullable=False),
        sa.Column("last_digest", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_device_person_id")),
        sa.PrimaryKeyConstraint("kid", name=op.f("pk_device")),
    )
    op.create_index(op.f("ix_device_person_id"), "device", ["person_id"], unique=False)
    op.create_table(
        "evidence",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("strokes", "photo", name="evidencekind", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=True),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proof_id", sa.Uuid(), nullable=True),
        sa.Column("erased_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["entry_id"], ["ledger_entry.id"], name=op.f("fk_evidence_entry_id")),
        sa.ForeignKeyConstraint(["erased_by"], ["ledger_entry.id"], name=op.f("fk_evidence_erased_by")),
        sa.ForeignKeyConstraint(["proof_id"], ["ledger_entry.id"], name=op.f("fk_evidence_proof_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
        sa.UniqueConstraint("entry_id", "kind", name=op.f("uq_evidence_entry_id_kind")),
    )
    op.create_table(
        "ledger_leaf",
        sa.Column("index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["ledger_entry.id"], name=op.f("fk_ledger_leaf_entry_id")),
        sa.PrimaryKeyConstraint("index", name=op.f("pk_ledger_leaf")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_ledger_leaf_entry_id")),
    )
    op.create_table(
        "ledger_waiting",
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["ledger_entry.id"], name=op.f("fk_ledger_waiting_entry_id")),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_ledger_waiting")),
    )
    op.create_table(
        "opening",
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("content", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("erased_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["entry_id"], ["ledger_entry.id"], name=op.f("fk_opening_entry_id")),
        sa.ForeignKeyConstraint(["erased_by"], ["ledger_entry.id"], name=op.f("fk_opening_erased_by")),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_opening")),
    )
    op.create_table(
        "operation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("kid", sa.String(length=16), nullable=True),
        sa.Column("counter", sa.Integer(), nullable=True),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "received",
                "waiting",
                "applied",
                "parked",
                "rejected",
                name="operationstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("code", sa.String(length=40), nullable=True),
        sa.Column("detail", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("receipt", sa.String(), nullable=False),
        sa.Column("receipt_signature", sa.LargeBinary(length=64), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_operation_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operation")),
    )
    op.create_index(op.f("ix_operation_person_id"), "operation", ["person_id"], unique=False)
    op.create_index(
        "ix_operation_unapplied",
        "operation",
        ["kid", "counter"],
        unique=False,
        postgresql_where=sa.text("state IN ('received', 'waiting')"),
    )
    op.create_table(
        "upload",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("strokes", "photo", name="evidencekind", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("offset", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fault", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_upload_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload")),
    )
    op.create_index(op.f("ix_upload_person_id"), "upload", ["person_id"], unique=False)
    op.create_index("ix_upload_entry_id", "upload", ["entry_id"], unique=False)
    op.create_index(
        "ix_upload_once",
        "upload",
        ["person_id", "entry_id", "kind", "length"],
        unique=True,
        postgresql_where=sa.text("fault IS NULL"),
    )
    op.create_table(
        "device_certificate",
        sa.Column("kid", sa.String(length=16), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", sa.LargeBinary(length=121), nullable=False),
        sa.ForeignKeyConstraint(["kid"], ["device.kid"], name=op.f("fk_device_certificate_kid")),
        sa.PrimaryKeyConstraint("kid", "issued_at", name=op.f("pk_device_certificate")),
    )
    op.create_table(
        "upload_chunk",
        sa.Column("upload_id", sa.Uuid(), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["upload_id"], ["upload.id"], name=op.f("fk_upload_chunk_upload_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("upload_id", "start", name=op.f("pk_upload_chunk")),
    )
    op.add_column("access_token", sa.Column("kid", sa.String(length=16), nullable=True))
    op.create_index(op.f("ix_access_token_kid"), "access_token", ["kid"], unique=False)
    op.create_foreign_key(op.f("fk_access_token_kid"), "access_token", "device", ["kid"], ["kid"])
    op.add_column(
        "attempt", sa.Column("missing", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True)
    )
    op.create_foreign_key(op.f("fk_handover_id"), "handover", "ledger_entry", ["id"], ["id"])
    op.create_index("ix_handover_at", "handover", ["at"], unique=False)
    op.drop_column("handover", "line_count")
    op.drop_column("handover", "receiver_name")
    op.drop_column("handover", "seal_number")
    op.drop_column("handover", "from_name")
    op.drop_column("handover", "authorization_reference")
    op.drop_column("handover", "signature_count")
    op.drop_column("handover", "to_name")
    op.add_column("outbox", sa.Column("token", sa.Integer(), nullable=False, server_default="0"))
    op.alter_column("outbox", "token", server_default=None)
    op.add_column("outbox", sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("person", sa.Column("staff_number", sa.Integer(), nullable=True))
    op.add_column("person", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    op.create_unique_constraint(op.f("uq_person_staff_number"), "person", ["staff_number"])
    op.execute(sa.schema.CreateSequence(sa.Sequence("staff_number")))
    op.execute(
        "UPDATE person SET staff_number = nextval('staff_number') WHERE id IN (SELECT person_id FROM role_grant)"
    )
    op.drop_constraint(op.f("ck_person_phone_e164"), "person", type_="check")
    op.create_check_constraint(
        op.f("ck_person_phone_e164"), "person", r"phone ~ '^\+[1-9][0-9]{7,14}$' OR erased_at IS NOT NULL"
    )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def _refuse_unsigned() -> None:
    """A handover that no device signed cannot be signed afterwards: such a database is kept, and a new one begun."""
    if op.get_bind().scalar(sa.text("SELECT EXISTS (SELECT FROM handover)")):
        raise RuntimeError(
            "This database holds handovers from before they were signed. Keep it aside (DATABASE_URL, or"
            " .local/postgres for the private one) and begin with an empty one."
        )


def downgrade() -> None:
    _refuse_to_unsign()
    op.drop_constraint(op.f("ck_person_phone_e164"), "person", type_="check")
    op.create_check_constraint(op.f("ck_person_phone_e164"), "person", r"phone ~ '^\+[1-9][0-9]{7,14}$'")
    op.execute(sa.schema.DropSequence(sa.Sequence("staff_number")))
    op.drop_constraint(op.f("uq_person_staff_number"), "person", type_="unique")
    op.drop_column("person", "erased_at")
    op.drop_column("person", "staff_number")
    op.drop_column("outbox", "leased_until")
    op.drop_column("outbox", "token")
    op.add_column("handover", sa.Column("to_name", sa.VARCHAR(length=120), autoincrement=False, nullable=False))
    op.add_column("handover", sa.Column("signature_count", sa.SMALLINT(), autoincrement=False, nullable=False))
    op.add_column(
        "handover", sa.Column("authorization_reference", sa.VARCHAR(length=120), autoincrement=False, nullable=True)
    )
    op.add_column("handover", sa.Column("from_name", sa.VARCHAR(length=120), autoincrement=False, nullable=False))
    op.add_column("handover", sa.Column("seal_number", sa.VARCHAR(length=40), autoincrement=False, nullable=True))
    op.add_column("handover", sa.Column("receiver_name", sa.VARCHAR(length=120), autoincrement=False, nullable=True))
    op.add_column("handover", sa.Column("line_count", sa.SMALLINT(), autoincrement=False, nullable=False))
    op.drop_constraint(op.f("fk_handover_id"), "handover", type_="foreignkey")
    op.drop_index("ix_handover_at", table_name="handover")
    op.drop_column("attempt", "missing")
    op.drop_constraint(op.f("fk_access_token_kid"), "access_token", type_="foreignkey")
    op.drop_index(op.f("ix_access_token_kid"), table_name="access_token")
    op.drop_column("access_token", "kid")
    op.drop_table("upload_chunk")
    op.drop_table("device_certificate")
    op.drop_index(op.f("ix_upload_person_id"), table_name="upload")
    op.drop_table("upload")
    op.drop_index(
        "ix_operation_unapplied", table_name="operation", postgresql_where=sa.text("state IN ('received', 'waiting')")
    )
    op.drop_index(op.f("ix_operation_person_id"), table_name="operation")
    op.drop_table("operation")
    op.drop_table("opening")
    op.drop_table("ledger_waiting")
    op.drop_table("ledger_leaf")
    op.drop_table("evidence")
    op.drop_index(op.f("ix_device_person_id"), table_name="device")
    op.drop_table("device")
    op.drop_index("ix_custody_case_open", table_name="custody_case", postgresql_where=sa.text("decision IS NULL"))
    op.drop_table("custody_case")
    op.drop_index("ix_courier_change_feed", table_name="courier_change")
    op.drop_table("courier_change")
    op.drop_table("cosignature")
    op.drop_table("ledger_node")
    op.drop_index("ix_ledger_entry_of", table_name="ledger_entry")
    op.drop_index("ix_ledger_entry_countersigned", table_name="ledger_entry", postgresql_where=sa.text("kind = 2"))
    op.drop_table("ledger_entry")
    op.drop_table("checkpoint")
    _lines_and_signatures()


def _refuse_to_unsign() -> None:
    if op.get_bind().scalar(sa.text("SELECT EXISTS (SELECT FROM ledger_entry)")):
        raise RuntimeError("The ledger is not empty: what is signed is not thrown away by a migration.")


def _lines_and_signatures() -> None:
    """The tables of 0001 as they were, empty."""
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
    _refuse_uncounted()


def _refuse_uncounted() -> None:
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
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
