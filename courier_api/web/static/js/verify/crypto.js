// Whether the operator's certificate and the device's signature hold; Ed25519 is given, P-256 is the browser's own.
import { big, bytesOf, fromBase64, hex, join, number, same, sha256 } from "./bytes.js";

const GRACE_MS = 24 * 3600 * 1000; // a phone's clock may be a day wrong
const SIGNERS = {
  arrival: ["courier"],
  failure: ["courier"],
  start: ["courier"],
  finish: ["courier"],
  correction: ["dispatcher"],
  seen: ["courier"],
  settlement: ["courier"],
  remark: ["courier"],
};
const CONTEXT = bytesOf("courier certificate v1\n");
const ED25519 = 1; // the kind of key in a C2SP verifier key
const FIELD = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

// What holds of a receipt. `ed25519` is (signature, content, key) => Promise<boolean>.
export async function check(receipt, keys, ed25519) {
  const { says, vouched } = receipt;
  const second = says.time - (says.time % 1000); // certificates know no finer
  const known = keys.find((key) => same(key.short, vouched.operator));
  const kid = (await sha256(vouched.key)).slice(0, 8);
  const [certificate, signed] = await Promise.all([
    known ? ed25519(vouched.signature, join(CONTEXT, vouched.part), known.key) : false,
    verifyP256(vouched.key, receipt.signature, receipt.core),
  ]);
  return {
    certificate,
    device: signed && same(kid, says.kid),
    time: vouched.from - GRACE_MS <= second && second <= vouched.until + GRACE_MS,
    signer: maySign(says, vouched),
  };
}

// A handover is signed by one of its parties: a courier with his own code, an office or agency by the hand of whoever works
// there. Anything else is signed by the role that does it. scripts/verify knows the same table.
function maySign({ kind, giver, taker }, { role, holder }) {
  if (kind !== "handover") return (SIGNERS[kind] ?? []).includes(role);
  if (!["courier", "office", "agency"].includes(role)) return false;
  return [giver, taker].some((party) => party.role === role && (role !== "courier" || party.code === holder));
}

// Operator keys as C2SP writes them, NAME+HASH+KEY; a line whose hash is wrong is left out.
export async function readKeys(lines) {
  const keys = [];
  for (const line of lines) {
    const [, name, hash, key] = /^([^+\s]+)\+([0-9a-f]{8})\+(\S+)$/.exec(line.trim()) ?? [];
    const bytes = key ? fromBase64(key) : [];
    if (bytes.length !== 33 || bytes[0] !== ED25519) continue;
    const expected = (await sha256(join(bytesOf(`${name}\n`), bytes))).slice(0, 4);
    if (hex(expected) !== hash) continue;
    keys.push({ name, hash: expected, key: bytes.slice(1), short: (await sha256(bytes.slice(1))).slice(0, 4) });
  }
  return keys;
}

export async function verifyP256(compressed, signature, content) {
  // Of the two values of s that verify only the lower is ours, or anyone could make a second signature from a first.
  if (number(signature.slice(32)) > ORDER / 2n) return false;
  const point = decompress(compressed);
  if (!point) return false;
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", point, algorithm, false, ["verify"]);
  return crypto.subtle.verify(algorithm, key, signature, content);
}

// Browsers read points of 65 bytes only.
export function decompress(compressed) {
  const x = number(compressed.slice(1));
  const square = ((((x * x - 3n) * x + B) % FIELD) + FIELD) % FIELD;
  const root = power(square, (FIELD + 1n) / 4n);
  if ((compressed[0] !== 2 && compressed[0] !== 3) || x >= FIELD || (root * root) % FIELD !== square) return null;
  const y = Number(root & 1n) === compressed[0] - 2 ? root : FIELD - root;
  return join([4], compressed.slice(1), big(y, 32));
}

function power(base, exponent) {
  let result = 1n;
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = (result * base) % FIELD;
    base = (base * base) % FIELD;
  }
  return result;
}
