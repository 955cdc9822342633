// The way through a door, one step after the other; where each step leads to.
import { say } from "../../told.js";
import { tell } from "../parts.js";
import { finishDoor, openForm } from "../door/form.js";
import { identityStep } from "../door/steps/identity.js";
import { papersStep } from "../door/steps/papers.js";
import { receiverStep } from "../door/steps/receiver.js";
import { sealStep } from "../door/steps/seal.js";
import { signStep } from "../door/steps/sign.js";
import { go, replace } from "../router.js";
import { tooLate } from "./taking-back.js";

const WAYS = {
  pickup: [
    ["who", identityStep],
    ["papers", papersStep],
    ["seal", sealStep],
    ["sign", signStep],
  ],
  delivery: [
    ["receiver", receiverStep],
    ["who", identityStep],
    ["papers", papersStep],
    ["sign", signStep],
  ],
};

export const doorScreen = (phone, writing) => async (id, way, step) => {
  const form = await openForm(phone, id);
  if (!form || !["arrived"].includes(form.one.state)) return replace(`#/stop/${id}`);
  const steps = WAYS[way];
  const at = Math.max(
    0,
    steps.findIndex(([name]) => name === step),
  );
  const address = (n) => `#/stop/${id}/${way}/${steps[n][0]}`;
  const onward = () => replace(address(at + 1)); // one entry for the whole door: the way back leads out of it
  const screen = await steps[at][1](
    { ...form, phone },
    at === steps.length - 1 ? () => finish(phone, form, writing) : onward,
  );
  return {
    ...screen,
    title: say("step_of", { n: at + 1, all: steps.length, title: screen.title }),
    back: at > 0 ? address(at - 1) : `#/stop/${id}`,
  };
};

async function finish(phone, form, writing) {
  const operation = await finishDoor(phone, form, await writing());
  await replace(`#/receipt/${operation.id}`);
  const offline = !navigator.onLine || phone.outbox.state() === "offline";
  tell(say(offline ? "kept_offline" : "kept_on_phone"), {
    action: say("undo"),
    seconds: 9,
    act: async () => {
      const back = await phone.undo(operation.id);
      if (!back) {
        tooLate(operation.id);
        return;
      }
      await phone.keepDraft(form.id, form.draft);
      go(`#/stop/${form.id}/${form.door.job.kind}/sign`);
    },
  });
}
