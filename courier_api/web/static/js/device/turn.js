// A device signs one event at a time, whichever tab it is in: no counter is used twice, and none is left out.
import { Overtaken, pend, queued, refused, steppedBack, taken } from "./counter.js";
import { buildEvent, signEvent } from "./event.js";
import { now } from "./moment.js";
import { change, read } from "./store.js";

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

// For an app that queues: sign, count, and put it into the queue, in one transaction; sending it is another's work.
//   build(record)   says {typ, eid, values, fields, beside}; `beside` goes with the operation
export function enqueue(holder, { build, write, app, anchor }) {
  return inTurn(holder, async () => {
    const record = await standing(holder);
    const said = await build(record);
    const { event, salts } = await buildEvent(said, record, now(app, anchor), write);
    const { signed, digest } = await signEvent(event, salts, record.key, write);
    const operation = { kid: record.kid, counter: event.dev.ctr, id: event.eid, signed, beside: said.beside ?? {} };
    await change(holder, (current) => ({ record: queued(current, { ...operation, digest }), operation }));
    return operation;
  });
}

// Finds out what became of a request whose answer was never heard.
export function settleInTurn(holder, send) {
  return inTurn(holder, () => settle(holder, send));
}

async function settle(holder, send) {
  const { pending } = (await read(holder)) ?? {};
  if (!pending) return;
  await deliver(holder, pending, send).catch((problem) => { if (isUnsure(problem)) throw problem; });
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
