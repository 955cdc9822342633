// Papers beyond the list: never asked for by us, and only with a reason.
import { make } from "../../dom.js";
import { say } from "../../told.js";
import { ask, button, choices, field, markWrong, stepper } from "../parts.js";
import { render } from "../router.js";
import { counts } from "../screens/stop.js";

// {rows, add}: those that were added, and the button that adds one.
export function extraPapers(draft, keep) {
  return {
    rows: draft.extra.map((one) => row(one, draft, keep)),
    add: button(say("add_extra"), () => add(draft, keep), { kind: "plain" }),
  };
}

function row(one, draft, keep) {
  const out = async () => {
    await keep({ extra: draft.extra.filter((other) => other !== one) });
    await render();
  };
  return make(
    "div",
    { class: "paper extra" },
    make("strong", {}, one.name),
    make("small", {}, `${counts(one)} · ${say(`extra_${one.reason}`)}`),
    button(say("take_out"), out, { kind: "plain" }),
  );
}

async function add(draft, keep) {
  const one = { name: "", originals: 0, copies: 1, reason: null };
  const name = field(say("extra_name"), {
    maxlength: 300,
    onInput: (value) => {
      one.name = value;
    },
  });
  const counted = make(
    "fieldset",
    { class: "paper" },
    make("legend", {}, say("how_many")),
    ...["originals", "copies"].map((part) =>
      stepper(say(part), one[part], {
        onChange: (value) => {
          one[part] = value;
        },
      }),
    ),
  );
  const why = choices(
    say("extra_why"),
    "extra",
    ["citizen_insists", "agency_letter"].map((code) => [code, say(`extra_${code}`)]),
    null,
    (reason) => {
      one.reason = reason;
    },
  );
  // Stays open as long as something is missing, and says beside it what.
  const given = () => {
    markWrong(name, one.name ? null : say("extra_name_missing"));
    markWrong(counted, one.originals + one.copies ? null : say("extra_count_missing"));
    markWrong(why, one.reason ? null : say("extra_reason_missing"));
    return one.name && one.reason && one.originals + one.copies ? one : false;
  };
  const added = await ask(
    say("add_extra"),
    [say("extra_rule"), name, counted, why],
    [
      [given, say("add")],
      [null, say("go_back"), "plain"],
    ],
  );
  if (!added) return;
  await keep({ extra: [...draft.extra, added] });
  await render();
}
