// Whether the operator has given his word for what was sent: only then may the phone let go of it. Pure.
//   keys    the operator's public keys, 32 bytes each
//   verify  (signature, content, key) => Promise<boolean>, Ed25519
import { bytesOf, fromBase64, hex, sha256 } from "../../verify/bytes.js";

const OPERATION = "courier receipt v1\n";
const EVIDENCE = "evidence receipt v1\n";

// `operation` is the object as it was sent: {id, signed, ...what stands beside}.
export async function operationReceiptHolds(operation, receipt, keys, { verify }) {
  const said = await vouchedFor(OPERATION, receipt, keys, verify);
  if (!said || said.v !== 1 || said.typ !== "sync.receipt" || said.op !== operation.id) return false;
  return said.sha256 === hex(await sha256(bytesOf(spell(JSON.parse(JSON.stringify(operation))))));
}

// `bytes` are a photo's, or the signatures' by hand, as they went up.
export async function evidenceReceiptHolds({ event, kind, bytes }, receipt, keys, { verify }) {
  const said = await vouchedFor(EVIDENCE, receipt, keys, verify);
  if (!said || said.v !== 1 || said.event !== event || said.kind !== kind || said.size !== bytes.length) return false;
  return said.sha256 === hex(await sha256(bytes));
}

// What a receipt says, or null where no key of the operator's has signed it.
async function vouchedFor(context, receipt, keys, verify) {
  try {
    const { text, signature } = receipt;
    const said = JSON.parse(text);
    for (const key of keys) {
      if (await verify(fromBase64(signature), bytesOf(context + text), key)) return said;
    }
  } catch {
    // No receipt, no JSON, no base64, no signature of 64 bytes: nothing that holds.
  }
  return null;
}

// The bytes by which the server knows an operation again (custody/inbox.py): keys in order, text as it was sent. Events
// have no fractions, but places beside them do, and of those the server spells the small ones in its own way.
function spell(value) {
  if (typeof value === "number") return spellNumber(value);
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(spell).join()}]`;
  return `{${Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${spell(value[key])}`)
    .join()}}`;
}

function spellNumber(value) {
  if (value === 0 || Math.abs(value) >= 1e-4) return JSON.stringify(value);
  const [digits, exponent] = value.toExponential().split("e-");
  return `${digits}e-${exponent.padStart(2, "0")}`;
}
