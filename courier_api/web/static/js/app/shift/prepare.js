// Everything for the day is fetched before the courier leaves, and what is missing is named, so that he need not find
// out at a door.
import { askToKeep, guarded, inOne } from "../../device/store.js";
import { skewOf } from "../outbox/batch.js";
import { TILES } from "../room.js";
import { forgetRounds, keepRounds, mustBe, readRound } from "./snapshot.js";

const ROOM_BYTES = 150_000_000; // of photos, on the longest day
const DAY_MS = 16 * 3600 * 1000; // a certificate must last the whole day
const CLOCK_MS = 2 * 60_000;
const AT_ONCE = 6;

// {ready, missing}: `missing` of 'round', 'doors', 'office', 'tiles', 'persist', 'storage', 'key', 'clock'.
//   holder     {person, role}
//   tiles      (round, doors) => the addresses of the map's tiles
//   onStep     told the name of each step as it begins
export async function prepare({
  call,
  database,
  holder,
  tiles = () => [],
  onStep = () => {},
  caches = globalThis.caches,
  storage = navigator.storage,
}) {
  const token = (await database.facts.get("session"))?.value.token ?? null;
  const missing = [];
  const step = async (name, work) => {
    onStep(name);
    const good = await work().catch((fault) => {
      if (fault.status === undefined) console.warn(fault);
      return false;
    });
    if (!good) missing.push(name);
    return good;
  };
  const keep = (key, value) =>
    inOne(database, [database.facts], async () => {
      await mustBe(database.facts, holder);
      await database.facts.put({ key, value });
    });
  let rounds = [];
  const snapshots = [];

  await step("clock", async () => {
    const sent = Date.now();
    const response = await call("/couriers/items", { token, raw: true });
    const said = response.headers.get("Date");
    await keep("items", await response.json());
    const skew = skewOf(said, sent, Date.now());
    await keep("clock", { skew_ms: skew });
    return Math.abs(skew) < CLOCK_MS;
  });
  await step("round", async () => {
    rounds = await call("/couriers/rounds", { token }); // the server knows which day it is
    return rounds.length > 0;
  });
  await step("doors", async () => {
    for (const { id } of rounds) snapshots.push(await readRound(call, token, id));
    await keepRounds(database, holder, snapshots);
    await forgetRounds(
      database,
      rounds.map(({ id }) => id),
    );
    return rounds.length > 0;
  });
  await step("office", async () => {
    await keep("office", await call("/couriers/office", { token }));
    const asked = Date.now();
    await keep("vouchers", await call("/couriers/vouchers", { token }));
    await keep("recalled", await call("/couriers/recalled", { token }));
    await keep("vouchers_at", asked);
    return true;
  });
  await step("tiles", async () => {
    const wanted = new Set(snapshots.flatMap(({ round, doors }) => tiles(round, doors)));
    return wanted.size > 0 && fetchAll(await caches.open(TILES), [...wanted]);
  });
  await step("key", async () => {
    const lines = await call("/public/ledger/keys", { raw: true, headers: { Accept: "text/plain" } });
    await keep("operator_keys", (await lines.text()).split("\n").filter(Boolean));
    const record = await database.keys.get([holder.person, holder.role]);
    return Boolean(record) && !record.fault && record.certified > Date.now() + DAY_MS;
  });
  await step("persist", async () => (await askToKeep()) || Boolean(await storage?.persisted?.()));
  await step("storage", async () => {
    const { quota = 0, usage = 0 } = await storage.estimate();
    return quota - usage >= ROOM_BYTES;
  });
  return { ready: missing.length === 0, missing };
}

// Whether all of it is there now; what is there already is not asked for again. An empty tile answers 204, and is good.
async function fetchAll(cache, urls) {
  await forgetOthers(cache, new Set(urls));
  const left = [...urls];
  let good = true;
  const one = async () => {
    for (let url = left.pop(); url; url = left.pop()) {
      if (await cache.match(url)) continue;
      const response = await fetch(url).catch(() => null);
      if (!response?.ok) good = false;
      else await guarded(() => cache.put(url, response));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  return good;
}

// Tiles of former rounds take room, and tell a thief where the courier rode.
async function forgetOthers(cache, wanted) {
  for (const request of await cache.keys()) {
    const { pathname, search } = new URL(request.url);
    if (pathname.startsWith("/tiles/") && !wanted.has(pathname + search)) await cache.delete(request);
  }
}
