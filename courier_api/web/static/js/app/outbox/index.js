// The way out: what a courier does is signed, kept and counted here; one tab sends it. Screens know of no network.
import { writer } from "../../device/canonical.js";
import { guarded, openDatabase } from "../../device/store.js";
import { enqueueAll, undo } from "../../device/turn.js";
import { readKeys } from "../../verify/crypto.js";
import { withRoom } from "../room.js";
import { call as netCall } from "./net.js";
import { makeSender } from "./sender.js";
import { CLOCK } from "./turns.js";
import { makeUploader } from "./uploads.js";

const REMEMBERED_MS = 7 * 24 * 3600 * 1000; // on the phone; the ledger forgets nothing
const LOOK_FOR_KEYS_MS = 60_000;

// What signing and checking need of the libraries; `told` names where they are, and the operator's keys. A page that
// lies in a cache may not know the newest one yet: `more` are those that were fetched since.
export async function loadTools(told, more = []) {
  const libraries = [import(told.canonicalize), import(told.ed25519)];
  const [{ default: canonicalize }, { verifyAsync }] = await Promise.all(libraries);
  const keys = (await readKeys(new Set([...told.keys, ...more]))).map(({ key }) => key);
  return { write: writer(canonicalize), verify: (...parts) => verifyAsync(...parts, { zip215: false }), keys };
}

// `holder` is {person, role}; `told` as the server told the page.
export async function openOutbox({ holder, told, call = netCall, clock = CLOCK, lock = navigator.locks }) {
  const database = await openDatabase();
  const tools = await loadTools(told, (await database.facts.get("operator_keys"))?.value);
  const { liveQuery } = await import(told.dexie);
  const tabs = new BroadcastChannel("courier outbox");
  const listeners = new Set();
  let state = "idle";
  let sends = false; // whether it is this tab that sends, and knows how that goes
  let counted = await count(database, holder); // before anybody asks: nothing waiting is never said of what waits
  let lookedAt = -Infinity;

  // The operator may have a new key since this page was opened. What asks is a receipt that no known key has signed.
  async function learn() {
    if (clock.now() - lookedAt < LOOK_FOR_KEYS_MS) return false;
    lookedAt = clock.now();
    const response = await call("/public/ledger/keys", { raw: true, headers: { Accept: "text/plain" } });
    const lines = (await response.text()).split("\n").filter(Boolean);
    await guarded(() => database.facts.put({ key: "operator_keys", value: lines }));
    const known = new Set(tools.keys.map(String));
    const fresh = (await readKeys(new Set(lines))).map(({ key }) => key).filter((key) => !known.has(String(key)));
    tools.keys.push(...fresh);
    return fresh.length > 0;
  }

  const uploads = makeUploader({ database, holder, call, clock, learn, ...tools });
  const sender = makeSender({ database, holder, call, clock, lock, after: uploads, tell, learn, ...tools });

  function tell(next) {
    sends = true;
    if (next === state) return;
    state = next;
    tabs.postMessage({ state });
    changed();
  }

  const changed = () => listeners.forEach((listener) => listener());

  tabs.onmessage = ({ data }) => {
    if (data.wake) sender.wake();
    if (data.nudge) sender.nudge();
    if (data.ask && sends) tabs.postMessage({ state });
    if (data.state && data.state !== state) {
      state = data.state;
      changed();
    }
  };

  // What was just done here counts at once, before the database tells all tabs.
  async function recount() {
    counted = await count(database, holder);
    changed();
  }

  const online = () => nudge();
  addEventListener("online", online);
  const watched = [
    liveQuery(() => count(database, holder)).subscribe((next) => {
      counted = next;
      changed();
    }, console.warn),
    // Signed in again, or for the first time: what waits may go.
    liveQuery(() => database.facts.get("session")).subscribe(() => sender.nudge(), console.warn),
  ];
  forget(database).catch(console.warn);
  sender.start();
  tabs.postMessage({ ask: true });

  function nudge() {
    sender.nudge();
    tabs.postMessage({ nudge: true });
  }

  // Each as device/turn.js has it of `build`; gives the operations as they stand in the queue. Throws StorageFull, and
  // then none of them is there.
  async function putAll(saids) {
    const anchor = (await database.facts.get("anchor"))?.value ?? null;
    const signing = { write: tools.write, app: told.app, anchor };
    const made = await withRoom(() =>
      enqueueAll(
        holder,
        saids.map((said) => () => said),
        signing,
      ),
    );
    await recount();
    sender.wake();
    tabs.postMessage({ wake: true });
    return made;
  }

  return {
    write: tools.write,
    enqueueAll: putAll,
    enqueue: async (said) => (await putAll([said]))[0],
    async undo(id) {
      const back = await undo(holder, id);
      await recount();
      return back;
    },
    counts: () => counted,
    state: () => state,
    problems: () => problems(database, holder),
    nudge,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      removeEventListener("online", online);
      for (const one of watched) one.unsubscribe();
      listeners.clear();
      await sender.stop();
      tabs.close(); // what was under way may still have something to tell
    },
  };
}

// What waits, without reading a single photo.
async function count({ queue, evidence }, { person }) {
  const rows = await queue.where("person").equals(person).toArray();
  const range = [
    [person, "waiting", 0],
    [person, "waiting", Infinity],
  ];
  const sizes = await evidence
    .where("[person+state+size]")
    .between(...range)
    .keys();
  const bytes = sizes.reduce((sum, [, , size]) => sum + size, 0);
  const oldest = rows.map(({ at }) => at).sort()[0] ?? null;
  return { operations: rows.length, photos: sizes.length, bytes, oldest };
}

// [{kind, id, typ, at, fields, subject, code, detail}]: what does not go by itself.
//   key         of the courier: the server takes nothing more from it
//   operation   still here, and the server does not take it
//   decision    the server has it, and a dispatcher is asked
//   evidence    {file} of the operation `id`: the server does not take it, or it is not what was signed
async function problems({ keys, queue, done, evidence }, holder) {
  const { person, role } = holder;
  const record = await keys.get([person, role]);
  const stuck = (await queue.where("person").equals(person).toArray()).filter(({ fault }) => fault);
  const asked = await done.where("state").anyOf("parked", "rejected").toArray();
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
    ...asked.filter((one) => one.person === person && !one.decision).map(shown("decision")),
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
