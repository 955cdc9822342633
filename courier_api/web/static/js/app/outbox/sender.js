// Sends what the queue holds, in one tab of all that are open, and lets go of an operation only for its receipt.
import { FAULTS } from "../../device/counter.js";
import { inOne } from "../../device/store.js";
import { withRoom } from "../room.js";
import { MOST, asSent, nextBatch, skewOf } from "./batch.js";
import { NetFault } from "./net.js";
import { takeTurns } from "./turns.js";
import { operationReceiptHolds } from "./receipts.js";

const PATIENCE_MS = 60_000;
const AGAIN_MS = 5 * 60_000; // what was refused is tried again, alone: a mended server may take it
const KEY_AGAIN_MS = 3_600_000; // a key that has ended seldom comes back
const TRUSTED_MS = 10_000; // an answer that took longer says little about the clock
const WHOLE = [400, 413, 422]; // these say that the request as such cannot be read

//   call, write, verify, keys   see net.js, device/canonical.js, receipts.js
//   learn                       asks for keys of the operator that are new, and says whether there were any
//   clock                       {now, wait(ms, signal)}
//   lock                        navigator.locks
//   after                       what else the one tab does when nothing is left to send: {once()}, see uploads.js
//   tell(state)                 'idle', 'sending', 'offline', 'waiting', 'signed_out' or 'faulted'
export function makeSender({ database, holder, call, keys, learn, verify, clock, lock, after, tell }) {
  const { queue, done, facts, keys: records } = database;
  let most = MOST;

  // One request at most; {state} says what came of it, and `wait` when there will be something to do, if that is known.
  async function once() {
    const token = await tokenOf(database, holder);
    if (!token) return { state: "signed_out" };
    const rows = await queue.where("person").equals(holder.person).toArray();
    const { batch, wait } = nextBatch(rows, clock.now(), most);
    // Without a network nothing leaves, so that everything can still be taken back.
    if (batch.length && globalThis.navigator?.onLine === false) throw new NetFault(0, "offline");
    const marked = await mark(batch);
    if (!marked.length) return { state: restingState(rows), wait };
    tell("sending");
    const sent = clock.now();
    let answer;
    try {
      const body = { operations: marked.map(asSent) };
      answer = await call("/couriers/sync", { method: "POST", body, token, timeout: PATIENCE_MS });
    } catch (fault) {
      if (!isWhole(fault)) throw fault;
      await halve(marked, fault);
      return { state: "sent" };
    }
    const wrong = await settle(marked, answer, sent, clock.now());
    if (marked.length === rows.length || wrong > 0) most = MOST;
    return { state: "sent" };
  }

  // Before anything leaves the phone it is written down that it may have left: from then on nothing is taken back.
  // What was taken back meanwhile is not there any more.
  async function mark(batch) {
    if (!batch.length) return [];
    return withRoom(() =>
      inOne(database, [queue], async () => {
        const there = (await queue.bulkGet(batch.map(({ kid, counter }) => [kid, counter]))).filter(
          (row, at) => row?.id === batch[at].id,
        );
        for (const row of there) row.sent_at ??= clock.now();
        await queue.bulkPut(there);
        return there;
      }),
    );
  }

  // Which one of them it is that the server cannot read is found by halves; that one is kept, and shown.
  async function halve(marked, { code, detail }) {
    if (marked.length > 1) {
      most = Math.ceil(marked.length / 2);
      return;
    }
    most = MOST;
    await inOne(database, [queue], () => fault(marked[0], code, detail));
  }

  function fault({ kid, counter }, code, detail) {
    const pause = FAULTS.includes(code) ? KEY_AGAIN_MS : AGAIN_MS;
    return queue.update([kid, counter], { fault: code, detail, again_at: clock.now() + pause });
  }

  // Gives how many of them stay.
  async function settle(marked, answer, sent, answered) {
    const results = new Map((answer?.results ?? []).map((result) => [result.id, result]));
    const judge = () =>
      Promise.all(
        marked.map(async (row) => {
          const result = results.get(row.id);
          return { row, result, holds: await operationReceiptHolds(asSent(row), result?.receipt, keys, { verify }) };
        }),
      );
    let judged = await judge();
    if (judged.some(({ holds }) => !holds) && (await learn())) judged = await judge();
    await inOne(database, [queue, done, records, facts], async () => {
      for (const { row, result, holds } of judged) {
        if (holds) {
          await done.put(doneOf(row, result, clock.now()));
          await queue.delete([row.kid, row.counter]);
        } else {
          // Nobody vouches for bytes that were rejected: their receipt names no operation of ours.
          const rejected = result?.state === "rejected";
          await fault(row, rejected ? result.code : "receipt_wrong", rejected ? result.detail : null);
        }
        await tellKey(row, result);
      }
      await keepClock(answer, sent, answered);
    });
    return judged.filter(({ holds }) => !holds).length;
  }

  async function tellKey({ kid }, result) {
    const code = result?.code === "key_cloned" ? "key_quarantined" : result?.code;
    if (!FAULTS.includes(code)) return;
    const record = await records.get([holder.person, holder.role]);
    if (record?.kid === kid && !record.fault) await records.put({ ...record, fault: code });
  }

  async function keepClock({ server_time: serverTime, anchor } = {}, sent, answered) {
    const skew = skewOf(serverTime, sent, answered);
    const trusted = Number.isFinite(skew) && answered - sent <= TRUSTED_MS;
    if (trusted) await facts.put({ key: "clock", value: { skew_ms: skew } });
    if (/^[0-9a-f]{64}$/.test(anchor ?? "")) await facts.put({ key: "anchor", value: anchor });
  }

  const steps = after ? [once, after.once] : [once];
  return { ...takeTurns({ name: `courier sender ${holder.person}`, steps, clock, lock, tell }), once };
}

// What the phone remembers of an operation: what became of it, and what its receipt for the citizen is made of.
function doneOf(row, { result, state, code, detail, receipt }, keptAt) {
  const {
    id,
    kid,
    counter,
    person,
    typ,
    at,
    fields,
    subject,
    beside,
    certificate,
    signed: { core, signature },
  } = row;
  const said = { id, kid, counter, person, typ, at, fields, subject, beside, certificate, signed: { core, signature } };
  return { ...said, result, state, code, detail, receipt, kept_at: keptAt };
}

function restingState(rows) {
  if (rows.some((row) => row.fault)) return "faulted";
  return rows.length ? "waiting" : "idle";
}

// The token of the courier whose queue this is; null when he is not signed in.
export async function tokenOf(database, { person }) {
  const { value } = (await database.facts.get("session")) ?? {};
  return value?.person_id === person ? value.token : null;
}

// A proxy's own page says nothing about what we sent, but for its size.
const isWhole = ({ status, code }) => WHOLE.includes(status) && (code !== "broken" || status === 413);
