// A device's key: made here, never to be taken out, ECDSA on P-256; r || s with the lower s. Pure but for WebCrypto.
import { big, bytesOf, hex, join, number, sha256 } from "../verify/bytes.js";

const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const KEY = { name: "ECDSA", namedCurve: "P-256" };
const SIGNING = { name: "ECDSA", hash: "SHA-256" };
const CHALLENGE = bytesOf("courier device v1\n");

// {key, point, kid}: the private half as a handle, the public point in 33 bytes, its id in hex.
export async function makeKey() {
  const pair = await crypto.subtle.generateKey(KEY, false, ["sign", "verify"]);
  const point = compress(new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey)));
  return { key: pair.privateKey, point, kid: await keyId(point) };
}

export async function sign(key, content) {
  return lowS(new Uint8Array(await crypto.subtle.sign(SIGNING, key, content)));
}

// Both s and ORDER - s verify; only the lower is taken, so that nobody makes a second signature from a first.
export function lowS(raw) {
  const s = number(raw.slice(32));
  return s > ORDER / 2n ? join(raw.slice(0, 32), big(ORDER - s, 32)) : raw;
}

export function compress(point) {
  return join([2 + (point[64] & 1)], point.slice(1, 33));
}

export async function keyId(point) {
  return hex((await sha256(point)).slice(0, 8));
}

// What goes with a sign-in to have the key certified: the one-time code makes the signature fresh.
export async function offer({ key, point }, code, label = "") {
  const challenge = join(CHALLENGE, bytesOf(`${code}\n`), await sha256(point));
  return { public_key: toBase64(point), signature: toBase64(await sign(key, challenge)), label };
}

// Until when a certificate of 121 bytes vouches, in milliseconds since 1970.
export function certifiedUntil(certificate) {
  return new DataView(certificate.buffer, certificate.byteOffset).getUint32(53) * 1000;
}

export const toBase64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
