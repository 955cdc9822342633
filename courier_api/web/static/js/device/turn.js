// A device signs one event at a time, whichever tab it is in: no counter is used twice, and none is left out.
import { contentOf, text } from "./canonical.js";
import { Overtaken, pend, queued, refused, steppedBack, taken, unqueued } from "./counter.js";
import { buildEvent, signEvent } from "./event.js";
import { now } from "./moment.js";
import { change, inOne, openDatabase, read } from "./store.js";

const UNSURE = [0, 401, 408, 429]; // the request may have been done, or may be done when it is sent again

export class NoKey extends Error {}

// Online: sign, send, and count once the server has taken it. What is refused uses no counter.
//   build(record)   says {typ, eid, values, fields, request}; request(signed) is {method, path, body}
//   send(request)   gives the server's answer or throws a Problem
// A request of which nobody knows what became of it is sent again, byte for byte, before anything else is signed.
export function online(holder, { build, send, write, app, anchor }) {
  return inTurn(holder, async () => {
    await settle(holder, send);
    const once = async () => {
      const record = await standing(holder);
      const said = await build(record);
      const { event, salts } = await buildEvent(said, record, now(app, anchor), write);
      const { signed, digest } = await signEvent(event, salts, record.key, write);
      const request = said.request(signed);
      const pending = { kid: record.kid, eid: event.eid, counter: event.dev.ctr, digest, request };
      await change(holder, (current) => ({ record: pend(current, pending) }));
      return deliver(holder, pending, send);
    };
    try {
      return await once();
    } catch (problem) {
      if (problem.code !== "counter_gap" || !(await stepBack(holder))) throw problem;
      return once();
    }
  });
}

// For an app that queues: sign, count, and put it into the queue with its evidence, one `build` for each of what belongs
// together: all of it is there in one transaction, counters in a row, or nothing is; sending it is another's work. Gives
// the operations as they stand in the queue.
//   build(record)   says {typ, eid, values, fields, beside, subject, evidence, hold_ms, stamped}:
//     beside        goes with the operation; `stamped` names the field of it that repeats the event's time
//     subject       {round, stop, item}: what it is about, for the screens
//     evidence      [{kind, bytes}]: goes up by itself, and the event commits to it; strokes may be given as signatures
//     hold_ms       so long it is not sent, and can be taken back
export function enqueueAll(holder, builds, { write, app, anchor }) {
  return inTurn(holder, async () => {
    let record = await standing(holder);
    const made = [];
    for (const build of builds) {
      const one = await signedBy(record, await build(record), holder, now(app, anchor), write);
      record = queued(record, one.counted);
      made.push(one);
    }
    await change(holder, (current) => ({
      record: made.reduce((at, { counted }) => queued(at, counted), current),
      operations: made.map(({ operation }) => operation),
      evidence: made.flatMap(({ evidence }) => evidence),
    }));
    return made.map(({ operation }) => operation);
  });
}

// {operation, evidence, counted}: signed on top of the record, and not yet written anywhere.
async function signedBy(record, said, { person }, moment, write) {
  const files = (said.evidence ?? []).map(({ kind, bytes }) => ({ kind, bytes: contentOf(bytes, write) }));
  const values = { ...said.values, ...Object.fromEntries(files.map(({ kind, bytes }) => [kind, bytes])) };
  const { event, salts } = await buildEvent({ ...said, values }, record, moment, write);
  const { signed, digest } = await signEvent(event, salts, record.key, write);
  const beside = composed(said.beside ?? {});
  if (said.stamped) beside[said.stamped] = event.t;
  if (files.some(({ kind }) => kind === "strokes")) beside.strokes_follow = true;
  const operation = {
    kid: record.kid,
    counter: event.dev.ctr,
    previous: record.previous,
    person,
    id: event.eid,
    typ: event.typ,
    at: event.t,
    fields: said.fields ?? {},
    subject: said.subject ?? {},
    signed,
    certificate: record.certificate,
    beside,
    not_before: said.hold_ms ? moment.at + said.hold_ms : null,
    sent_at: null,
    fault: null,
  };
  const counted = { kid: record.kid, counter: operation.counter, digest };
  return { operation, evidence: files.map((file) => uploadOf(operation, file)), counted };
}

function uploadOf({ id, person }, { kind, bytes }) {
  return { event: id, kind, person, bytes, size: bytes.length, location: null, state: "waiting" };
}

// Text as the event commits to it; numbers with a fraction are allowed here, for nobody signs these bytes.
function composed(value) {
  if (typeof value === "string") return text(value);
  if (Array.isArray(value)) return value.map(composed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, composed(inner)]));
}

// Takes back the last operations of the device, from `id` on, as if they had never been signed; false when one of them
// may have been sent. A sender marks what it sends in a transaction of its own, so one of the two comes first.
export function undo(holder, id) {
  return inTurn(holder, async () => {
    const database = await openDatabase();
    const { keys, queue, evidence } = database;
    return inOne(database, [keys, queue, evidence], async () => {
      const first = await queue.where("id").equals(id).first();
      const record = await keys.get([holder.person, holder.role]);
      if (!first || !record || record.pending || record.kid !== first.kid) return false;
      const from = queue.where("[kid+counter]").between([first.kid, first.counter], [first.kid, Infinity]);
      const last = await from.toArray();
      if (last.some((operation) => operation.sent_at !== null)) return false;
      if (record.counter !== last.at(-1).counter) return false;
      await keys.put(unqueued(record, first));
      await from.delete();
      await evidence
        .where("event")
        .anyOf(last.map((operation) => operation.id))
        .delete();
      return true;
    });
  });
}

// Finds out what became of a request whose answer was never heard.
export function settleInTurn(holder, send) {
  return inTurn(holder, () => settle(holder, send));
}

async function settle(holder, send) {
  const { pending } = (await read(holder)) ?? {};
  if (!pending) return;
  await deliver(holder, pending, send).catch((problem) => {
    if (isUnsure(problem)) throw problem;
  });
}

async function deliver(holder, pending, send) {
  const moveOn = (step) => change(holder, (record) => record && { record: step(record) });
  let answer;
  try {
    answer = await send(pending.request);
  } catch (problem) {
    if (!isUnsure(problem)) await moveOn((record) => refused(record, pending, problem.code));
    throw problem;
  }
  await moveOn((record) => taken(record, pending));
  return answer;
}

async function standing(holder) {
  const record = await read(holder);
  if (!record) throw new NoKey();
  if (record.pending) throw new Overtaken();
  return record;
}

async function stepBack(holder) {
  let back = null;
  await change(holder, (record) => {
    back = record && steppedBack(record);
    return back && { record: back };
  });
  return back !== null;
}

const isUnsure = ({ status }) => status === undefined || status >= 500 || UNSURE.includes(status);
const inTurn = ({ person, role }, work) => navigator.locks.request(`courier device ${person} ${role}`, work);
