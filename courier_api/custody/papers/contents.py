"""What stands on each paper, as plain data. A None that may be a person's or evidence's prints as erased."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

COMPLAINTS = (
    "Khiếu nại được tiếp nhận trong 6 tháng kể từ ngày kết thúc thời gian toàn trình đã công bố, "
    "tại bất kỳ bưu cục nào. Xin giữ phiếu này."
)


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a handover; `role` is a PartyRole's value or the words to print, a name of None is erased."""

    role: str
    name: str | None
    code: str | None = None  # of staff, C-00417
    place: str | None = None


@dataclass(frozen=True, slots=True)
class Paper:
    """One document, its originals and its copies counted apart."""

    name: str
    originals: int
    copies: int


@dataclass(frozen=True, slots=True)
class MissingPaper:
    """One document of the published list: how many are needed, how many were shown at the door."""

    name: str
    originals_needed: int
    copies_needed: int
    originals_shown: int
    copies_shown: int


@dataclass(frozen=True, slots=True)
class HandSignature:
    """A signature by hand; `strokes` are lists of [x, y, milliseconds, pressure], name or strokes of None are erased.

    `relationship` is `self`, `family`, `authorized`, or the words to print.
    """

    name: str | None
    relationship: str
    strokes: Sequence[Sequence[Sequence[int]]] | None


@dataclass(frozen=True, slots=True)
class KeySignature:
    """A signature by a device's key: the staff code it is certified for, and the key's id in hex."""

    code: str
    key_id: str


@dataclass(frozen=True, slots=True)
class Fees:
    """What was collected, in đồng, and the number of the voucher given for it."""

    state_fee: int
    postage: int
    fee_transfer: int
    voucher: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CitizenReceipt:
    """For the citizen: what was collected from, or delivered to, their door; documents of None are erased."""

    kind: Literal["pickup", "delivery"]
    operator: str
    tracking_number: str
    dossier_code: str | None = None
    procedure: str
    giver: Side
    taker: Side
    place: str
    device_at: datetime
    server_at: datetime
    documents: Sequence[Paper] | None
    fees: Fees
    seal_number: str | None = None
    signatures: Sequence[HandSignature]
    device: KeySignature
    verify_address: str | None
    complaints: str = COMPLAINTS
    contact: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverRecord:
    """For agency and post office: who handed over which documents of one dossier; documents of None are erased.

    A side without a signature of either kind gets room to sign by pen. `locality` stands before the date.
    """

    operator: str
    office: str
    locality: str
    tracking_number: str
    manifest_number: str | None = None
    dossier_code: str | None = None
    due_date: date | None = None
    procedure: str
    applicant: str | None
    giver: Side
    taker: Side
    place: str
    device_at: datetime
    server_at: datetime
    documents: Sequence[Paper] | None
    seal_number: str | None = None
    remarks: str = ""
    giver_hand: HandSignature | None = None
    giver_key: KeySignature | None = None
    taker_hand: HandSignature | None = None
    taker_key: KeySignature | None = None
    verify_address: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplementSlip:
    """Left at the door where a document of the published list was missing; nothing changed hands.

    `published` names the list (a decision, an address); `appointment` is the next window's start and end, None where
    the post office will call.
    """

    operator: str
    locality: str
    tracking_number: str
    procedure: str
    published: str | None = None
    citizen: str | None
    courier: Side
    place: str
    device_at: datetime
    server_at: datetime
    missing: Sequence[MissingPaper]
    reason: str = ""
    appointment: tuple[datetime, datetime] | None = None
    device: KeySignature
    verify_address: str | None
    contact: str | None = None


type AnyPaper = CitizenReceipt | HandoverRecord | SupplementSlip
