// What has not been sent, what went wrong and what to do about it, and a backup when the phone is in danger.
import { make } from "../../dom.js";
import { FAULTS } from "../../device/counter.js";
import { say, saysIt } from "../../told.js";
import { button, card, facts, icon, notice, tell, tellFault } from "../parts.js";
import { go, next } from "../router.js";
import { isToOffice } from "../shift/handing-in.js";
import { halfNotice } from "../shell.js";
import { callOffice, hasWords, slipLink, troubleText } from "./stop.js";
import { undoOrReport } from "./taking-back.js";
import { clock } from "./when.js";

const MOST_SHOWN = 40;
const SPEAKS_IN_CODES = /\w_\w|[“"'(][a-z]+[”"')]/; // the server's name of a state is no word for a courier
let opened = false; // the list of what has arrived, over the screen's own renewals

export const queueScreen = (phone, backup) => async () => {
  const { operations, photos } = phone.outbox.counts();
  const bytes = photos ? await phone.outbox.bytes() : 0;
  const state = phone.outbox.state();
  const problems = phone.problems.filter(({ kind }) => kind !== "key");
  const waiting = operations + photos;
  const known = waiting && state === "idle" ? "waiting" : state; // before the sender's first turn nothing is known
  const sending = known === "waiting" && !navigator.onLine ? "offline" : known; // held back, but not about to go
  const [oldest] = phone.queue.map(({ at }) => at).sort();
  const ended = problems.filter(isOfEndedKey);
  return {
    title: say("queue_title"),
    back: "#/",
    live: true,
    body: [
      phone.half ? halfNotice() : null,
      card(
        make("p", { class: "sum" }, waiting ? say("waiting_n", { n: waiting }) : say("waiting_none")),
        waiting
          ? facts([
              [say("operations"), String(operations)],
              [say("photos"), photos ? `${photos} · ${kilobytes(bytes)}` : "0"],
              [say("oldest"), oldest ? clock(oldest) : null],
            ])
          : null,
        make("p", { role: "status" }, say(`sending_${sending}`)),
      ),
      endedKey(ended, phone),
      ...problems.filter((problem) => !isOfEndedKey(problem)).map((problem) => trouble(problem, phone)),
      waitingList(phone),
      doneList(phone),
      card(
        make("h2", {}, say("backup")),
        make("p", {}, say("backup_text")),
        button(say("backup_make"), () => save(phone, backup), { kind: "second-action", symbol: "down" }),
      ),
    ],
    action: waiting ? wayOut(phone, backup, state, ended.length === operations) : null,
  };
};

// What gets things off this phone as it stands: signing in, the file for the office where the key is no longer taken, or
// another try.
function wayOut(phone, backup, state, isEnded) {
  if (state === "signed_out") return next(say("sign_in_to_send"), () => go("#/sign-in"));
  if (isEnded && phone.queue.length) return next(say("backup_make"), () => save(phone, backup), { symbol: "down" });
  const again = () => {
    phone.outbox.nudge().catch(tellFault);
    tell(say("trying"));
  };
  return next(say("send_now"), again, { symbol: "up" });
}

const kilobytes = (bytes) => (bytes < 1e6 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

// A handover is called by what it was: taken from somebody, given to somebody, or given in.
export function titleOf({ typ, fields }) {
  if (typ !== "custody.handover") return say(`op_${typ.split(".")[1]}`);
  if (fields.to.r === "office") return say("op_to_office");
  const taken = fields.from.r === "citizen";
  return say(taken ? "pickup" : "delivery");
}

export function about(operation, phone) {
  if (isToOffice(operation)) return operation.fields.no;
  const found = operation.subject?.stop && phone.stop(operation.subject.stop);
  return found ? `${found.one.stop.position}. ${found.one.stop.job.contact_name}` : "";
}

function waitingList(phone) {
  const rows = phone.queue.slice(0, MOST_SHOWN).map((operation) => line(operation, phone, "up"));
  return rows.length
    ? make("section", {}, make("h2", {}, say("still_here")), make("ul", { class: "log" }, ...rows))
    : null;
}

function doneList(phone) {
  const recent = [...phone.done].sort((a, b) => (a.at < b.at ? 1 : -1)).slice(0, MOST_SHOWN);
  const rows = recent.map((operation) => line(operation, phone, operation.state === "applied" ? "tick" : "warn"));
  if (!rows.length) return null;
  const list = make(
    "details",
    { class: "card" },
    make("summary", {}, say("arrived_there", { n: phone.done.length })),
    make("ul", { class: "log" }, ...rows),
  );
  list.open = opened;
  list.addEventListener("toggle", () => {
    opened = list.open;
  });
  return list;
}

function line(operation, phone, symbol) {
  return make(
    "li",
    {},
    icon(symbol),
    make(
      "div",
      {},
      make("strong", {}, titleOf(operation)),
      make("small", {}, [clock(operation.at), about(operation, phone)].filter(Boolean).join(" · ")),
      make("p", { class: "links" }, slipLink(operation, phone), undoOrReport(phone, operation)),
    ),
  );
}

// Of each problem: what happened, and what to do. What the server has, a dispatcher decides; the rest is still here.
function trouble(problem, phone) {
  const { kind, code, detail } = problem;
  const what = say(saysIt(`problem_${code}`) ? `problem_${code}` : `problem_${kind}`);
  const decides = kind === "decision";
  const heading = decides ? [titleOf(problem), about(problem, phone)].filter(Boolean).join(" · ") : what;
  const text = decides ? troubleText(code) : say(saysIt(`advice_${code}`) ? `advice_${code}` : "trouble_kept");
  const ours = decides ? hasWords(code) : saysIt(`problem_${code}`) || saysIt(`advice_${code}`);
  const more = !ours && detail && !SPEAKS_IN_CODES.test(detail) ? make("p", { class: "soft" }, detail) : null;
  return notice(decides ? "warn" : "bad", heading, text, more, callOffice(phone));
}

const isOfEndedKey = ({ kind, code }) => kind === "operation" && FAULTS.includes(code);

function endedKey(problems, phone) {
  if (!problems.length) return null;
  return notice("bad", say("problem_ended_key", { n: problems.length }), say("advice_ended_key"), callOffice(phone));
}

export async function save(phone, backup) {
  const blob = await backup();
  const name = `courier-${phone.me}-${new Date().toISOString().slice(0, 16).replace(/[:T]/g, "-")}.backup`;
  const shared = await share(new File([blob], name, { type: "application/octet-stream" }), name);
  if (shared === "left") return;
  if (!shared) {
    const address = URL.createObjectURL(blob);
    make("a", { href: address, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  }
  tell(say("backup_made"));
}

// Whether another app has taken the file; "left" when the courier chose none. A large one may take so long to make that
// the browser no longer knows that he asked for it.
async function share(file, title) {
  if (!navigator.canShare?.({ files: [file] })) return false;
  try {
    await navigator.share({ files: [file], title });
    return true;
  } catch ({ name }) {
    return name === "AbortError" ? "left" : false;
  }
}
