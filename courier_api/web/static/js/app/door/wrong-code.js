// A code of another item: what it is, and what to do.
import { say } from "../../told.js";
import { trackingNumber } from "../camera/cards.js";
import { ask, notice } from "../parts.js";

export async function wrongCode(text, door, phone) {
  const number = trackingNumber(text);
  const other =
    number && phone.rounds.flatMap(({ stops }) => stops).find(({ stop }) => stop.job.tracking_number === number);
  const what = !number
    ? say("wrong_code_no_item")
    : other
      ? say("wrong_code_of", { number, n: other.stop.position, name: other.stop.job.contact_name })
      : say("wrong_code_unknown", { number });
  await ask(
    say("wrong_code"),
    [notice("bad", what, say("wrong_code_text", { number: door.job.tracking_number }))],
    [[true, say("understood")]],
  );
}
