// Follows what happened behind the courier's back: each change once, in order, and the rounds it touched read anew.
import { inOne } from "../../device/store.js";
import { keepRounds, readRound } from "../shift/snapshot.js";
import { tokenOf } from "./sender.js";

const LIMIT = 200; // the most that the server gives
const OPERATIONS = ["operation_parked", "operation_decided"];
const STANDING = 20; // operations whose end is asked after at once

export function makeFeed({ database, holder, call }) {
  const { facts, done } = database;

  // The changes since the last time. What they led to is written together with the cursor: cut off in between, all of
  // it is done again.
  async function once() {
    const token = await tokenOf(database, holder);
    if (!token) return [];
    const { value: before = null } = (await facts.get("cursor")) ?? {};
    const changes = [];
    let cursor = before;
    for (let more = true; more;) {
      const query = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
      const page = await call(`/couriers/changes?limit=${LIMIT}${query}`, { token });
      changes.push(...page.items);
      ({ cursor, more } = page);
    }
    await take(changes, cursor, token, before === null);
    await askAfter(token);
    return changes;
  }

  async function take(items, cursor, token, isFirst) {
    const snapshots = [];
    for (const id of await touched(items, isFirst)) snapshots.push(await anew(id, token));
    const bags = items.some(({ kind }) => kind.startsWith("item_") || kind === "operation_decided")
      ? await call("/couriers/items", { token })
      : null;
    const operations = items.filter(({ kind }) => OPERATIONS.includes(kind)).map(({ subject_id: id }) => id);
    const stand = await Promise.all(operations.map((id) => standing(id, token)));
    await remember(stand, new Map(items.map((one) => [one.subject_id, one.detail?.decision])));
    await keepRounds(database, holder, snapshots.filter(Boolean), async () => {
      if (bags) await facts.put({ key: "items", value: bags });
      await facts.put({ key: "cursor", value: cursor });
    });
  }

  // A round that is withdrawn is shown to nobody any more: what the phone has of it is marked, as the server did.
  async function anew(id, token) {
    const now = await readRound(call, token, id).catch(gone);
    if (now) return now;
    const known = (await facts.get(`round:${id}`))?.value;
    if (!known || known.round.state === "withdrawn") return null;
    return { ...known, round: { ...known.round, state: "withdrawn", version: known.round.version + 1 } };
  }

  // Rounds that the phone holds, those that hold a bag which changed hands, and such as were published since: the first
  // time everything that ever was comes by.
  async function touched(items, isFirst) {
    const held = await facts.filter(({ key }) => /^(round|incoming):/.test(key)).toArray();
    return roundsOf(
      items,
      held.map(({ value }) => value),
      isFirst,
    );
  }

  // What waited for an earlier operation, or for a new certificate, is done at some time without a word.
  async function askAfter(token) {
    const isMine = ({ person }) => person === holder.person;
    const mine = await done.where("state").equals("waiting").filter(isMine).limit(STANDING).toArray();
    await remember(await Promise.all(mine.map(({ id }) => standing(id, token))));
  }

  const standing = (id, token) => call(`/couriers/operations/${id}`, { token }).catch(gone);

  function remember(stand, decisions = new Map()) {
    if (!stand.length) return undefined;
    return inOne(database, [done], async () => {
      for (const { id, state, code, detail } of stand.filter(Boolean)) {
        const decision = decisions.get(id);
        // What is applied only now stands in no list that was fetched before.
        await done.update(id, {
          state,
          code,
          detail,
          ...(decision && { decision }),
          ...(state === "applied" && { kept_at: Date.now() }),
        });
      }
    });
  }

  return { once };
}

// The ids of rounds to be read anew, of those `held` and such as were published; pure.
export function roundsOf(items, held, isFirst) {
  const byBag = new Map(
    held.flatMap(({ round, doors }) => (doors ?? []).map(({ custody }) => [custody.item_id, round.id])),
  );
  const known = new Set(held.map(({ round }) => round.id));
  const ids = items.map(({ kind, subject_id: id, detail }) => {
    if (kind.startsWith("item_")) return byBag.get(id);
    const round = kind.startsWith("round_") ? id : detail?.round;
    return known.has(round) || (!isFirst && kind === "round_published") ? round : null;
  });
  return new Set(ids.filter(Boolean));
}

// What is not the courier's any more; another fault is tried again.
function gone(fault) {
  if (fault.status === 404) return null;
  throw fault;
}
