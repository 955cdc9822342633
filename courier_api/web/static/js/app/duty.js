// Tells the office where the courier is: while a round is ridden, by movement and not by time, and for all to see.
import { call } from "./outbox/net.js";
import { sendFixes, watchPosition, worth } from "./position.js";

const SEND_EVERY_MS = 30_000;
const MOST_KEPT = 5_000;

export function followDuty({ database, session, phone, signal }) {
  let watcher = null;
  let last = null;

  async function fix(one) {
    phone.place = { lat: one.lat, lon: one.lon, accuracy: one.accuracy, at: Date.now() };
    phone.dispatchEvent(new Event("place"));
    if (!worth(last, one)) return;
    last = one;
    await database.fixes.add(one);
    const over = (await database.fixes.count()) - MOST_KEPT;
    if (over > 0) await database.fixes.limit(over).delete();
  }

  function follow() {
    if (phone.onDuty && !watcher) {
      watcher = watchPosition({
        onFix: (one) => fix(one).catch(console.warn),
        onState: (state) => {
          phone.duty = state;
          phone.dispatchEvent(new Event("change"));
        },
      });
    } else if (!phone.onDuty && watcher) {
      watcher.stop();
      watcher = last = null;
      phone.duty = "off";
    }
  }

  async function send() {
    if (!navigator.onLine || phone.isStarting || (await database.fixes.count()) === 0) return;
    const deviceId = await ownDevice(database, session);
    await sendFixes({ database, deviceId, skewMs: phone.skew });
  }

  const every = setInterval(() => send().catch(() => {}), SEND_EVERY_MS); // what did not go stays, and goes the next time
  phone.addEventListener("change", follow);
  follow();
  signal.addEventListener("abort", () => {
    clearInterval(every);
    phone.removeEventListener("change", follow);
    watcher?.stop();
  });
}

// The secret by which the server knows this phone's positions; made once.
async function ownDevice(database, session) {
  const known = (await database.facts.get("tracking"))?.value;
  if (known) return known.device_id;
  const made = await call("/couriers/tracking-device", {
    method: "POST",
    body: { kind: "app" },
    token: session.token(),
    headers: { "Idempotency-Key": `"${crypto.randomUUID()}"` },
  });
  await database.facts.put({ key: "tracking", value: { device_id: made.device_id } });
  return made.device_id;
}
