// Events: built with the device's counter and commitments, written once, and signed. Pure but for WebCrypto.
import { big, bytesOf, hex, join, number, sha256 } from "../verify/bytes.js";
import { MOST_BYTES, Unwritable, commitment, contentOf, newSalt } from "./canonical.js";
import { coreOf, countersigned, fromHex } from "./core.js";
import { sign, toBase64 } from "./key.js";

const MARK = bytesOf("event id v1\n");
export const NO_EVENT = "0".repeat(64);
const PLAIN = /^[\w.:/+-]{0,64}$/; // codes, ids, hashes and times: what is signed cannot be erased, so no names

// The next event of a device, not yet counted, and the salts of its commitments.
//   said     {typ, eid, values, fields}: `values` are the contents behind commitments, null where there is none;
//            `citizen` goes to whichever side is a citizen; fields that are null are left out
//   device   {kid, counter, previous}
//   moment   {at, mono, boot, anchor, app}: see docs/custody.md
export async function buildEvent({ typ, eid, values = {}, fields = {} }, device, moment, write) {
  const { salts, committed } = await commit(values, write);
  const { citizen, ...ev } = committed;
  const event = {
    v: 1,
    typ,
    eid: eid ?? (await newId(device.kid)),
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

let ticks = 0n;

// A UUIDv7 that ends with the mark of the key: nobody takes an id that another device will want, or has shown.
export async function newId(kid, at = Date.now()) {
  const mark = (await sha256(join(MARK, fromHex(kid, 8)))).slice(0, 8);
  ticks = ticks < BigInt(at) << 12n ? BigInt(at) << 12n : ticks + 1n;
  const last = number(mark) >> 2n;
  const value = ((ticks >> 12n) << 80n) | (7n << 76n) | ((ticks & 0xfffn) << 64n) | (2n << 62n) | last;
  return hex(big(value, 16)).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
