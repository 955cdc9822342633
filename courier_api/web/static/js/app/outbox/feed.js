// Follows what happened behind the courier's back: each change once, in order, and the rounds it touched read anew.
import { inOne } from "../../device/store.js";
import { keepRounds, readRound } from "../shift/snapshot.js";
import { tokenOf } from "./sender.js";

const LIMIT = 100;
const OPERATIONS = ["operation_parked", "operation_decided"];
const STANDING = 20; // operations whose end is asked after at once

export function makeFeed({ database, holder, call }) {
  const { facts, done } = database;

  // The changes since the last time. What they led to is written together with the cursor: cut off in between, all of
  // it is done again.
  async function once() {
    const token = await tokenOf(database, holder);
    if (!token) return [];
    const changes = [];
    for (let more = true; more; ) {
      const { value: cursor = null } = (await facts.get("cursor")) ?? {};
      const query = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
      const page = await call(`/couriers/changes?limit=${LIMIT}${query}`, { token });
      await take(page, token, cursor);
      changes.push(...page.items);
      more = page.more;
    }
    await askAfter(token);
    return changes;
  }

  async function take({ items, cursor }, token, before) {
    const snapshots = [];
    for (const id of await touched(items, before)) snapshots.push(await anew(id, token));
    const bags = items.some(({ kind }) => kind.startsWith("item_") || kind === "operation_decided") ? await call("/couriers/items", { token }) : null;
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

  // Rounds that the phone holds, and such as were published since: the first time everything that ever was comes by.
  async function touched(items, before) {
    const names = (await facts.toCollection().primaryKeys()).filter((key) => /^(round|incoming):/.test(key));
    const held = new Set(names.map((key) => key.split(":")[1]));
    const roundOf = ({ kind, subject_id: id, detail }) => (kind.startsWith("round_") ? id : detail?.round);
    const rounds = items.map((one) => ({ kind: one.kind, id: roundOf(one) }));
    const news = rounds.filter(({ kind, id }) => id && (held.has(id) || (before && kind === "round_published")));
    return new Set(news.map(({ id }) => id));
  }

  // What waited for an earlier operation, or for a new certificate, is done at some time without a word.
  async function askAfter(token) {
    const open = await done.where("state").equals("waiting").limit(STANDING).toArray();
    const mine = open.filter(({ person }) => person === holder.person);
    await remember(await Promise.all(mine.map(({ id }) => standing(id, token))));
  }

  const standing = (id, token) => call(`/couriers/operations/${id}`, { token }).catch(gone);

  function remember(stand, decisions = new Map()) {
    if (!stand.length) return undefined;
    return inOne(database, [done], async () => {
      for (const { id, state, code, detail } of stand.filter(Boolean)) {
        await done.update(id, { state, code, detail, ...(decisions.get(id) && { decision: decisions.get(id) }) });
      }
    });
  }

  return { once };
}

// What is not the courier's any more; another fault is tried again.
function gone(fault) {
  if (fault.status === 404) return null;
  throw fault;
}
