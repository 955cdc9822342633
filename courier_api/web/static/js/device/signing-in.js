// Signing in with a key: the one that this browser has for the person, else a new one, is certified by the server.
import { bytesOf, fromBase64, hex, sha256 } from "../verify/bytes.js";
import { isFinished } from "./counter.js";
import { NO_EVENT } from "./event.js";
import { certifiedUntil, makeKey, offer } from "./key.js";
import { askToKeep, change, findByPhone, isAble } from "./store.js";

const ANOTHER = ["key_revoked", "key_of_another"]; // of this key the server wants to hear no more

// `send(deviceKey)` signs in and gives the server's answer; the key is kept once it is certified.
export async function signInWithKey(phone, code, role, send) {
  if (!isAble()) return send(null);
  return navigator.locks.request("courier device sign-in", async () => {
    const mark = await markOf(phone);
    const known = await findByPhone(mark, role);
    let key = known && !isFinished(known) ? known : await makeKey();
    let answer;
    try {
      answer = await send(await offer(key, code, label()));
    } catch (problem) {
      if (key !== known || !ANOTHER.includes(problem.code)) throw problem;
      key = await makeKey();
      answer = await send(await offer(key, code, label()));
    }
    await keep(key, mark, role, answer);
    return answer;
  });
}

async function keep({ kid, key, point }, phone, role, answer) {
  const person = answer.person_id;
  const certificate = fromBase64(answer.certificate);
  const certified = certifiedUntil(certificate);
  const fresh = { person, role, kid, key, point, counter: 0, previous: NO_EVENT, before: null, pending: null };
  await change({ person, role }, (record) => ({
    record: { ...(record?.kid === kid ? record : fresh), phone, certified, certificate, fault: null },
  }));
  await askToKeep();
}

// The number itself need not lie on a computer that several people use.
async function markOf(phone) {
  const digits = phone.replace(/\D/g, "").replace(/^(84|0)+/, "");
  return hex(await sha256(bytesOf(`courier phone\n${digits}`)));
}

function label() {
  const { brands = [], platform = "" } = navigator.userAgentData ?? {};
  const brand = brands.find(({ brand: name }) => !/not.?a.?brand|chromium/i.test(name)) ?? brands.at(-1);
  return [brand?.brand, platform].filter(Boolean).join(", ").slice(0, 120);
}
