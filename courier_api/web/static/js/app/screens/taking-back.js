// Second thoughts about what was done: taken back as long as all of it is still on the phone; of what has left, a
// dispatcher is told what is wrong.
import { say } from "../../told.js";
import { takenBackWith } from "../outbox/taking-back.js";
import { ask, button, link, tell } from "../parts.js";
import { render } from "../router.js";

export function undoOrReport(phone, operation) {
  if (takenBackWith(phone.queue, operation).length)
    return button(say("undo"), () => undo(phone, operation), { kind: "plain" });
  return link(say("report_wrong"), `#/remark/${operation.id}`, { kind: "text-link" });
}

async function undo(phone, operation) {
  const later = takenBackWith(phone.queue, operation).length - 1; // as it is now, not when the button was made
  if (
    later > 0 &&
    !(await ask(say("undo"), say("undo_also", { n: later }), [
      [true, say("undo_all")],
      [null, say("go_back"), "plain"],
    ]))
  )
    return;
  const back = await phone.undo(operation.id);
  await render({ again: true });
  tell(say(back ? "undone" : "undo_late"));
}
