// A plan that the dispatcher changed: the difference, which must be read before it becomes the plan.
import { make } from "../../dom.js";
import { time } from "../../format.js";
import { say } from "../../told.js";
import { icon, notice, tell } from "../parts.js";
import { next, replace } from "../router.js";

const SIGNS = { added: "plus", removed: "cross", moved: "list", time: "clock", changed: "warn" };

export const planScreen = (phone) => async (id) => {
  const change = phone.incoming.find(({ round }) => round.id === id);
  if (!change) return replace("#/");
  const rows = change.differences.map((one) =>
    make(
      "li",
      { class: one.kind },
      icon(SIGNS[one.kind]),
      make(
        "div",
        {},
        make("strong", {}, `${say(`diff_${one.kind}`)}: ${one.stop.job.contact_name}`),
        make("small", {}, one.stop.job.address),
        said(one),
      ),
    ),
  );
  return {
    title: say("plan_changed"),
    back: "#/",
    body: [
      change.round.state === "withdrawn" ? notice("bad", say("withdrawn"), say("withdrawn_text")) : null,
      rows.length ? make("ul", { class: "log changes" }, ...rows) : make("p", { class: "lead" }, say("no_differences")),
    ],
    action: next(
      say("understood"),
      async () => {
        await phone.acknowledge(change);
        await replace("#/");
        tell(say("plan_taken"));
      },
      { symbol: "tick" },
    ),
  };
};

function said({ kind, from, to }) {
  if (kind === "moved") return make("p", {}, say("diff_from_to", { from, to }));
  if (kind === "time") return make("p", {}, say("diff_from_to", { from: time(from), to: time(to) }));
  return null;
}
