// The grave troubles, each with what to do: the key is no longer taken, the round is gone, the disk is full.
import { make } from "../../dom.js";
import { say } from "../../told.js";
import { button, link, notice, tellFault } from "../parts.js";
import { go, next } from "../router.js";
import { save } from "./queue.js";
import { callOffice } from "./stop.js";

export const keyScreen = (phone, backup) => async () => {
  const fault = phone.problems.find(({ kind }) => kind === "key");
  const call = fault && callOffice(phone);
  const signIn = () => go("#/sign-in");
  return {
    title: say(fault ? "key_heading" : "key"),
    back: "#/",
    body: [
      ...(fault
        ? [
            notice("bad", say(`key_${fault.code}`), say("key_text")),
            steps(["key_step_keep", "key_step_call", "key_step_backup", "key_step_sign_in"]),
            button(say("backup_make"), () => save(phone, backup), { kind: "second-action", symbol: "down" }),
            link(say("queue_title"), "#/queue"),
            call ? button(say("sign_in_when_told"), signIn, { kind: "plain" }) : null,
          ]
        : [notice("good", say("key_good"), say("key_good_text"))]),
    ],
    action: fault ? (call ?? next(say("sign_in"), signIn)) : next(say("to_round"), () => go("#/")),
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
export const fullScreen = (phone, backup) => async () => {
  const { operations, photos } = phone.outbox.counts();
  const waits = operations + photos > 0;
  const send = () => {
    phone.outbox.nudge().catch(tellFault);
    go("#/queue");
  };
  return {
    title: say("full"),
    back: "#/",
    body: [
      notice("bad", say("full"), say("full_text")),
      steps([...(waits ? ["full_step_send"] : []), "full_step_free", "full_step_backup", "full_step_again"]),
      link(say("queue_title"), "#/queue"),
      button(say("backup_make"), () => save(phone, backup), { kind: "second-action", symbol: "down" }),
    ],
    action: waits ? next(say("send_now"), send, { symbol: "up" }) : next(say("to_round"), () => go("#/")),
  };
};
