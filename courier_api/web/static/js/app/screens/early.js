// Not all doors can be reached any more: one reason for all of them, and the round is over.
import { make } from "../../dom.js";
import { say } from "../../told.js";
import * as operations from "../operations.js";
import { choices, notice, tell } from "../parts.js";
import { isOpen } from "../phone.js";
import { here } from "../place.js";
import { next, replace } from "../router.js";

const REASONS = ["out_of_time", "vehicle_broken", "unsafe", "road_closed"];

export const earlyScreen = (phone) => async () => {
  const day = phone.current;
  const open = day?.stops.filter(({ state }) => isOpen(state)) ?? [];
  if (!open.length || day.state !== "started") return replace("#/");
  let reason = null;
  return {
    title: say("end_early"),
    back: "#/",
    body: [
      notice("warn", say("early_heading", { n: open.length }), say("early_text")),
      choices(
        say("extra_why"),
        "reason",
        REASONS.map((code) => [code, say(`reason_${code}`)]),
        reason,
        (value) => {
          reason = value;
        },
      ),
      make(
        "ul",
        { class: "papers" },
        ...open.map(({ stop }) =>
          make(
            "li",
            {},
            make("span", {}, `${stop.position}. ${stop.job.contact_name}`),
            make("small", {}, stop.job.address),
          ),
        ),
      ),
    ],
    action: next(say("early_yes"), async () => {
      if (!reason) {
        tell(say("extra_reason_missing"));
        return;
      }
      const place = await here(phone);
      const failures = open.map(({ door }) =>
        operations.failure({ ...door, round: day.round.id }, { reason, next: "try_again", place }),
      );
      await phone.enqueueAll([...failures, operations.finish(day.round)]);
      await replace("#/office");
      tell(say("early_done"));
    }),
  };
};
