// The way out: what a courier does is signed, kept and counted here; one tab sends it. Screens know of no network.
import { guarded, openDatabase, waitingEvidence } from "../../device/store.js";
import { withRoom } from "../room.js";
import { call as netCall } from "./net.js";

const REMEMBERED_MS = 7 * 24 * 3600 * 1000; // on the phone; the ledger forgets nothing

// What signs and what sends is read when it is started: the first screen does without.
const signing = () => import("../../device/turn.js");
const sending = () => import("./sending.js");

// What writes a value so that it can be signed, as bytes.
async function writing(told) {
  const [{ default: canonicalize }, { writer }] = await Promise.all([
    import(told.canonicalize),
    import("../../device/canonical.js"),
  ]);
  return writer(canonicalize);
}

// `holder` is {person, role}; `told` as the server told the page. It sends from `start` on.
export async function openOutbox({ holder, told, call = netCall, clock, lock }) {
  const database = await openDatabase();
  const { liveQuery } = await import(told.dexie);
  const tabs = new BroadcastChannel("courier outbox");
  const listeners = new Set();
  let state = "idle";
  let sends = false; // whether it is this tab that sends, and knows how that goes
  let counted = await count(database, holder); // before anybody asks: nothing waiting is never said of what waits
  let sender = null;
  let starting = null;
  let over = false;
  let looked = false; // the first look mostly says what is known, and nobody reads all anew for that

  function tell(next) {
    sends = true;
    if (next === state) return;
    turn(next);
    tabs.postMessage({ state });
  }

  const changed = () => listeners.forEach((listener) => listener());

  tabs.onmessage = ({ data }) => {
    if (data.wake) sender?.wake();
    if (data.nudge) sender?.nudge();
    if (data.ask && sends) tabs.postMessage({ state });
    if (data.state && data.state !== state) turn(data.state);
  };

  // What was just done here counts at once, before the database tells all tabs.
  async function recount() {
    counted = await count(database, holder);
    changed();
  }

  const online = () => nudge().catch(console.warn);
  addEventListener("online", online);
  const watched = [
    liveQuery(() => count(database, holder)).subscribe((next) => {
      const isNews = looked || JSON.stringify(next) !== JSON.stringify(counted);
      looked = true;
      counted = next;
      if (isNews) changed();
    }, console.warn),
    // Signed in again, or for the first time: what waits may go.
    liveQuery(() => database.facts.get("session")).subscribe(() => sender?.nudge(), console.warn),
  ];
  forget(database).catch(console.warn);

  async function start() {
    const signs = Promise.allSettled([signing(), writing(told)]); // what waits goes out without them
    tabs.postMessage({ ask: true });
    if (!sender) {
      const { makeSending } = await sending();
      const made = await makeSending({ database, holder, told, call, clock, lock, tell });
      if (over) return;
      sender = made;
      if (state === "half") turn("idle");
      sender.start();
    }
    for (const { reason } of await signs) if (reason) throw reason;
  }

  const started = () =>
    (starting ??= start().catch((fault) => {
      starting = null;
      if (!sender && state === "idle") turn("half"); // unless another tab sends
      throw fault;
    }));

  function turn(next) {
    state = next;
    changed();
  }

  async function nudge() {
    tabs.postMessage({ nudge: true });
    if (sender) sender.nudge();
    else await started();
  }

  // Each as device/turn.js has it of `build`; gives the operations as they stand in the queue. Throws StorageFull, and
  // then none of them is there.
  async function putAll(saids) {
    const anchor = (await database.facts.get("anchor"))?.value ?? null;
    const [{ enqueueAll }, write] = await Promise.all([signing(), writing(told)]);
    const made = await withRoom(() =>
      enqueueAll(
        holder,
        saids.map((said) => () => said),
        { write, app: told.app, anchor },
      ),
    );
    sender?.wake();
    tabs.postMessage({ wake: true });
    await recount().catch(console.warn); // it is written, whatever comes now
    return made;
  }

  return {
    writing: () => writing(told),
    start: started,
    enqueueAll: putAll,
    enqueue: async (said) => (await putAll([said]))[0],
    async undo(id) {
      const { undo } = await signing();
      const back = await undo(holder, id);
      await recount().catch(console.warn); // as above
      return back;
    },
    counts: () => counted,
    bytes: () => bytes(database, holder),
    state: () => state,
    problems: (rows) => problems(database, holder, rows),
    nudge,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      removeEventListener("online", online);
      for (const one of watched) one.unsubscribe();
      listeners.clear();
      over = true;
      await sender?.stop();
      tabs.close(); // what was under way may still have something to tell
    },
  };
}

// What waits, without reading a single operation or photo, nor going from one to the next: it is asked for with every change.
async function count({ queue, evidence }, { person }) {
  const [operations, photos] = await Promise.all([
    queue.where("person").equals(person).count(),
    waitingEvidence(evidence, person).count(),
  ]);
  return { operations, photos };
}

// How much the photos that wait are, by their sizes alone.
async function bytes({ evidence }, { person }) {
  const sizes = await waitingEvidence(evidence, person).keys();
  return sizes.reduce((sum, [, , size]) => sum + size, 0);
}

// [{kind, id, typ, at, fields, subject, code, detail}]: what does not go by itself. `rows` are those of the person.
//   key         of the courier: the server takes nothing more from it
//   operation   still here, and the server does not take it
//   decision    the server has it, and a dispatcher is asked
//   evidence    {file} of the operation `id`: the server does not take it, or it is not what was signed
async function problems({ keys, evidence }, { person, role }, { queue, done }) {
  const record = await keys.get([person, role]);
  const stuck = queue.filter(({ fault }) => fault);
  const asked = done.filter(({ state, decision }) => ["parked", "rejected"].includes(state) && !decision);
  const files = [];
  await evidence
    .where("fault")
    .above("")
    .each(({ event: id, kind: file, fault: code, person: whose }) => {
      if (whose === person) files.push({ kind: "evidence", id, file, code });
    });
  const shown =
    (kind) =>
    ({ id, typ, at, fields, subject, fault, code, detail = null }) => ({
      kind,
      id,
      typ,
      at,
      fields,
      subject,
      code: fault ?? code,
      detail,
    });
  return [
    ...(record?.fault ? [{ kind: "key", code: record.fault }] : []),
    ...stuck.map(shown("operation")),
    ...asked.map(shown("decision")),
    ...files,
  ];
}

// What has been over for a while is not kept on a phone that may be lost.
function forget({ done, evidence }) {
  const until = new Date(Date.now() - REMEMBERED_MS).toISOString();
  return guarded(async () => {
    await done.where("at").below(until).delete();
    const kept = await evidence.where("state").equals("kept").primaryKeys();
    const old = (await evidence.bulkGet(kept)).filter((row) => row.look_at < Date.parse(until));
    await evidence.bulkDelete(old.map(({ event, kind }) => [event, kind]));
  });
}
