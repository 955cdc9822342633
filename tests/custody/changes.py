"""Changes that somebody with all rights on the database could make, and what the auditor must say to each.

SQL that returns the row to be named, the finding's code, and its table. TAKEN, NEWEST and OTHER stand for rows.
"""

WORDS = {
    "TAKEN": "(SELECT id FROM handover ORDER BY at LIMIT 1)",
    "NEWEST": "(SELECT max(size) FROM checkpoint)",
    "OTHER": "(SELECT id FROM ledger_entry WHERE kind = 3 LIMIT 1)",
    "ZEROS": "decode(repeat('00', 32), 'hex')",
    "NOBODY": "'00000000-0000-0000-0000-000000000000'",
}

CHANGES = """
UPDATE ledger_entry SET event = set_byte(event, 40, 65) WHERE id = TAKEN RETURNING id
    event_differs ledger_entry
UPDATE ledger_entry SET event = event || ' ' WHERE kind = 8 RETURNING id
    event_differs ledger_entry
UPDATE ledger_entry SET event = NULL WHERE id = TAKEN RETURNING id
    event_lost ledger_entry
UPDATE ledger_entry SET event = NULL WHERE id IN (SELECT id FROM operation WHERE state = 'parked') RETURNING id
    event_lost ledger_entry
UPDATE ledger_entry SET counter = NULL WHERE id = TAKEN RETURNING id
    columns_differ ledger_entry
UPDATE ledger_entry SET core = set_byte(core, 80, 1) WHERE id = TAKEN RETURNING id
    signature_wrong ledger_entry
UPDATE ledger_entry SET core = '\\x00' WHERE id = TAKEN RETURNING id
    core_malformed ledger_entry
UPDATE ledger_entry SET signature = set_byte(signature, 9, 255 - get_byte(signature, 9)) WHERE kind = 2 RETURNING id
    signature_wrong ledger_entry
UPDATE ledger_entry SET kind = 3 WHERE id = TAKEN RETURNING id
    columns_differ ledger_entry
UPDATE ledger_entry SET counter = counter + 100 WHERE id = TAKEN RETURNING id
    counter_gap ledger_entry
UPDATE ledger_entry SET of = OTHER WHERE kind = 2 RETURNING id
    countersigned_differs ledger_entry
UPDATE ledger_entry SET of = OTHER WHERE kind = 8 RETURNING id
    of_differs ledger_entry
UPDATE ledger_entry SET received_at = received_at + interval '1 us' WHERE id = TAKEN
    RETURNING (SELECT index FROM ledger_leaf l WHERE l.entry_id = ledger_entry.id)
    leaf_differs ledger_leaf
UPDATE ledger_entry SET received_at = now() + interval '40 days' WHERE id = TAKEN RETURNING id
    not_certified ledger_entry
DELETE FROM ledger_entry WHERE id = TAKEN RETURNING id
    reference_lost handover
UPDATE ledger_leaf SET hash = ZEROS WHERE index = 3 RETURNING index
    leaf_differs ledger_leaf
DELETE FROM ledger_leaf WHERE index = 3 RETURNING entry_id
    leaf_missing ledger_entry
DELETE FROM ledger_leaf WHERE index = 3 RETURNING 4
    leaf_gap ledger_leaf
INSERT INTO ledger_waiting VALUES (TAKEN) RETURNING entry_id
    waiting_logged ledger_waiting
INSERT INTO ledger_node VALUES (1, 0, ZEROS) RETURNING '1 0'
    node_surplus ledger_node
UPDATE checkpoint SET note = replace(note, 'courier', 'another') WHERE size = NEWEST RETURNING size
    checkpoint_unsigned checkpoint
UPDATE checkpoint SET root = ZEROS WHERE size = NEWEST RETURNING size
    checkpoint_differs checkpoint
UPDATE checkpoint SET size = size + 1 WHERE size = NEWEST RETURNING size
    checkpoint_beyond checkpoint
DELETE FROM checkpoint WHERE size = NEWEST
    RETURNING (SELECT size FROM checkpoint ORDER BY size DESC OFFSET 1 LIMIT 1)
    checkpoint_stale checkpoint
DELETE FROM checkpoint WHERE size = (SELECT min(size) FROM checkpoint)
    RETURNING (SELECT id FROM ledger_entry WHERE position('"anchor"' IN encode(event, 'escape')) > 0)
    anchor_unknown ledger_entry
UPDATE cosignature SET line = replace(line, ' ', '  ') RETURNING size || ' ' || witness
    cosignature_wrong cosignature
UPDATE device SET last_counter = last_counter - 1 WHERE last_counter > 3 RETURNING kid
    device_counter_differs device
UPDATE device SET public_key = set_byte(public_key, 9, 255 - get_byte(public_key, 9)) RETURNING kid
    device_key_differs device
UPDATE device SET certified_until = certified_until + interval '1 day' RETURNING kid
    device_dates_differ device
UPDATE device SET revoked_at = now() - interval '1 hour' WHERE last_counter > 3
    RETURNING (SELECT id FROM ledger_entry e WHERE e.kid = device.kid AND counter = 1)
    key_was_refused ledger_entry
DELETE FROM device WHERE last_counter > 3
    RETURNING (SELECT id FROM ledger_entry e WHERE e.kid = device.kid AND counter = 1)
    signature_wrong ledger_entry
UPDATE device_certificate SET content = set_byte(content, 50, 255 - get_byte(content, 50))
    RETURNING kid || ' ' || (extract(epoch FROM issued_at) * 1000000)::bigint
    certificate_differs device_certificate
UPDATE opening SET content = jsonb_set(content, '{seal}', '"NS-1"') WHERE content ? 'seal' RETURNING entry_id
    opening_differs opening
UPDATE opening SET content = content - 'documents' WHERE content ? 'documents' RETURNING entry_id
    opening_differs opening
UPDATE opening SET content = content || '{"note": "-"}' WHERE content ? 'seal' RETURNING entry_id
    opening_uncommitted opening
UPDATE opening SET content = NULL RETURNING entry_id
    opening_lost opening
UPDATE opening SET content = NULL, erased_by = OTHER RETURNING entry_id
    erasure_unknown opening
DELETE FROM opening RETURNING entry_id
    opening_missing opening
UPDATE evidence SET digest = ZEROS RETURNING id
    evidence_differs evidence
UPDATE evidence SET wrapped_key = set_byte(wrapped_key, 0, 255 - get_byte(wrapped_key, 0)) RETURNING id
    evidence_tampered evidence
UPDATE evidence SET wrapped_key = NULL RETURNING id
    evidence_key_lost evidence
UPDATE evidence SET key_id = 'x' RETURNING id
    evidence_key_unknown evidence
UPDATE evidence SET size = size + 1 RETURNING id
    evidence_content_differs evidence
DELETE FROM evidence WHERE kind = 'photo' RETURNING entry_id
    evidence_lost evidence
DELETE FROM evidence WHERE kind = 'strokes' RETURNING entry_id
    evidence_missing evidence
UPDATE handover SET fee_collected = fee_collected + 1 RETURNING id
    handover_differs handover
UPDATE handover SET request_digest = ZEROS WHERE id = TAKEN RETURNING id
    handover_differs handover
DELETE FROM handover WHERE leg = 2 RETURNING id
    handover_missing handover
DELETE FROM handover h WHERE leg = 2
    RETURNING (SELECT id FROM handover n WHERE n.leg = 3 AND n.item_id = h.item_id)
    leg_gap handover
UPDATE handover h SET to_id = NOBODY WHERE leg = 1
    RETURNING (SELECT id FROM handover n WHERE n.leg = 2 AND n.item_id = h.item_id)
    not_the_holder handover
UPDATE handover SET from_role = 'office' WHERE leg = 1 RETURNING id
    item_begins_elsewhere handover
UPDATE postal_item i SET tracking_number = 'EH000000000VN' WHERE id = (SELECT item_id FROM handover WHERE id = TAKEN)
    RETURNING TAKEN
    handover_differs handover
UPDATE person SET staff_number = 99999 WHERE id = (SELECT to_id FROM handover WHERE id = TAKEN) RETURNING TAKEN
    handover_differs handover
UPDATE service_point SET code = 'X' WHERE id IN (SELECT to_id FROM handover WHERE to_role = 'agency')
    RETURNING (SELECT id FROM handover WHERE to_role = 'agency')
    handover_differs handover
UPDATE operation SET receipt = replace(receipt, 'Z', '.') RETURNING id
    receipt_wrong operation
UPDATE operation SET digest = ZEROS RETURNING id
    receipt_differs operation
UPDATE upload SET receipt = replace(receipt, 'Z', '.') RETURNING id
    receipt_wrong upload
UPDATE upload SET digest = ZEROS RETURNING id
    receipt_differs upload
UPDATE upload SET kind = 'strokes' RETURNING id
    receipt_differs upload
UPDATE upload SET receipt_signature = NULL RETURNING id
    receipt_wrong upload
UPDATE operation SET state = 'rejected' WHERE state = 'applied' RETURNING id
    operation_differs operation
UPDATE operation SET state = 'applied' WHERE state = 'parked' RETURNING id
    operation_differs operation
UPDATE operation SET content = NULL WHERE state = 'parked' RETURNING id
    operation_content_lost operation
UPDATE operation SET content = content || ' ' WHERE content IS NOT NULL RETURNING id
    operation_content_differs operation
UPDATE operation SET id = gen_random_uuid() WHERE state = 'applied' RETURNING id
    operation_without_entry operation
DELETE FROM custody_case RETURNING operation_id
    case_missing operation
UPDATE custody_case SET decision = 'dismiss' RETURNING id
    decision_differs custody_case
INSERT INTO custody_case (id, kind, kid, person_id, code, detail)
    SELECT gen_random_uuid(), 'key_cloned', kid, person_id, 'key_cloned', '{}' FROM device WHERE last_counter > 3
    RETURNING kid
    device_not_quarantined device
UPDATE settlement SET amount = amount + 1 RETURNING id
    settlement_differs settlement
UPDATE settlement SET clerk_id = (SELECT id FROM person WHERE phone = '+84912000013') RETURNING id
    settlement_differs settlement
UPDATE settlement SET office_id = (SELECT id FROM service_point WHERE id <> office_id LIMIT 1) RETURNING id
    settlement_differs settlement
UPDATE settlement SET courier_id = (SELECT id FROM person WHERE phone = '+84912000012') RETURNING id
    settlement_differs settlement
UPDATE settlement SET device_at = device_at + interval '1 ms' RETURNING id
    settlement_differs settlement
UPDATE voucher SET settlement_id = NULL WHERE id = (SELECT id FROM voucher LIMIT 1)
    RETURNING (SELECT id FROM settlement)
    settlement_differs settlement
UPDATE recalled SET settlement_id = NULL RETURNING (SELECT id FROM settlement)
    settlement_differs settlement
DELETE FROM settlement RETURNING id
    settlement_missing settlement
INSERT INTO settlement SELECT gen_random_uuid(), courier_id, office_id, clerk_id, amount, device_at, at FROM settlement
    RETURNING id
    settlement_unsigned settlement
UPDATE recalled SET originals = 0 RETURNING handover_id
    recalled_differs recalled
DELETE FROM recalled RETURNING handover_id
    recalled_differs recalled
INSERT INTO recalled SELECT TAKEN, "position", originals, courier_id, NULL FROM recalled RETURNING handover_id
    recalled_differs recalled
UPDATE round SET seen_version = seen_version + 1 WHERE seen_version IS NOT NULL RETURNING id
    seen_differs round
UPDATE round SET seen_at = now() + interval '1 day' WHERE seen_version IS NOT NULL RETURNING id
    seen_differs round
UPDATE round SET seen_version = NULL, seen_at = NULL WHERE seen_version IS NOT NULL RETURNING id
    seen_differs round
UPDATE round SET seen_version = 1, seen_at = now() WHERE seen_version IS NULL RETURNING id
    seen_differs round
UPDATE stop SET arrived_why = 'gps_wrong' WHERE arrived_why IS NOT NULL RETURNING id
    arrival_differs stop
UPDATE stop SET arrived_why = NULL WHERE arrived_why IS NOT NULL RETURNING id
    arrival_differs stop
UPDATE stop SET arrived_why = 'gps_wrong' WHERE arrived_why IS NULL RETURNING id
    arrival_differs stop
UPDATE attempt SET called = NULL RETURNING id
    attempt_differs attempt
UPDATE attempt SET called = '["2026-11-22T03:14:15.927Z"]' RETURNING id
    attempt_differs attempt
UPDATE attempt SET reason = 'refused' RETURNING id
    attempt_differs attempt
UPDATE custody_case SET code = 'wrong_seal' WHERE kind = 'remark' RETURNING id
    remark_differs custody_case
UPDATE custody_case SET detail = '{}' WHERE kind = 'remark' RETURNING id
    remark_differs custody_case
DELETE FROM custody_case WHERE kind = 'remark' RETURNING operation_id
    case_missing operation
UPDATE dossier SET state = 'closed' RETURNING id
    dossier_differs dossier
UPDATE voucher SET amount = amount - 1 RETURNING id
    voucher_differs voucher
DELETE FROM voucher RETURNING handover_id
    voucher_missing voucher
INSERT INTO voucher SELECT gen_random_uuid(), h.id, v.dossier_id, v.courier_id, 1, now(), now(), 'x'
    FROM voucher v, handover h WHERE h.leg = 2 LIMIT 1 RETURNING id
    voucher_without_money voucher
"""


def changes() -> list[tuple[str, str, str]]:
    """Statement, code and table of each."""
    found: list[tuple[str, str, str]] = []
    statement: list[str] = []
    for line in CHANGES.strip().splitlines():
        words = line.split()
        if line.startswith(" ") and len(words) == 2 and words[0].islower() and words[1].isidentifier() and statement:
            said = " ".join(statement)
            for word, meaning in WORDS.items():
                said = said.replace(word, meaning)
            found.append((said, words[0], words[1]))
            statement = []
        else:
            statement.append(line.strip())
    return found
