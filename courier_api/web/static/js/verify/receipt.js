// Reads a receipt: text to 299 bytes, bytes to fields, laid out as docs/custody.md and courier_api/proof say.
import { big, fromBase64, hex } from "./bytes.js";

const CORE = 114;
const SIGNATURE = 64;
const SIZE = CORE + SIGNATURE + 121;
const PART_OF_ONE = /^\d{200,999}\D{0,3}$/; // as many digits are no chance find: something of ours, cut off
const NOWHERE = -(2 ** 31);
const LATEST = 8.64e15; // what a Date can hold
const KINDS = {
  1: "handover",
  3: "arrival",
  4: "failure",
  5: "start",
  6: "finish",
  7: "correction",
  10: "seen",
  11: "settlement",
  12: "remark",
};
const ROLES = ["none", "citizen", "courier", "office", "agency", "dispatcher", "operator"];

export class NoReceipt extends Error {
  constructor(verdict) {
    // not_ours, unreadable or changed
    super(verdict);
    this.verdict = verdict;
  }
}

// An address with `#`, the digits alone, or the bytes in base64; blanks and line ends do not count.
export function read(text) {
  const tight = text.slice(text.lastIndexOf("#") + 1).replace(/\s+/g, "");
  if (/^\d+$/.test(tight) && tight.length < 1000) return fromDigits(tight);
  if (/^[\w+/-]{399}=?$/.test(tight)) {
    const bytes = fromBase64(tight.replaceAll("-", "+").replaceAll("_", "/"));
    if (bytes.length === SIZE) return bytes;
  }
  throw new NoReceipt(PART_OF_ONE.test(tight) ? "unreadable" : "not_ours");
}

function fromDigits(digits) {
  const value = BigInt(digits);
  if (value >> BigInt(8 * SIZE) !== 1n) throw new NoReceipt(PART_OF_ONE.test(digits) ? "unreadable" : "not_ours");
  return big(value, SIZE);
}

export function digits(bytes) {
  return BigInt(`0x01${hex(bytes)}`).toString();
}

export function unpack(bytes) {
  if (bytes.length !== SIZE) throw new NoReceipt("not_ours");
  const core = bytes.slice(0, CORE);
  const certificate = bytes.slice(CORE + SIGNATURE);
  return {
    core,
    signature: bytes.slice(CORE, CORE + SIGNATURE),
    certificate,
    says: readCore(core),
    vouched: readCertificate(certificate),
  };
}

function readCore(core) {
  const view = new DataView(core.buffer);
  if (core[0] !== 1 || !KINDS[core[1]]) throw new NoReceipt("not_ours");
  const time = Number(view.getBigUint64(66));
  if (time > LATEST) throw new NoReceipt("changed");
  const lat = view.getInt32(74);
  const lon = view.getInt32(78);
  return {
    kind: KINDS[core[1]],
    kid: core.slice(2, 10),
    counter: view.getUint32(10),
    event: hex(core.slice(14, 30)).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-"),
    number: ascii(core.slice(30, 43)),
    leg: core[43],
    giver: { role: role(core[44]), code: ascii(core.slice(45, 55)) },
    taker: { role: role(core[55]), code: ascii(core.slice(56, 66)) },
    time,
    place: lat === NOWHERE ? null : { lat: lat / 1e7, lon: lon / 1e7 },
  };
}

function readCertificate(certificate) {
  const view = new DataView(certificate.buffer);
  if (certificate[0] !== 1) throw new NoReceipt("not_ours");
  return {
    operator: certificate.slice(1, 5),
    key: certificate.slice(5, 38),
    role: role(certificate[38]),
    holder: ascii(certificate.slice(39, 49)),
    from: view.getUint32(49) * 1000,
    until: view.getUint32(53) * 1000,
    part: certificate.slice(0, 57),
    signature: certificate.slice(57),
  };
}

function role(byte) {
  if (byte >= ROLES.length) throw new NoReceipt("changed");
  return ROLES[byte];
}

function ascii(bytes) {
  const text = String.fromCharCode(...bytes).replace(/\0+$/, "");
  if (!/^[\x20-\x7e]*$/.test(text)) throw new NoReceipt("changed");
  return text;
}
