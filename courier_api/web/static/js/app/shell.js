// Keeps the app on the phone, and offers a newer version when there is one.
import { language, say, told } from "../told.js";
import { tell } from "./parts.js";

const CHOICE = "courier-language"; // as worker.js has it
const LOOK_EVERY_MS = 3_600_000;

export async function keepShell() {
  if (!navigator.serviceWorker) return;
  try {
    // The next start is in the language of this one, if there is room for so much.
    await (await caches.open(CHOICE)).put("/", new Response(language)).catch(() => {});
    // Of the whole site: the map's own worker lies under /assets.
    const kept = await navigator.serviceWorker.register(told.worker, { scope: "/", updateViaCache: "none" });
    kept.addEventListener("updatefound", () => watch(kept.installing));
    if (kept.waiting && navigator.serviceWorker.controller) offer(kept.waiting);
    // A version that another tab has taken is taken here too: the files of the old one are gone.
    if (navigator.serviceWorker.controller) navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
    setInterval(() => kept.update().catch(() => {}), LOOK_EVERY_MS);
  } catch {
    // A private window keeps nothing: the app still works with a network.
  }
}

// The map and the reader of codes are fetched when a day is prepared; resolves with whether all of them are here.
export async function keepLater() {
  if (!navigator.serviceWorker) return false;
  const { active } = await navigator.serviceWorker.ready;
  const kept = new Promise((resolve) => {
    const done = ({ data }) => { if (data === "later kept") { navigator.serviceWorker.removeEventListener("message", done); resolve(true); } };
    navigator.serviceWorker.addEventListener("message", done);
    setTimeout(() => resolve(false), 120_000);
  });
  active.postMessage("keep later");
  return kept;
}

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
