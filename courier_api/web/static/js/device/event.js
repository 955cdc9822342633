// Events: built with the device's counter and commitments, written once, and signed. Pure but for WebCrypto.
import { hex, sha256 } from "../verify/bytes.js";
import { MOST_BYTES, Unwritable, commitment, contentOf, newSalt } from "./canonical.js";
import { coreOf, countersigned } from "./core.js";
import { sign, toBase64 } from "./key.js";

export const NO_EVENT = "0".repeat(64);
const PLAIN = /^[\w.:/+-]{0,64}$/; // codes, ids, hashes and times: what is signed cannot be erased, so no names

// The next event of a device, not yet counted, and the salts of its commitments.
//   said     {typ, eid, values, fields}: `values` are the contents behind commitments, null where there is none;
//            `citizen` goes to whichever side is a citizen; fields that are null are left out
//   device   {kid, counter, previous}
//   moment   {at, mono, boot, anchor, app}: see docs/custody.md
export async function buildEvent({ typ, eid = newId(), values = {}, fields = {} }, device, moment, write) {
  const { salts, committed } = await commit(values, write);
  const { citizen, ...ev } = committed;
  const event = {
    v: 1,
    typ,
    eid,
    dev: { kid: device.kid, ctr: device.counter + 1, prev: device.previous },
    t: new Date(moment.at).toISOString(),
    mono: moment.mono,
    boot: moment.boot,
    app: moment.app,
  };
  if (moment.anchor) event.anchor = moment.anchor;
  for (const [name, value] of Object.entries(fields)) if (value !== null && value !== undefined) event[name] = value;
  for (const side of ["from", "to"]) if (event[side]?.r === "citizen") event[side] = { r: "citizen", c: citizen };
  if (Object.keys(ev).length > 0) event.ev = ev;
  mustBePlain(event);
  return { event, salts };
}

function mustBePlain(value) {
  if (typeof value === "string" && !PLAIN.test(value)) throw new Unwritable(`not plain: ${value}`);
  if (typeof value === "object" && value !== null) Object.values(value).forEach(mustBePlain);
}

async function commit(values, write) {
  const salts = {};
  const committed = {};
  for (const [name, value] of Object.entries(values)) {
    if (value === null || value === undefined) continue;
    salts[name] = newSalt();
    committed[name] = await commitment(salts[name], contentOf(value, write));
  }
  return { salts, committed };
}

// What goes with the request, and the digest on which the next event follows.
export async function signEvent(event, salts, key, write) {
  const content = write(event);
  if (content.length > MOST_BYTES) throw new Unwritable("the event is too large");
  const digest = await sha256(content);
  const core = coreOf(event, digest);
  const signed = {
    event: toBase64(content),
    core: toBase64(core),
    signature: toBase64(await sign(key, core)),
    salts: Object.fromEntries(Object.entries(salts).map(([name, salt]) => [name, toBase64(salt)])),
  };
  return { signed, digest: hex(digest) };
}

// This side's signature beneath what the other side recorded; `core` is the other's, 114 bytes.
export async function countersign(core, { kid, key }) {
  return { kid, signature: toBase64(await sign(key, countersigned(core, kid))) };
}

// A UUIDv7: begins with the time, and is random behind it.
export function newId(at = Date.now()) {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  new DataView(bytes.buffer).setUint16(0, Math.floor(at / 2 ** 32));
  new DataView(bytes.buffer).setUint32(2, at % 2 ** 32);
  bytes[6] = 0x70 | (bytes[6] & 0x0f);
  bytes[8] = 0x80 | (bytes[8] & 0x3f);
  return hex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
