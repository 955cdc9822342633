// Asks the public ledger for a receipt and believes only what it proves: entry, place in the tree, signed root.
import { big, bytesOf, fromBase64, join, same, sha256 } from "./bytes.js";

const WAIT_MS = 10_000;

// What is known of a receipt: recorded, absent, differs, unproven, busy or offline; never an alarm for want of network.
export async function ask(address, receipt, keys, ed25519) {
  const stop = new AbortController();
  const late = setTimeout(() => stop.abort(), WAIT_MS);
  let entry;
  try {
    const how = { signal: stop.signal, cache: "no-store", credentials: "omit" };
    const response = await fetch(address + receipt.says.event, how);
    if (response.status === 404) return { state: "absent" };
    if (!response.ok) return { state: "busy" };
    entry = await response.json();
  } catch (fault) {
    // Whoever answers with something else than JSON is the sign-in page of a café, not the ledger.
    return { state: fault instanceof SyntaxError ? "busy" : "offline" };
  } finally {
    clearTimeout(late);
  }
  return judge(entry, receipt, keys, ed25519);
}

// Holds an entry as the ledger gave it against a receipt; only one that it proves can contradict it.
export async function judge(entry, receipt, keys, ed25519) {
  try {
    const [core, signature] = [entry.core, entry.signature].map(fromBase64);
    const leaf = await leafHash(core, signature, BigInt(entry.received_us));
    const { size, root } = await openCheckpoint(entry.checkpoint, keys, ed25519);
    const path = entry.inclusion.map(fromBase64);
    if (BigInt(entry.size) !== size || !(await included(leaf, BigInt(entry.index), size, path, root))) {
      return { state: "unproven" };
    }
    if (!same(core, receipt.core) || !same(signature, receipt.signature)) return { state: "differs" };
    return { state: "recorded", index: entry.index, size: entry.size, time: Number(entry.received_us) / 1000 };
  } catch (fault) {
    console.info("the ledger's answer:", fault.message);
    return { state: "unproven" };
  }
}

export const leafHash = (core, signature, receivedUs) => sha256(join([0], core, signature, big(receivedUs, 8)));

// RFC 9162, 2.1.3.2: whether a leaf stands at an index of the tree with this size and root.
export async function included(leaf, index, size, path, root) {
  if (index < 0n || index >= size) return false;
  let at = index;
  let last = size - 1n;
  let hash = leaf;
  for (const beside of path) {
    if (beside.length !== 32 || last === 0n) return false;
    if (at & 1n || at === last) {
      hash = await sha256(join([1], beside, hash));
      while (at !== 0n && !(at & 1n)) {
        at >>= 1n;
        last >>= 1n;
      }
    } else {
      hash = await sha256(join([1], hash, beside));
    }
    at >>= 1n;
    last >>= 1n;
  }
  return last === 0n && same(hash, root);
}

// A C2SP checkpoint in a signed note; throws unless one of the keys signed it.
export async function openCheckpoint(note, keys, ed25519) {
  const end = note.lastIndexOf("\n\n") + 1;
  if (end === 0) throw new Error("no signed note");
  const text = note.slice(0, end);
  const [, size, root] = text.split("\n");
  if (!/^(0|[1-9]\d*)$/.test(size) || !root) throw new Error("no checkpoint");
  for (const line of note.slice(end + 1).split("\n")) {
    const [, name, encoded] = /^— (\S+) (\S+)$/.exec(line) ?? [];
    if (!name) continue;
    const bytes = fromBase64(encoded);
    const key = keys.find((one) => one.name === name && same(one.hash, bytes.slice(0, 4)));
    if (key && (await ed25519(bytes.slice(4), bytesOf(text), key.key))) {
      return { size: BigInt(size), root: fromBase64(root) };
    }
  }
  throw new Error("nobody known signed the checkpoint");
}
