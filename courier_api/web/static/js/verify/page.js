// The verifying page: takes a receipt from the address, the camera, a photo or pasted text and says what it is worth.
import { find, show } from "../dom.js";
import { say, told } from "../told.js";
import { check, readKeys } from "./crypto.js";
import { ask } from "./ledger.js";
import { digits, NoReceipt, read, unpack } from "./receipt.js";
import { readPhoto, watch } from "./scan.js";
import { announce, hideResult, showReceipt, showVerdict } from "./show.js";
import { verdict } from "./verdict.js";

const SCOPES = ["/verify", "/VERIFY"]; // printed codes carry capitals, they take less room
let asked = 0; // answers to older questions are dropped
let current = ""; // the receipt that is shown, as it stands in the address
let camera = null;

const library = import(told.ed25519);
const keys = globalThis.crypto?.subtle ? readKeys(told.keys) : Promise.resolve([]);
const ed25519 = async (...parts) => (await library).verifyAsync(...parts, { zip215: false });

show(find("#tools"), true);
find("#scan").addEventListener("click", scan);
find("#stop").addEventListener("click", () => {
  camera?.abort();
  find("#scan").focus();
});
find("#photo").addEventListener("change", (event) => photo(event.target));
find("#paste").addEventListener("submit", paste);
find(".language").addEventListener("click", (event) => {
  event.currentTarget.hash = current;
});
addEventListener("hashchange", fromAddress);
addEventListener("online", () => {
  online();
  if (!find("#details").hidden) examine(current, { focus: false });
});
addEventListener("offline", online);
online();
fromAddress();
keepForOffline();

async function examine(text, { focus = true } = {}) {
  const question = ++asked;
  hideResult();
  fault("");
  announce(say("checking"));
  try {
    const bytes = read(text);
    const receipt = unpack(bytes);
    remember(digits(bytes));
    const known = await keys;
    if (known.length === 0) return tell(question, "cannot_check", focus);
    const holds = await check(receipt, known, ed25519);
    tell(question, verdict(holds), focus, () => showReceipt(receipt, holds, { state: "asking" }));
    const ledger = await ask(told.ledger, receipt, known, ed25519);
    if (ledger.state === "offline" && question === asked) show(find("#offline"), true);
    tell(question, verdict(holds, ledger.state), false, () => showReceipt(receipt, holds, ledger));
  } catch (problem) {
    if (!(problem instanceof NoReceipt)) console.warn(problem);
    tell(question, problem instanceof NoReceipt ? problem.verdict : "cannot_check", focus);
  }
}

function tell(question, name, focus, more) {
  if (question !== asked) return;
  more?.();
  showVerdict(name);
  if (focus) find("#verdict-words").focus();
}

// A receipt was read. The address then shows the receipt: it can be kept, sent on, and read in the other language.
function remember(found) {
  find("#paste").reset();
  find(".paste").open = false;
  current = `#${found}`;
  if (location.hash !== current) history.replaceState(null, "", current);
}

function fromAddress() {
  if (/^#\d/.test(location.hash) && location.hash !== current) examine(location.hash, { focus: false });
}

async function scan() {
  camera?.abort();
  const mine = new AbortController();
  camera = mine;
  fault("");
  show(find("#camera"), true);
  find("#camera").scrollIntoView({ block: "nearest" });
  find("#stop").focus({ preventScroll: true });
  try {
    const text = await watch(find("#video"), mine.signal);
    if (text !== null) examine(text);
  } catch (problem) {
    fault(say(problem.name === "NotAllowedError" ? "camera_refused" : "camera_missing"));
  } finally {
    if (camera === mine) show(find("#camera"), false);
  }
}

async function photo(input) {
  const [file] = input.files;
  if (!file) return;
  const question = ++asked;
  hideResult();
  fault("");
  announce(say("reading"));
  show(find("#reading"), true);
  const text = await readPhoto(file).catch(() => null);
  show(find("#reading"), false);
  input.value = ""; // the same photo can be chosen again
  if (text !== null && question === asked) examine(text);
  else tell(question, "unreadable", true);
}

function paste(event) {
  event.preventDefault();
  const field = find("#text");
  const empty = !field.value.trim();
  find("#text-error").textContent = empty ? say("paste_missing") : "";
  field.setAttribute("aria-invalid", empty);
  find("#paste .field").classList.toggle("wrong", empty);
  if (empty) field.focus();
  else examine(field.value);
}

function fault(text) {
  find("#fault").textContent = text;
}

function online() {
  show(find("#offline"), !navigator.onLine);
}

async function keepForOffline() {
  if (!navigator.serviceWorker) return;
  try {
    const keep = (scope) => navigator.serviceWorker.register(told.worker, { scope, updateViaCache: "none" });
    await Promise.all(SCOPES.map(keep));
    await navigator.serviceWorker.ready;
    show(find("#saved"), true);
  } catch {
    // A private window keeps nothing: the page still works with a network.
  }
}
