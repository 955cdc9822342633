// What lets the outbox go out: the sender with its uploads, and the operator's keys by which receipts are known.
import { guarded } from "../../device/store.js";
import { readKeys } from "../../verify/crypto.js";
import { makeSender } from "./sender.js";
import { CLOCK } from "./turns.js";
import { makeUploader } from "./uploads.js";

const LOOK_FOR_KEYS_MS = 60_000;

// `tell(state)` hears how it goes.
export async function makeSending({ database, holder, told, call, tell, clock = CLOCK, lock = navigator.locks }) {
  const { verifyAsync } = await import(told.ed25519);
  const verify = (...parts) => verifyAsync(...parts, { zip215: false });
  // A page that lies in a cache may not know the newest key yet: these were fetched since.
  const more = (await database.facts.get("operator_keys"))?.value ?? [];
  const keys = (await readKeys(new Set([...told.keys, ...more]))).map(({ key }) => key);
  let lookedAt = -Infinity;

  // The operator may have a new key since this page was opened. What asks is a receipt that no known key has signed.
  async function learn() {
    if (clock.now() - lookedAt < LOOK_FOR_KEYS_MS) return false;
    lookedAt = clock.now();
    const response = await call("/public/ledger/keys", { raw: true, headers: { Accept: "text/plain" } });
    const lines = (await response.text()).split("\n").filter(Boolean);
    await guarded(() => database.facts.put({ key: "operator_keys", value: lines }));
    const known = new Set(keys.map(String));
    const fresh = (await readKeys(new Set(lines))).map(({ key }) => key).filter((key) => !known.has(String(key)));
    keys.push(...fresh);
    return fresh.length > 0;
  }

  const parts = { database, holder, call, clock, keys, verify, learn };
  return makeSender({ ...parts, lock, tell, after: makeUploader(parts) });
}
