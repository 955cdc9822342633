// Runs the app's pure rules over cases from stdin: {do, ...} to what they give.
import { readFileSync } from "node:fs";
import * as batch from "../../courier_api/web/static/js/app/outbox/batch.js";
import { differences } from "../../courier_api/web/static/js/app/shift/diff.js";
import { cash, fold, holding, recalled } from "../../courier_api/web/static/js/app/shift/fold.js";
import { openForm } from "../../courier_api/web/static/js/app/door/form.js";
import { roundsOf } from "../../courier_api/web/static/js/app/outbox/feed.js";
import { keepRounds, readRound } from "../../courier_api/web/static/js/app/shift/snapshot.js";
import { bagIn, handedIn } from "../../courier_api/web/static/js/app/shift/handing-in.js";
import { takenBackWith } from "../../courier_api/web/static/js/app/outbox/taking-back.js";
import { CLOCK, takeTurns } from "../../courier_api/web/static/js/app/outbox/turns.js";
import { NetFault } from "../../courier_api/web/static/js/app/outbox/net.js";

const DO = {
  batch: ({ rows, now, most }) => {
    const { batch: taken, wait } = batch.nextBatch(rows, now, most);
    return { ids: taken.map(({ id }) => id), wait };
  },
  pause: ({ failures, retryAfter, chance }) => batch.pauseAfter(failures, retryAfter, chance),
  skew: ({ said, sent, answered }) => batch.skewOf(said, sent, answered),
  fold: ({ snapshot, operations }) => fold(snapshot, operations),
  holding: ({ snapshot, operations, items }) =>
    holding(fold(snapshot, operations), items, operations).map(({ item_id: id }) => id),
  cash: ({ snapshot, operations, vouchers }) => cash(fold(snapshot, operations), vouchers, operations),
  recalled: ({ items, operations, listed }) => recalled(items, operations, listed),
  takenBack: ({ queue, id }) => takenBackWith(queue, { id }).map((one) => one.id),
  handedIn: ({ operations }) =>
    handedIn(operations).map(({ id, by, bags, settlement }) => ({
      id,
      by,
      bags: bags.map((one) => one.id),
      settlement: settlement?.id ?? null,
    })),
  bagIn: ({ text, wanted, found }) => bagIn(text, wanted, found),
  differences: ({ before, after }) =>
    differences(before, after).map(({ kind, stop, from, to }) => ({ kind, stop: stop.id, from, to })),
  roundsOf: ({ items, held, isFirst }) => [...roundsOf(items, held, isFirst)],
  // The answers, in the order in which they come, until the round is read; null where it never is.
  readRound: async ({ answers }) => {
    const left = [...answers];
    const call = async (path) => (path.endsWith("/doors") ? left.shift().doors : left[0].round);
    const read = await readRound(call, "token", "r1").catch(() => null);
    return read && { stops: read.round.stops.map(({ id }) => id), unread: left.length, ways: read.ways };
  },
  // What the phone has of rounds after the snapshots came, one after the other.
  keepRounds: async ({ snapshots }) => {
    const kept = new Map([["session", { key: "session", value: { person_id: "me" } }]]);
    const facts = {
      get: async (key) => kept.get(key),
      put: async (row) => {
        kept.set(row.key, row);
      },
      delete: async (key) => {
        kept.delete(key);
      },
    };
    const database = { facts, transaction: (mode, tables, work) => work() };
    for (const one of snapshots) await keepRounds(database, { person: "me" }, [one]);
    kept.delete("session");
    return Object.fromEntries([...kept.values()].map(({ key, value }) => [key, value]));
  },
  legAtDoor: async ({ snapshot, operations, stop }) => {
    const one = fold(snapshot, operations).find((standing) => standing.stop.id === stop);
    const phone = { stop: () => ({ round: snapshot.round, one }), draft: async () => ({}) };
    const form = await openForm(phone, stop);
    return [form.custody.leg, form.door.custody.leg];
  },
  // What the one tab does, by a clock that jumps: each step of the script is what a request came to.
  turns: async ({ script }) => {
    const pauses = [];
    const states = [];
    let at = 0;
    let over;
    const ended = new Promise((resolve) => {
      over = resolve;
    });
    const clock = {
      now: () => at,
      wait: async (ms) => {
        pauses.push(ms);
        at += ms ?? 0;
      },
    };
    const step = async () => {
      const next = script.shift();
      if (!next) {
        over();
        return new Promise(() => {});
      }
      if (next.status === undefined) return next;
      throw new NetFault(next.status, "x", next);
    };
    const lock = { request: (name, options, work) => work() };
    takeTurns({ name: "x", steps: [step], clock, lock, tell: (state) => states.push(state) }).start();
    await ended;
    return { pauses, states };
  },
  clock: async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 5);
    await CLOCK.wait(null, stop.signal);
    await CLOCK.wait(1, new AbortController().signal);
    return "awake";
  },
};

const answers = [];
for (const one of JSON.parse(readFileSync(0))) answers.push(await DO[one.do](one));
console.log(JSON.stringify(answers));
process.exit(0);
