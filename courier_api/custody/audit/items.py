"""Checks the way of each item: leg follows leg without a gap, and who gives is who has it."""

from courier_api.custody.audit.report import Report
from courier_api.custody.audit.snapshot import Snapshot

TABLE = "handover"
BEGINS = {"send": "citizen", "result": "agency"}


def check(snapshot: Snapshot, report: Report) -> None:
    """Check all items that were ever handed over."""
    query = """SELECT h.id::text, h.item_id::text, h.leg, h.from_role, h.from_id::text, h.to_role, h.to_id::text, i.kind
        FROM handover h LEFT JOIN postal_item i ON i.id = h.item_id ORDER BY h.item_id, h.leg"""
    last_item, last_leg, holder = "", 0, ("", "")
    for id_, item, leg, from_role, from_id, to_role, to_id, kind in snapshot.rows(query):
        if item != last_item:
            report.count("postal_item")
            last_item, last_leg = item, 0
            if leg == 1 and kind is not None and from_role != BEGINS[kind]:
                report.find("item_begins_elsewhere", TABLE, id_, kind=kind, role=from_role)
        elif (from_role, from_id) != holder:
            report.find("not_the_holder", TABLE, id_, item=item, leg=leg)
        if leg != last_leg + 1:
            report.find("leg_gap", TABLE, id_, item=item, leg=last_leg + 1, found=leg)
        last_leg, holder = leg, (to_role, to_id)
