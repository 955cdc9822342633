// Where the phone is: which fixes are worth telling, and telling them. By movement, never by the clock: who stands still
// sends nothing. A fix is {at, lat, lon, accuracy, speed, heading, moving}: `at` by the phone's clock, null is unknown.
export const BATCH = 200; // the server takes 500
const LEAST_METRES = 30; // nearer than that a phone's place wanders by itself
const TURN_DEGREES = 45;
const VAGUE_METRES = 500; // the server drops what is vaguer
const RIDES_MPS = 2.5; // between the two it goes on as it did, else a slow walk would be a change each second
const STANDS_MPS = 0.8;
const EARTH_METRES = 6_371_008.8;
const TIMEOUT_MS = 30_000;
const DENIED = 1;

export function distance(a, b) {
  const [from, to] = [radians(a.lat), radians(b.lat)];
  const half = (angle) => Math.sin(angle / 2) ** 2;
  const chord = half(to - from) + Math.cos(from) * Math.cos(to) * half(radians(b.lon - a.lon));
  return 2 * EARTH_METRES * Math.asin(Math.min(1, Math.sqrt(chord)));
}

// Whether a fix tells something that the last one told did not.
export function worth(last, fix) {
  if (fix.accuracy > VAGUE_METRES) return false;
  if (!last) return true;
  return (
    fix.moving !== last.moving || turned(last, fix) || distance(last, fix) >= Math.max(LEAST_METRES, fix.accuracy ?? 0)
  );
}

// A compass without a ride behind it turns by itself.
function turned(last, fix) {
  if (!last.moving || !fix.moving || last.heading === null || fix.heading === null) return false;
  const degrees = Math.abs(fix.heading - last.heading) % 360;
  return Math.min(degrees, 360 - degrees) >= TURN_DEGREES;
}

// A browser's position as a fix; `before` is the fix before it, or null.
export function fixOf({ timestamp, coords }, before) {
  const known = (value) => (Number.isFinite(value) && value >= 0 ? value : null);
  const speed = known(coords.speed);
  const goesOn = before?.moving ?? false;
  const moving = speed === null ? goesOn : speed >= RIDES_MPS || (speed > STANDS_MPS && goesOn);
  const { latitude: lat, longitude: lon } = coords;
  return { at: timestamp, lat, lon, accuracy: known(coords.accuracy), speed, heading: known(coords.heading), moving };
}

// Watches from now on. onFix hears every fix; onState hears "on", "denied", "unavailable" (it goes on trying), "off".
export function watchPosition({ onFix, onState, geolocation = globalThis.navigator?.geolocation }) {
  let watch = null;
  let before = null;
  let state = null;
  const become = (next) => {
    if (next !== state) onState((state = next));
  };
  const stop = (next) => {
    if (watch !== null) geolocation.clearWatch(watch);
    watch = null;
    become(next);
  };
  const found = (position) => {
    before = fixOf(position, before);
    become("on");
    onFix(before);
  };
  const failed = ({ code }) => (code === DENIED ? stop("denied") : become("unavailable"));
  if (geolocation) watch = geolocation.watchPosition(found, failed, { enableHighAccuracy: true, maximumAge: 0 });
  else become("unavailable");
  return { stop: () => stop("off") };
}

// `skewMs` is what the server's clock is ahead of the phone's.
export function body(deviceId, fixes, skewMs = 0) {
  return {
    device_id: deviceId,
    locations: fixes.map(({ at, lat, lon, accuracy, speed, heading, moving }) => ({
      timestamp: new Date(at + skewMs).toISOString(),
      coords: { latitude: lat, longitude: lon, accuracy, speed, heading },
      is_moving: moving,
    })),
  };
}

// Sends the oldest that wait, and deletes them once they were answered with a 2xx; how many, 0 where nothing went.
export async function sendFixes({ database, deviceId, skewMs = 0, fetch = globalThis.fetch }) {
  const waiting = await database.fixes.toCollection().limit(BATCH).toArray();
  if (!waiting.length) return 0;
  const content = JSON.stringify(body(deviceId, waiting, skewMs));
  const headers = { "Content-Type": "application/json" };
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const answer = await fetch("/positions", { method: "POST", headers, body: content, credentials: "omit", signal });
    if (!answer.ok) return 0;
  } catch {
    return 0; // no network: they wait
  }
  await database.fixes.bulkDelete(waiting.map(({ id }) => id));
  return waiting.length;
}

const radians = (degrees) => (degrees * Math.PI) / 180;
