// Does what there is to do, step after step, in one of all the tabs; waits longer after each failure.
import { StorageFull } from "../../device/store.js";
import { pauseAfter } from "./batch.js";

export const CLOCK = {
  now: () => Date.now(),
  // Until the time is over or `signal` says so.
  wait: (ms, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const late = ms === null ? null : setTimeout(resolve, Math.min(ms, 2 ** 31 - 1));
      signal.addEventListener(
        "abort",
        () => {
          clearTimeout(late);
          resolve();
        },
        { once: true },
      );
    }),
};

const OFTEN_MS = 30_000; // another tab may have put something in that nobody told us of

// `steps` are tried in order, and from the first again as soon as one has done something: each says {state, wait}.
export function takeTurns({ name, steps, clock, lock, tell }) {
  let over = new AbortController();
  let rest = null; // what ends the pause that is being made
  let failures = 0;
  let notBefore = 0; // the server asked for so much time
  let running = null;
  let woken = false; // while a step was under way

  async function turn() {
    let standing = { state: "idle", wait: null };
    for (const step of steps) {
      const { state, wait = null } = await step().catch(full);
      if (state === "sent") {
        failures = 0;
        tell("sending");
        return { wait: 0 };
      }
      if (standing.state === "idle") standing = { ...standing, state };
      if (wait !== null) standing.wait = Math.min(wait, standing.wait ?? Infinity);
      if (state === "signed_out") break;
    }
    failures = 0;
    tell(standing.state);
    return { wait: Math.min(standing.wait ?? OFTEN_MS, OFTEN_MS) };
  }

  // On a full disk nothing can be marked as sent; a later step may make room.
  function full(fault) {
    if (fault instanceof StorageFull) return { state: "faulted", wait: OFTEN_MS };
    throw fault;
  }

  function failed(fault) {
    if ([401, 403].includes(fault.status) && fault.code !== "broken") {
      // a proxy's own refusal says nothing of our session
      tell("signed_out");
      return { wait: null };
    }
    if (fault.status === undefined) console.warn(fault);
    tell(fault.status === 0 ? "offline" : fault.status === undefined ? "faulted" : "waiting");
    const wait = pauseAfter(failures++, fault.retryAfter);
    notBefore = fault.retryAfter ? clock.now() + wait : 0;
    return { wait, afterFailure: true };
  }

  async function run(signal) {
    while (!signal.aborted) {
      woken = false;
      const { wait, afterFailure = false } = await turn().catch(failed);
      if (signal.aborted || wait === 0 || (woken && !afterFailure)) continue;
      rest = { stop: new AbortController(), afterFailure };
      await clock.wait(wait, rest.stop.signal);
      rest = null;
    }
  }

  return {
    start() {
      if (running) return;
      over = new AbortController();
      const { signal } = over;
      const held = lock.request(name, { signal }, () => run(signal));
      running = held.catch((fault) => {
        if (!signal.aborted) throw fault;
      });
    },
    async stop() {
      over.abort();
      rest?.stop.abort();
      await running;
      running = null;
    },
    // There is something new: worth a try at once, unless the last one has failed.
    wake() {
      woken = true;
      if (rest && !rest.afterFailure) rest.stop.abort();
    },
    // Somebody wants it now, or the network is back: only what the server has asked for is waited for.
    nudge() {
      woken = true;
      failures = 0;
      if (clock.now() >= notBefore) rest?.stop.abort();
    },
  };
}
