// Canonical JSON (RFC 8785) as events need it; what two languages would not write alike is refused. Pure.
import { bytesOf, hex, join, sha256 } from "../verify/bytes.js";

export const MOST_BYTES = 16_384;
const MOST_LEVELS = 16;
const SALT_BYTES = 32;

export class Unwritable extends Error {}

// `canonicalize` is the npm package's function; what comes back writes a value as bytes.
export function writer(canonicalize) {
  return (value) => bytesOf(canonicalize(normal(value)));
}

// The same value with its text in NFC.
export function normal(value, level = 0) {
  if (level > MOST_LEVELS) throw new Unwritable("too deep");
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "string") return text(value);
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new Unwritable(`no integer below 2^53: ${value}`);
    return value;
  }
  if (Array.isArray(value)) return value.map((inner) => normal(inner, level + 1));
  if (typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype) return object(value, level);
  throw new Unwritable(`not written: ${typeof value}`);
}

export function text(value) {
  if (!value.isWellFormed()) throw new Unwritable("half a character");
  return value.normalize("NFC");
}

function object(value, level) {
  const entries = Object.entries(value).map(([key, inner]) => [text(key), normal(inner, level + 1)]);
  if (new Set(entries.map(([key]) => key)).size < entries.length) throw new Unwritable("two keys of one name");
  return Object.fromEntries(entries);
}

// The bytes behind a commitment: bytes as they are, text as UTF-8, everything else as canonical JSON.
export function contentOf(value, write) {
  if (value instanceof Uint8Array) return value;
  return typeof value === "string" ? bytesOf(text(value)) : write(value);
}

export const newSalt = () => crypto.getRandomValues(new Uint8Array(SALT_BYTES));

export async function commitment(salt, content) {
  if (salt.length !== SALT_BYTES) throw new Unwritable(`a salt has ${SALT_BYTES} bytes`);
  return hex(await sha256(join(salt, content)));
}
