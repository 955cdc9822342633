// The dispatcher's token and whose it is: they live as long as this tab, and never stay in the address bar.
import { call } from "./api.js";
import { signInWithKey } from "./device/signing-in.js";

const TOKEN = "courier.token";
const HOLDER = "courier.holder";
const ROLE = "dispatcher";

export function token() {
  return sessionStorage.getItem(TOKEN);
}

// {person, role} under which this browser keeps the key; null for a token that came with the address.
export function holder() {
  return JSON.parse(sessionStorage.getItem(HOLDER));
}

export function takeTokenFromAddress() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!given) return false;
  forget();
  sessionStorage.setItem(TOKEN, given);
  history.replaceState(null, "", location.pathname + location.search);
  return true;
}

export function forget() {
  sessionStorage.removeItem(TOKEN);
  sessionStorage.removeItem(HOLDER);
}

export function requestCode(phone) {
  return call("/public/sign-in-codes", { method: "POST", body: { phone } });
}

export async function signIn(phone, code) {
  const signed = await signInWithKey(phone, code, ROLE, (deviceKey) =>
    call("/public/sign-ins", { method: "POST", body: { phone, code, role: ROLE, device_key: deviceKey } }),
  );
  sessionStorage.setItem(TOKEN, signed.token);
  sessionStorage.setItem(HOLDER, JSON.stringify({ person: signed.person_id, role: ROLE }));
}

export async function signOut() {
  const ending = token();
  forget();
  if (ending) await call("/public/sign-ins/current", { method: "DELETE", token: ending }).catch(() => {});
}
