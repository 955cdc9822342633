// Another app may tell the office where this phone is: what to type into Traccar Client, shown once.
import { make } from "../../dom.js";
import { say } from "../../told.js";
import { call } from "../outbox/net.js";
import { button, card, facts, notice } from "../parts.js";
import { render } from "../router.js";
import * as session from "../session.js";
import { dayAndTime } from "./when.js";

let made = null; // shown once, while this screen is up

export const traccarScreen = () => async () => {
  const token = session.token();
  const known = await call("/couriers/tracking-device", { token }).catch((fault) => ({ fault }));
  const traccar = (known.items ?? known.devices ?? []).find?.(({ kind }) => kind === "traccar") ?? null;
  return {
    title: say("traccar"),
    back: "#/me",
    leave: () => { made = null; },
    body: [
      make("p", { class: "lead" }, say("traccar_lead")),
      known.fault ? notice("warn", say("needs_network_heading"), say("traccar_needs_network")) : null,
      made ? card(make("h2", {}, say("traccar_type")), facts([[say("traccar_address"), `${location.origin}/positions`], [say("traccar_id"), made.device_id]]), make("p", { class: "soft" }, say("traccar_once"))) : null,
      traccar && !made ? card(facts([[say("traccar_since"), dayAndTime(traccar.created_at)], [say("traccar_last"), traccar.last_fix_at ? dayAndTime(traccar.last_fix_at) : say("none")]])) : null,
      button(say(traccar ? "traccar_new" : "traccar_make"), async () => {
        made = await call("/couriers/tracking-device", { method: "POST", body: { kind: "traccar" }, token, headers: { "Idempotency-Key": `"${crypto.randomUUID()}"` } });
        await render();
      }, { kind: "second-action" }),
    ],
  };
};
