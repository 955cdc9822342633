// The grave troubles, each with what to do: the key is no longer taken, the round is gone, the disk is full.
import { make } from "../../dom.js";
import { say } from "../../told.js";
import { button, link, notice } from "../parts.js";
import { go, next } from "../router.js";
import { save } from "./queue.js";
import { callOffice } from "./stop.js";

export const keyScreen = (phone) => async () => {
  const fault = phone.problems.find(({ kind }) => kind === "key");
  return {
    title: say("key_heading"),
    back: "#/",
    body: [
      ...(fault
        ? [
            notice("bad", say(`key_${fault.code}`), say("key_text")),
            steps(["key_step_keep", "key_step_call", "key_step_backup", "key_step_sign_in"]),
            link(say("queue_title"), "#/queue"),
            callOffice(phone),
          ]
        : [notice("good", say("key_good"), say("key_good_text"))]),
    ],
    action: fault ? next(say("sign_in"), () => go("#/sign-in")) : next(say("to_round"), () => go("#/")),
  };
};

export const withdrawnScreen = (phone) => async (id) => {
  const day = phone.rounds.find(({ round }) => round.id === id);
  const bags = phone.bags();
  return {
    title: say("withdrawn"),
    back: "#/",
    body: [
      notice("bad", say("withdrawn"), say("withdrawn_text")),
      steps(["withdrawn_step_stop", "withdrawn_step_call", "withdrawn_step_bring"]),
      bags.length ? make("p", { class: "lead" }, say("you_hold", { n: bags.length })) : null,
      callOffice(phone),
    ],
    action: day
      ? next(say("understood"), async () => {
          await phone.keep(`seen:${id}`, day.round.version);
          await phone.load();
          go("#/office");
        })
      : null,
  };
};

const steps = (keys) => make("ol", { class: "what-to-do" }, ...keys.map((key) => make("li", {}, say(key))));

// The phone has no room: nothing was written, and nothing that was there is lost.
export const fullScreen = (phone, backup) => async () => ({
  title: say("full"),
  back: "#/",
  body: [
    notice("bad", say("full"), say("full_text")),
    steps(["full_step_send", "full_step_free", "full_step_backup"]),
    link(say("queue_title"), "#/queue"),
    button(say("backup_make"), () => save(phone, backup), { kind: "second-action", symbol: "down" }),
  ],
  action: next(
    say("send_now"),
    () => {
      phone.outbox.nudge();
      go("#/queue");
    },
    { symbol: "up" },
  ),
});
