// What a browser keeps of its keys and of what waits to be sent: IndexedDB, a key for each person and role.
const NAME = "courier-device";
const KEYS = "keys";
const QUEUE = "queue";

export const isAble = () => Boolean(globalThis.crypto?.subtle && globalThis.indexedDB && navigator.locks);

let opened = null;

function open() {
  opened ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => {
      const keys = asked.result.createObjectStore(KEYS, { keyPath: ["person", "role"] });
      keys.createIndex("phone", ["phone", "role"]);
      asked.result.createObjectStore(QUEUE, { keyPath: ["kid", "counter"] });
    };
    asked.onsuccess = () => {
      asked.result.onversionchange = () => { asked.result.close(); opened = null; };
      resolve(asked.result);
    };
    asked.onerror = () => { opened = null; reject(asked.error); };
  });
  return opened;
}

export async function read({ person, role }) {
  return got((await open()).transaction(KEYS).objectStore(KEYS).get([person, role]));
}

export async function findByPhone(phone, role) {
  return got((await open()).transaction(KEYS).objectStore(KEYS).index("phone").get([phone, role]));
}

export async function waiting(kid) {
  const range = IDBKeyRange.bound([kid, 0], [kid, Infinity]);
  return got((await open()).transaction(QUEUE).objectStore(QUEUE).getAll(range));
}

// One transaction: `work` is given the record (or null) and says what to put: {record, operation}, either or none.
export async function change({ person, role }, work) {
  const transaction = (await open()).transaction([KEYS, QUEUE], "readwrite", { durability: "strict" });
  const asked = transaction.objectStore(KEYS).get([person, role]);
  return new Promise((resolve, reject) => {
    let put = null;
    let fault = null;
    asked.onsuccess = () => {
      try {
        put = work(asked.result ?? null) ?? {};
        if (put.record) transaction.objectStore(KEYS).put(put.record);
        if (put.operation) transaction.objectStore(QUEUE).add(put.operation);
      } catch (thrown) {
        fault = thrown;
        transaction.abort();
      }
    };
    transaction.oncomplete = () => resolve(put.record ?? asked.result ?? null);
    transaction.onabort = () => reject(fault ?? transaction.error);
  });
}

export async function askToKeep() {
  try {
    return (await navigator.storage?.persist?.()) ?? false;
  } catch {
    return false;
  }
}

function got(asked) {
  return new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result ?? null);
    asked.onerror = () => reject(asked.error);
  });
}
