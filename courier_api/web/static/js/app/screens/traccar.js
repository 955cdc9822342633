// Another app may tell the office where this phone is: what Traccar Client needs, shown once.
import { make } from "../../dom.js";
import { say } from "../../told.js";
import { codePicture } from "../code.js";
import { call } from "../outbox/net.js";
import { button, card, facts, notice } from "../parts.js";
import { render } from "../router.js";
import * as session from "../session.js";
import { dayAndTime } from "./when.js";

const KIND = "traccar";
let made = null; // shown once, while this screen is up

export const traccarScreen = () => async () => {
  const token = session.token();
  const known = await call(`/couriers/tracking-device?kind=${KIND}`, { token }).catch(() => null);
  return {
    title: say("traccar"),
    back: "#/me",
    leave: () => {
      made = null;
    },
    body: [
      make("p", { class: "lead" }, say("traccar_lead")),
      known ? null : notice("warn", say("needs_network_heading"), say("traccar_needs_network")),
      made ? await whatToType(made) : null,
      known?.made_at && !made
        ? card(
            facts([
              [say("traccar_since"), dayAndTime(known.made_at)],
              [say("traccar_last"), known.last_fix_at ? dayAndTime(known.last_fix_at) : say("none")],
            ]),
          )
        : null,
      known
        ? button(say(known.made_at ? "traccar_new" : "traccar_make"), () => make_(token), { kind: "second-action" })
        : null,
    ],
  };
};

async function whatToType({ server_url: server, device_id: id, setup_url: setup }) {
  return card(
    make("h2", {}, say("traccar_type")),
    await codePicture(setup, say("traccar_scan")),
    facts([
      [say("traccar_address"), server],
      [say("traccar_id"), id],
    ]),
    make("p", { class: "soft" }, say("traccar_once")),
  );
}

async function make_(token) {
  made = await call("/couriers/tracking-device", {
    method: "POST",
    body: { kind: KIND },
    token,
    headers: { "Idempotency-Key": `"${crypto.randomUUID()}"` },
  });
  await render({ again: true });
}
