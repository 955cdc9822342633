// What a courier's operations say, from what the screens hold; the device signs it. Pure. docs/custody.md is the contract.

export const UNDO_MS = 10_000; // so long the phone keeps an operation to itself, to be taken back

const citizen = { r: "citizen" };

// Text as the server takes it (api/fields.py): what a scanner or a keyboard adds unseen would make it another text than
// the one that was signed. Null where nothing is left.
export const clean = (text) =>
  text
    ?.normalize("NFC")
    .replace(/[^\P{Cc}\n\t]|\p{Cs}/gu, "")
    .trim() || null;
const party = (role, id) => (role === "citizen" ? citizen : { r: role, id });

// Degrees x 10^7 and metres, as events write them; null where it is not known.
export function geoOf(place) {
  if (!place) return null;
  return {
    lat: e7(place.lat),
    lon: e7(place.lon),
    ...(known(place.accuracy) && { acc: Math.min(100_000, Math.round(place.accuracy)) }),
  };
}

const e7 = (degrees) => Math.round(degrees * 1e7);
const known = (value) => value !== null && value !== undefined;

// The same place as a request has it: from the integers, so that both say the same.
function placeOf(geo) {
  return geo && { lon: geo.lon / 1e7, lat: geo.lat / 1e7 };
}

export const start = (round) => of("courier.start", { round: round.id }, { round: round.id });
export const finish = (round) => of("courier.finish", { round: round.id }, { round: round.id });
export const seen = (round) => of("courier.seen", { round: round.id, version: round.version }, { round: round.id });

export function arrival(door, { place, why = null }) {
  return of("courier.arrival", { stop: door.id, geo: geoOf(place), why }, subjectOf(door), { hold_ms: UNDO_MS });
}

// `missing` are papers of the checklist as they were shown, short of what it asks: [[position, originals, copies], ...].
export function failure(
  door,
  { reason, next, note = "", missing = null, called = [], wished = null, place = null, photo = null },
) {
  return of(
    "courier.failure",
    { stop: door.id, reason, next, missing, called: called.length ? called : null, wished, geo: geoOf(place) },
    subjectOf(door),
    {
      hold_ms: UNDO_MS,
      values: { note: clean(note), photo },
      beside: { note: clean(note) },
      evidence: photo ? [{ kind: "photo", bytes: photo }] : [],
    },
  );
}

export function remark(operation, { why, note, photo = null }) {
  return of("courier.remark", { of: operation.id, why }, operation.subject ?? {}, {
    values: { note: clean(note), photo },
    beside: { note: clean(note) },
    evidence: photo ? [{ kind: "photo", bytes: photo }] : [],
  });
}

// Papers taken from a citizen, or the result given to one.
//   given  {lines, extra, recalled, identity, receiver, receiverName, authorization, fee, seal, place, signatures, photo}
export function handover(door, custody, me, entered) {
  const given = cleaned(entered);
  const pickup = door.job.kind === "pickup";
  const papers = papersOf(door, given);
  const extra = pickup && given.extra?.length ? given.extra : null;
  const recalled = given.recalled?.length ? given.recalled : null;
  const third =
    given.receiverName || given.authorization
      ? { authorization: given.authorization ?? null, name: given.receiverName ?? null }
      : null;
  return signedByHand({
    sides: pickup ? [citizen, party("courier", me)] : [party("courier", me), citizen],
    custody,
    subject: { ...subjectOf(door), item: custody.item_id },
    fields: {
      stop: door.id,
      fee: given.fee,
      identity: given.identity,
      receiver: pickup ? null : given.receiver,
      recalled: recalled?.map(({ position, originals }) => [position, originals]),
    },
    values: { citizen: door.job.contact_name, documents: papers, seal: given.seal ?? null, third_party: third },
    beside: {
      stop_id: door.id,
      lines: given.lines,
      ...(extra && { extra }),
      ...(recalled && { recalled }),
      identity_check: given.identity,
      fee_collected: given.fee,
      ...(pickup ? { seal_number: given.seal } : { receiver: given.receiver }),
      ...(given.receiverName && { receiver_name: given.receiverName }),
      ...(given.authorization && { authorization_reference: given.authorization }),
    },
    given,
  });
}

