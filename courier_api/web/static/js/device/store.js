// What a browser keeps of its keys and of what waits to be sent: IndexedDB through Dexie, written through at once.
//   keys      a device record for each person and role, see counter.js
//   queue     signed operations that the server has not given its receipt for
//   evidence  photos and signatures by hand that wait to go up
//   done      what became of operations: result, receipt
//   facts     {key, value}: the session, the rounds as the server last showed them, the clock, the feed's cursor ...
//   drafts    {stop, value}: a form at a door, half filled in
//   fixes     positions that wait to be sent

const NAME = "courier";
const TABLES = {
  keys: "[person+role], [phone+role]",
  queue: "[kid+counter], id, person",
  evidence: "[event+kind], state, fault, [person+state+size]",
  done: "id, at, state",
  facts: "key",
  drafts: "stop",
  fixes: "++id",
};

export class StorageFull extends Error {} // nothing was written

export const isAble = () => Boolean(globalThis.crypto?.subtle && globalThis.indexedDB && navigator.locks);

let opened = null;

// The database; one for the page, opened when it is first asked for.
export function openDatabase() {
  opened ??= open().catch((fault) => {
    opened = null;
    throw fault;
  });
  return opened;
}

async function open() {
  const { told } = await import("../told.js"); // now, for what is pure imports from here too
  const { Dexie } = await import(told.dexie);
  // Without its cache: photos are large, and what is shown is read anew.
  const database = new Dexie(NAME, { chromeTransactionDurability: "strict", cache: "disabled" });
  database.version(1).stores(TABLES);
  return database.open();
}

export async function read({ person, role }) {
  return (await (await openDatabase()).keys.get([person, role])) ?? null;
}

export async function findByPhone(phone, role) {
  return (await (await openDatabase()).keys.get({ phone, role })) ?? null;
}

export async function waiting(kid) {
  return (await openDatabase()).queue.where("[kid+counter]").between([kid, 0], [kid, Infinity]).toArray();
}

// Photos and signatures by hand that are to go up, found without reading them.
export const waitingEvidence = (evidence, person) =>
  evidence.where("[person+state+size]").between([person, "waiting", 0], [person, "waiting", Infinity]);

// One transaction: `work` is given the record (or null) and says what to put: {record, operations, evidence}, or less.
export async function change({ person, role }, work) {
  const database = await openDatabase();
  const { keys, queue, evidence } = database;
  return inOne(database, [keys, queue, evidence], async () => {
    const record = (await keys.get([person, role])) ?? null;
    const put = work(record) ?? {};
    if (put.record) await keys.put(put.record);
    if (put.operations) await queue.bulkAdd(put.operations);
    if (put.evidence?.length) await evidence.bulkAdd(put.evidence);
    return put.record ?? record;
  });
}

// All of it or nothing; a full disk is told apart from other faults.
export function inOne(database, tables, work) {
  return guarded(() => database.transaction("rw", tables, work));
}

export async function guarded(write) {
  try {
    return await write();
  } catch (fault) {
    throw isFull(fault) ? new StorageFull("the disk is full", { cause: fault }) : fault;
  }
}

// Dexie wraps what IndexedDB says, and an aborted transaction wraps it once more.
function isFull(fault) {
  for (let one = fault; one; one = one.inner ?? one.cause) {
    if (one.name === "QuotaExceededError" || /quota|full disk/i.test(one.message ?? "")) return true;
  }
  return false;
}

export async function askToKeep() {
  try {
    return (await navigator.storage?.persist?.()) ?? false;
  } catch {
    return false;
  }
}
