// Who is signed in on this phone, over kills and restarts; the key that signs for him lies in the same database.
import { inOne, openDatabase, read } from "../device/store.js";
import { call } from "./outbox/net.js";
import { TILES } from "./room.js";

const ROLE = "courier";
let current = null;

export async function load() {
  current = (await (await openDatabase()).facts.get("session"))?.value ?? null;
  return current;
}

export const session = () => current;
export const holder = () => current && { person: current.person_id, role: ROLE };
export const token = () => current?.token ?? null;
export const record = async () => current && read(holder());

export function requestCode(phone) {
  return call("/public/sign-in-codes", { method: "POST", body: { phone } });
}

// Signs in, has the key certified, and keeps who it is. Of another courier, who was here before, only what he has signed
// stays: it goes out when he signs in again, and whoever comes in between reads nothing of it.
export async function signIn(phone, code) {
  const { signInWithKey } = await import("../device/signing-in.js");
  const answer = await signInWithKey(phone, code, ROLE, (device_key) =>
    call("/public/sign-ins", { method: "POST", body: { phone, code, role: ROLE, device_key } }),
  );
  const { token: bearer, person_id, full_name, staff_code, place_code, expires_at } = answer;
  const database = await openDatabase();
  const { facts, drafts, fixes } = database;
  await inOne(database, [facts, drafts, fixes], async () => {
    const whose = (await facts.get("owner"))?.value;
    if (whose !== person_id) await Promise.all([facts.clear(), drafts.clear(), fixes.clear()]);
    await facts.delete("tracking"); // whoever signed in last on another phone is followed there
    await facts.put({ key: "owner", value: person_id });
    await facts.put({
      key: "session",
      value: { token: bearer, person_id, full_name, staff_code, place_code, expires_at },
    });
  });
  return load();
}

// The key and what waits stay: they are needed until the last receipt has come. Of the people on the round, and of where
// they live, nothing else does.
export async function signOut() {
  const ending = token();
  const { person } = holder();
  const database = await openDatabase();
  const { facts, drafts, fixes, done } = database;
  await inOne(database, [facts, drafts, fixes, done], () =>
    Promise.all([facts.clear(), drafts.clear(), fixes.clear(), done.filter((one) => one.person === person).delete()]),
  );
  await globalThis.caches?.delete(TILES);
  current = null;
  if (ending) await call("/public/sign-ins/current", { method: "DELETE", token: ending }).catch(() => {});
}