function cleaned(given) {
  return {
    ...given,
    seal: clean(given.seal),
    receiverName: clean(given.receiverName),
    authorization: clean(given.authorization),
    extra: given.extra?.map((paper) => ({ ...paper, name: clean(paper.name) })),
    signatures: given.signatures.map((one) => ({ ...one, signer_name: clean(one.signer_name) })),
  };
}

// A bag given to the post office, the clerk signing on this phone; online the counter records it itself.
// `together` is the same for all that one clerk signs for at once.
export function toOffice(bag, me, office, { clerk, place, signatures, write, together }) {
  return signedByHand({
    sides: [party("courier", me), party("office", office.code)],
    custody: bag.custody,
    subject: { item: bag.custody.item_id, round: bag.round ?? null, together },
    fields: { by: clerk.staff_code, fee: 0 },
    values: {
      documents: bag.lines.map((line, n) => [
        n + 1,
        line.name,
        line.originals,
        line.copies,
        ...(line.reason ? [line.reason] : []),
      ]),
    },
    beside: {
      item_id: bag.custody.item_id,
      lines: bag.lines.map((line, n) => ({ position: n + 1, originals: line.originals, copies: line.copies })),
    },
    given: { place, signatures, write },
  });
}

// The cash of some handovers, paid in against their vouchers, and recalled originals given with it.
export function settlement(office, { amount, handovers, recalled, clerk, place, signatures, write, together }) {
  const strokes = write(signatures);
  return of(
    "courier.settlement",
    { office: office.code, amount, by: clerk.staff_code, handovers, recalled, geo: geoOf(place) },
    { together },
    {
      hold_ms: UNDO_MS,
      values: { strokes },
      beside: { strokes_follow: true },
      evidence: [{ kind: "strokes", bytes: strokes }],
    },
  );
}

// The papers in order, as they are committed to: [n, name, originals, copies, reason where one stands beyond the list].
export function papersOf(door, { lines, extra = [] }) {
  const named = new Map(
    (door.job.kind === "pickup" ? door.documents : door.lines).map((line) => [line.position, line]),
  );
  const counted = [...lines]
    .sort((a, b) => a.position - b.position)
    .map((line) => {
      const { name, reason } = named.get(line.position);
      return [name, line.originals, line.copies, ...(reason ? [reason] : [])];
    });
  const added = extra.map(({ name, originals, copies, reason }) => [name, originals, copies, reason]);
  return [...counted, ...added].map((paper, n) => [n + 1, ...paper]);
}

function signedByHand({ sides: [from, to], custody, subject, fields, values, beside, given }) {
  const geo = geoOf(given.place);
  const strokes = given.write(given.signatures); // the bytes that are committed to are the bytes that go up
  const evidence = [{ kind: "strokes", bytes: strokes }];
  if (given.photo) evidence.push({ kind: "photo", bytes: given.photo });
  return of(
    "custody.handover",
    { item: custody.item_id, no: custody.tracking_number, leg: custody.leg, from, to, geo, ...fields },
    subject,
    {
      hold_ms: UNDO_MS,
      values: { ...values, strokes, photo: given.photo ?? null },
      beside: {
        ...beside,
        ...(geo && { place: placeOf(geo), ...(known(geo.acc) && { accuracy_m: geo.acc }) }),
        strokes_follow: true,
      },
      stamped: "device_at",
      evidence,
    },
  );
}

const subjectOf = (door) => ({ stop: door.id, round: door.round ?? null, item: door.custody?.item_id ?? null });

// `stamped` names the field beside the event that repeats the event's own time.
function of(typ, fields, subject, { values = {}, beside = {}, evidence = [], hold_ms = 0, stamped = null } = {}) {
  return { typ, fields, subject, values, beside, evidence, hold_ms, stamped };
}
