// The dispatcher's token: it lives as long as this tab, and never stays in the address bar.
import { call } from "./api.js";

const KEY = "courier.token";

export function token() {
  return sessionStorage.getItem(KEY);
}

export function takeTokenFromAddress() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!given) return false;
  sessionStorage.setItem(KEY, given);
  history.replaceState(null, "", location.pathname + location.search);
  return true;
}

export function forget() {
  sessionStorage.removeItem(KEY);
}

export function requestCode(phone) {
  return call("/public/sign-in-codes", { method: "POST", body: { phone } });
}

export async function signIn(phone, code) {
  const signed = await call("/public/sign-ins", { method: "POST", body: { phone, code, role: "dispatcher" } });
  sessionStorage.setItem(KEY, signed.token);
}

export async function signOut() {
  const ending = token();
  forget();
  await call("/public/sign-ins/current", { method: "DELETE", token: ending }).catch(() => {});
}
