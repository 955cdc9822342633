// The 114 bytes that a device signs, laid out as courier_api/proof/core.py says. Pure.
import { bytesOf } from "../verify/bytes.js";

const SIZE = 114;
const NOWHERE = -(2 ** 31);
const KINDS = {
  "custody.handover": 1,
  "courier.arrival": 3,
  "courier.failure": 4,
  "courier.start": 5,
  "courier.finish": 6,
  "custody.correction": 7,
  "courier.seen": 10,
  "courier.settlement": 11,
  "courier.remark": 12,
};
const PARTIES = { citizen: 1, courier: 2, office: 3, agency: 4 };
const COUNTERSIGNATURE = 2;

// Nothing in it is the signer's free choice: it follows from the event and its digest.
export function coreOf(event, digest) {
  const core = new Uint8Array(SIZE);
  const view = new DataView(core.buffer);
  const { lat = NOWHERE, lon = NOWHERE } = event.geo ?? {};
  core[0] = 1;
  core[1] = kind(event.typ);
  core.set(fromHex(event.dev.kid, 8), 2);
  view.setUint32(10, within(event.dev.ctr, 0, 2 ** 32 - 1));
  core.set(fromHex(event.eid.replaceAll("-", ""), 16), 14);
  core.set(code(event.no ?? "", 13, "tracking number"), 30);
  core[43] = within(event.leg ?? 0, 0, 255);
  setParty(core, 44, event.from);
  setParty(core, 55, event.to);
  view.setBigUint64(66, BigInt(milliseconds(event.t)));
  view.setInt32(74, within(lat, NOWHERE, 2 ** 31 - 1));
  view.setInt32(78, within(lon, NOWHERE, 2 ** 31 - 1));
  core.set(digest, 82);
  return core;
}

// What the other side of a handover signs: the same core, marked as such, with its own key id and no counter.
export function countersigned(core, kid) {
  const other = core.slice();
  other[1] = COUNTERSIGNATURE;
  other.set(fromHex(kid, 8), 2);
  other.fill(0, 10, 14);
  return other;
}

function setParty(core, at, party) {
  if (!party) return;
  if (!PARTIES[party.r]) throw new RangeError(`no role: ${party.r}`);
  core[at] = PARTIES[party.r];
  core.set(code(party.id ?? "", Infinity, "code").slice(0, 10), at + 1);
}

function kind(type) {
  if (!KINDS[type]) throw new RangeError(`no event: ${type}`);
  return KINDS[type];
}

function code(text, most, what) {
  if (!/^[\x20-\x7e]*$/.test(text) || text.length > most) throw new RangeError(`no ${what}: ${text}`);
  return bytesOf(text);
}

export function fromHex(text, size) {
  if (!/^[0-9a-f]*$/i.test(text) || text.length !== 2 * size) throw new RangeError(`not ${size} bytes in hex: ${text}`);
  return Uint8Array.from({ length: size }, (_, at) => Number.parseInt(text.slice(2 * at, 2 * at + 2), 16));
}

function within(value, least, most) {
  if (!Number.isInteger(value) || value < least || value > most) throw new RangeError(`out of range: ${value}`);
  return value;
}

function milliseconds(text) {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text)) throw new RangeError(`no time of an event: ${text}`);
  return within(Date.parse(text), 0, Number.MAX_SAFE_INTEGER);
}
