// Who I am on this phone: its key, its language, where it tells me to be, and the way out.
import { make } from "../../dom.js";
import { grouped } from "../../device/shown.js";
import { count } from "../../format.js";
import { language, say } from "../../told.js";
import { ask, button, card, facts, link, notice, tell } from "../parts.js";
import { go } from "../router.js";
import * as session from "../session.js";
import { installCard } from "./ready.js";
import { dayAndTime } from "./when.js";

export const meScreen = (phone, onSignedOut) => async () => {
  const record = await session.record();
  const persisted = await navigator.storage?.persisted?.().catch(() => false);
  const { usage = 0, quota = 0 } = (await navigator.storage?.estimate?.().catch(() => null)) ?? {};
  const other = language === "vi" ? "en" : "vi";
  return {
    title: say("tab_me"),
    tabs: true,
    live: true,
    body: [
      card(
        make("p", { class: "who" }, phone.session.full_name),
        facts([
          [say("staff_code"), phone.me],
          [say("office"), phone.office?.name ?? phone.session.place_code],
          [say("signed_in_until"), dayAndTime(phone.session.expires_at)],
        ]),
      ),
      card(
        make("h2", {}, say("position")),
        make("p", {}, say(`duty_${phone.onDuty ? phone.duty : "off"}`)),
        make("p", { class: "soft" }, say("duty_text")),
      ),
      persisted
        ? null
        : notice(
            "warn",
            say("lack_persist_heading"),
            say("lack_persist"),
            button(
              say("ask_again"),
              async () => {
                tell(say((await navigator.storage?.persist?.()) ? "persist_given" : "persist_refused"));
                go("#/me");
              },
              { kind: "second-action" },
            ),
          ),
      card(
        make("h2", {}, say("this_phone")),
        facts([
          [say("key"), record ? grouped(record.kid) : say("none")],
          [say("key_until"), record ? dayAndTime(record.certified) : null],
          [say("signed_so_far"), record ? String(record.counter) : null],
          [
            say("space"),
            quota
              ? say("space_of", { used: Math.ceil(usage / 1e6), left: count(Math.floor((quota - usage) / 1e8) / 10) })
              : null,
          ],
        ]),
        installCard(),
      ),
      make(
        "ul",
        { class: "menu" },
        make("li", {}, link(say("queue_title"), "#/queue")),
        make("li", {}, link(say("traccar"), "#/traccar")),
        make("li", {}, link(say("other_language"), `/courier?lang=${other}${location.hash}`, { lang: other })),
        make(
          "li",
          {},
          button(say("sign_out"), () => signOut(phone, onSignedOut), { kind: "row-link" }),
        ),
      ),
    ],
  };
};

async function signOut(phone, onSignedOut) {
  await phone.load();
  const { operations, photos } = phone.outbox.counts();
  const stuck = phone.problems.filter(({ kind }) => kind === "operation" || kind === "evidence").length;
  const going = operations + photos - stuck;
  if (going > 0) {
    await ask(say("not_all_sent"), say("not_all_sent_text", { n: going }), [[true, say("understood")]]);
    return;
  }
  // What the server does not take would hold him for ever: it stays on the phone, and he is told so.
  const text = stuck ? say("sign_out_stuck", { n: stuck }) : say("sign_out_text");
  if (
    !(await ask(say("sign_out"), text, [
      [true, say("sign_out")],
      [false, say("go_back"), "plain"],
    ]))
  )
    return;
  await session.signOut();
  await onSignedOut();
}
