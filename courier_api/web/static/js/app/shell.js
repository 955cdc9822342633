// Keeps the app on the phone, and offers a newer version when there is one.
import { language, say, told } from "../told.js";
import { button, notice, tell } from "./parts.js";

const CHOICE = "courier-language"; // as worker.js has it
const LOOK_EVERY_MS = 3_600_000;
const READY_MS = 20_000;
const LATER_MS = 120_000;
const AGAIN_MS = 10_000;

// A version that was taken, here or in another tab, is followed: the files of the old one are gone. From the first moment
// on; the first worker of all takes nothing away.
export function followVersion() {
  const workers = navigator.serviceWorker;
  let kept = Boolean(workers?.controller);
  workers?.addEventListener("controllerchange", () => {
    if (kept) location.reload();
    kept = true;
  });
}

// A page that is not kept comes from the network: without one it stays as it is, which is better than none.
export async function openAgain() {
  if (!navigator.serviceWorker?.controller) {
    const answer = await fetch(location.pathname, { cache: "no-store", signal: AbortSignal.timeout(AGAIN_MS) }).catch(
      () => null,
    );
    if (!answer?.headers.has("Page-Version")) {
      tell(say("open_again_network"));
      return;
    }
  }
  location.reload();
}

// Of a page for which not all could be fetched.
export const halfNotice = () =>
  notice(
    "bad",
    say("half_loaded"),
    say("half_loaded_text"),
    button(say("open_again"), openAgain, { kind: "second-action" }),
  );

export async function keepShell() {
  if (!navigator.serviceWorker) return;
  try {
    // The next start is in the language of this one, if there is room for so much.
    await (await caches.open(CHOICE)).put("/", new Response(language)).catch(() => {});
    const kept = await register();
    kept.addEventListener("updatefound", () => watch(kept.installing));
    if (kept.waiting && navigator.serviceWorker.controller) offer(kept.waiting);
    setInterval(() => kept.update().catch(() => {}), LOOK_EVERY_MS);
  } catch {
    // A private window keeps nothing: the app still works with a network.
  }
}

// Of the whole site: the map's own worker lies under /assets.
const register = () => navigator.serviceWorker.register(told.worker, { scope: "/", updateViaCache: "none" });

// The map and the reader of codes are fetched when a day is prepared; resolves with whether all of them are here.
export async function keepLater() {
  if (!navigator.serviceWorker) return false;
  // A worker that could not be installed when the app was opened is tried once more; without one, `ready` never comes.
  const kept = await within(
    READY_MS,
    register().then(() => navigator.serviceWorker.ready),
  ).catch(() => null);
  if (!kept) return false;
  const answer = new AbortController();
  const said = new Promise((resolve) => {
    navigator.serviceWorker.addEventListener(
      "message",
      ({ data }) => {
        if (["later kept", "later missing"].includes(data)) resolve(data === "later kept");
      },
      { signal: answer.signal },
    );
  });
  kept.active.postMessage("keep later");
  const all = await within(LATER_MS, said);
  answer.abort();
  return all;
}

// What the work comes to; false when it takes too long.
export const within = (ms, work) =>
  Promise.race([
    work,
    new Promise((resolve) => {
      setTimeout(resolve, ms, false);
    }),
  ]);

function watch(worker) {
  worker.addEventListener("statechange", () => {
    if (worker.state === "installed" && navigator.serviceWorker.controller) offer(worker);
  });
}

// Only when the courier says so: nothing changes under his hands.
function offer(worker) {
  tell(say("new_version"), {
    action: say("new_version_take"),
    seconds: 60,
    act: () => {
      worker.postMessage("take over");
    },
  });
}
