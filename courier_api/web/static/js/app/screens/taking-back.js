// Second thoughts about what was done: taken back as long as all of it is still on the phone; of what has left, a
// dispatcher is told what is wrong.
import { say } from "../../told.js";
import { takenBackWith } from "../outbox/taking-back.js";
import { ask, button, link, tell } from "../parts.js";
import { go, render } from "../router.js";
import { about, titleOf } from "./queue.js";

export function undoOrReport(phone, operation) {
  if (takenBackWith(phone.queue, operation).length)
    return button(say("undo"), () => undo(phone, operation), { kind: "plain" });
  return link(say("report_wrong"), `#/remark/${operation.id}`, { kind: "text-link" });
}

async function undo(phone, operation) {
  const all = takenBackWith(phone.queue, operation); // as it is now, not when the button was made
  const later = all.filter(({ id }) => id !== operation.id);
  if (later.length) {
    const names = later.map((one) => [titleOf(one), about(one, phone)].filter(Boolean).join(" ")).join(", ");
    const sure = await ask(say("undo"), say("undo_also", { n: later.length, names }), [
      [true, say("undo_all", { n: all.length }), "main-action bad"],
      [null, say("go_back"), "plain"],
    ]);
    if (!sure) return;
  }
  const back = await phone.undo(operation.id);
  await render({ again: true });
  if (back) tell(say("undone"));
  else tooLate(operation.id);
}

// What has left is not taken back; what can be done in its place is one tap away.
export function tooLate(id) {
  tell(say("undo_late"), { action: say("report_wrong"), act: () => go(`#/remark/${id}`), seconds: 9 });
}
