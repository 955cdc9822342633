// Seals what a phone has not sent into a file that only the operator can open: docs/custody.md, "Backup".
import { big, bytesOf, fromBase64, join } from "../../verify/bytes.js";
import { fromHex } from "../../device/core.js";
import { compress, keyId } from "../../device/key.js";

const MAGIC = bytesOf("courier backup v1\n");
const CURVE = { name: "ECDH", namedCurve: "P-256" };
const [HEAD, OPERATION, EVIDENCE, END] = [1, 2, 3, 4];
const TAG = 16; // bytes that AES-GCM adds

// A Blob, put together of one sealed record for each piece, so that no more than one piece is held twice.
//   operations  as they would be sent, {id, signed, ...what stands beside}, oldest first
//   evidence    {event, kind, bytes}; both may also be (async) iterables, which are read piece by piece
//   kid, person, app   whose phone it is: the key id of its device, the person's id, the app's version
//   operatorPublicKey  told.backup_key: a P-256 point of 65 bytes in base64
export async function sealBackup({ operations, evidence, kid, person, app }, operatorPublicKey) {
  const { header, seal } = await openedFor(fromBase64(operatorPublicKey));
  const parts = [new Blob([header])];
  const add = async (kind, said, bytes = new Uint8Array()) => {
    const written = bytesOf(JSON.stringify(said));
    parts.push(await seal(parts.length - 1, join([kind], number(written.length), written, bytes)));
  };
  const count = { operations: 0, evidence: 0 };
  await add(HEAD, { kid, person, app, at: new Date().toISOString() });
  for await (const operation of operations) {
    await add(OPERATION, operation);
    count.operations += 1;
  }
  for await (const { event, kind, bytes } of evidence) {
    await add(EVIDENCE, { event, kind }, bytes);
    count.evidence += 1;
  }
  await add(END, count);
  return new Blob(parts, { type: "application/octet-stream" });
}

// The file's first bytes, and how its records are sealed: the key comes from a pair that is forgotten with this call.
async function openedFor(point) {
  const theirs = await crypto.subtle.importKey("raw", point, CURVE, false, []);
  const mine = await crypto.subtle.generateKey(CURVE, false, ["deriveBits"]);
  const ephemeral = new Uint8Array(await crypto.subtle.exportKey("raw", mine.publicKey));
  const header = join(MAGIC, fromHex(await keyId(compress(point)), 8), ephemeral);
  const shared = await crypto.subtle.deriveBits({ name: "ECDH", public: theirs }, mine.privateKey, 256);
  const secret = await crypto.subtle.importKey("raw", shared, "HKDF", false, ["deriveKey"]);
  const derivation = { name: "HKDF", hash: "SHA-256", salt: header, info: join(MAGIC, point) };
  const key = await crypto.subtle.deriveKey(derivation, secret, { name: "AES-GCM", length: 256 }, false, ["encrypt"]);
  const seal = async (at, content) => {
    // The number is the nonce, and both it and the length are vouched for: no record stands elsewhere, none is cut.
    const place = join(number(at), number(content.length + TAG));
    const iv = join(new Uint8Array(8), number(at));
    return new Blob([place, await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: place }, key, content)]);
  };
  return { header, seal };
}

const number = (value) => big(BigInt(value), 4);
