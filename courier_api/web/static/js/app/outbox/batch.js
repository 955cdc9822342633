// What goes into the next request, and when to try again after one that failed. Pure.
import { bytesOf } from "../../verify/bytes.js";

export const MOST = 20;
const MOST_BYTES = 48_000;
const LONGEST_HOLD_MS = 60_000; // a clock that was set back holds nothing for a day
const LEAST_MS = 1_000;
const MOST_MS = 60_000;
const MOST_ASKED_MS = 3_600_000; // as long as any of our limits lasts

// The operation as it is sent, and as its receipt names it.
export const asSent = ({ id, signed, beside }) => ({ id, signed, ...beside });

// The rows to send now, oldest first, and in how many milliseconds there will be more; null when nothing is held.
// Each device in the order of its counter: behind one that is held the later ones wait too. What was refused goes
// alone, once in a while, and never in the way of the others.
export function nextBatch(rows, now, most = MOST) {
  const held = [];
  const sound = [];
  for (const device of devices(rows)) {
    const at = device.findIndex((row) => isHeld(row, now));
    if (at >= 0) held.push(device[at].not_before - now);
    sound.push(...(at >= 0 ? device.slice(0, at) : device));
  }
  const fresh = sound.filter((row) => !row.fault);
  const again = sound.filter((row) => row.fault && row.again_at <= now);
  const later = sound.filter((row) => row.fault && row.again_at > now).map((row) => row.again_at - now);
  const batch = fresh.length ? fitting(fresh.slice(0, most)) : again.slice(0, 1);
  return { batch, wait: held.length + later.length ? Math.min(...held, ...later) : null };
}

const isHeld = ({ not_before: until, sent_at: sent }, now) =>
  sent === null && until !== null && now < until && until - now <= LONGEST_HOLD_MS;

// Of a phone that had several keys the older one's operations come first.
function devices(rows) {
  const byKey = new Map();
  for (const row of rows) byKey.set(row.kid, [...(byKey.get(row.kid) ?? []), row]);
  const each = [...byKey.values()].map((device) => device.sort((a, b) => a.counter - b.counter));
  return each.sort(([a], [b]) => (a.at < b.at ? -1 : 1));
}

function fitting(rows) {
  let size = 0;
  const at = rows.findIndex((row) => {
    size += bytesOf(JSON.stringify(asSent(row))).length + 1;
    return size > MOST_BYTES;
  });
  return at < 0 ? rows : rows.slice(0, Math.max(1, at)); // one that is large goes alone
}

// How long to wait after the n-th failure in a row: doubling, and never all phones of a village at once.
export function pauseAfter(failures, retryAfter = null, chance = Math.random()) {
  const most = Math.min(MOST_MS, LEAST_MS * 2 ** Math.min(failures, 10));
  const pause = Math.max(LEAST_MS, most / 2 + (most / 2) * chance);
  return Math.max(pause, Math.min(MOST_ASKED_MS, (retryAfter ?? 0) * 1_000));
}

// How far the server's clock is ahead of this one: it spoke in the middle of the way.
export const skewOf = (serverTime, sent, answered) => Math.round(Date.parse(serverTime) - (sent + answered) / 2);
