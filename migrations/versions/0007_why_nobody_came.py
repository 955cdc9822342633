"""Two more reasons why a door was not done: the day was over, the motorbike broke down."""

from alembic import op

revision = "0007"
down_revision = "0006"

REASONS = (
    "not_home", "wrong_address", "wrong_phone", "missing_document", "identity_not_shown",
    "receiver_not_authorized", "refused", "postponed", "unsafe", "road_closed",
)  # fmt: skip
NEW = ("out_of_time", "vehicle_broken")


def upgrade() -> None:
    _allow(REASONS + NEW)


def downgrade() -> None:
    for table in ("job", "attempt"):
        op.execute(f"UPDATE {table} SET reason = 'unsafe' WHERE reason IN ('out_of_time', 'vehicle_broken')")  # noqa: S608
    _allow(REASONS)


def _allow(reasons: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{reason}'" for reason in reasons)
    for table in ("job", "attempt"):
        op.drop_constraint(op.f(f"ck_{table}_failurereason"), table)
        op.create_check_constraint(op.f(f"ck_{table}_failurereason"), table, f"reason IN ({listed})")
