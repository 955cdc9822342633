"""Checks devices: key, holder and dates are what their certificates say, and what a device signed is counted."""

from collections import defaultdict

from courier_api.custody.audit.known import Known, certificates
from courier_api.custody.audit.report import Report
from courier_api.custody.audit.snapshot import Snapshot
from courier_api.people.devices import KINDS
from courier_api.people.models import Role
from courier_api.proof.keys import key_id

TABLE = "device"


def check(snapshot: Snapshot, known: Known, report: Report) -> None:
    """Check every device and every certificate."""
    operators = known.trust.short
    issued = defaultdict(list)
    for kid, issued_us, content in certificates(snapshot):
        report.count("device_certificate")
        device = known.devices.get(kid)
        if device is None or Role(device.role) not in KINDS:
            continue  # the reference to no device, and a role that signs nothing, are findings already
        issued[kid].append(issued_us)
        fault = device.fault(content, issued_us, operators)
        if fault:
            report.find("certificate_differs", "device_certificate", f"{kid} {issued_us}", fault=fault)
    for device in known.devices.values():
        report.count(TABLE)
        if key_id(device.public_key).hex() != device.kid or device.key is None:
            report.find("device_key_differs", TABLE, device.kid)
        if device.created_us != min(issued[device.kid], default=None):
            report.find("device_dates_differ", TABLE, device.kid, column="created_at")
        if device.certified_us != max((until for _, until in device.certified), default=None):
            report.find("device_dates_differ", TABLE, device.kid, column="certified_until")
        if device.entries == 0 and (device.last_counter, device.last_digest) != (0, bytes(32)):
            report.find("device_counter_differs", TABLE, device.kid, counter=0, stored=device.last_counter)
    _quarantined(snapshot, known, report)


def _quarantined(snapshot: Snapshot, known: Known, report: Report) -> None:
    """A key that two devices sign with must be shut away."""
    for case, kid in snapshot.rows("SELECT id::text, kid FROM custody_case WHERE kind = 'key_cloned'"):
        device = known.devices.get(kid)
        if device is not None and device.quarantined_us is None:
            report.find("device_not_quarantined", TABLE, kid, case=case)
