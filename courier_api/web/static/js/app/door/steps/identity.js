// Who it is: at a pickup also who gives for the one that the dossier names.
import { make } from "../../../dom.js";
import { say } from "../../../told.js";
import { readCard, sameName } from "../../camera/cards.js";
import { button, card, choices, field, markWrong, notice, tell } from "../../parts.js";
import { go, next, render } from "../../router.js";
import { scan } from "../viewfinder.js";

export function identityStep({ door, draft, keep }, onward) {
  const pickup = door.job.kind === "pickup";
  const other = pickup && draft.relationship !== "self";
  const expected = () =>
    pickup
      ? draft.relationship === "self"
        ? door.job.contact_name
        : draft.signer
      : draft.receiver === "self"
        ? door.job.contact_name
        : draft.receiverName;
  const who = make("p", { class: "who" }, expected() || "…");
  const name = field(say("giver_name"), {
    value: other ? draft.signer : "",
    maxlength: 120,
    autocapitalize: "words",
    onInput: (signer) => {
      const kept = keep({ signer, card: null });
      who.textContent = signer || "…";
      markWrong(name, null);
      return kept;
    },
  });
  name.hidden = !other;
  const choose = async (relationship) => {
    await keep({
      relationship,
      signer: relationship === "self" ? door.job.contact_name : name.input.value.trim(),
      card: null,
    });
    name.hidden = relationship === "self";
    who.textContent = expected() || "…";
  };
  const seen = async (identity, read = null) => {
    markWrong(name, expected() ? null : say("giver_name_missing"));
    if (!expected()) return;
    await keep({ identity, card: read });
    await onward();
  };
  const isOther = draft.card?.same === false; // what was read bears another name
  return {
    title: say("step_identity"),
    body: [
      pickup
        ? choices(
            say("who_gives"),
            "giver",
            ["self", "family", "authorized"].map((code) => [code, say(`receiver_${code}`)]),
            draft.relationship,
            choose,
          )
        : null,
      pickup ? name : null,
      card(make("p", { class: "over" }, say("card_must_say")), who),
      isOther
        ? notice("bad", say("other_name"), say("other_name_text", { name: draft.card.name, expected: expected() }))
        : null,
      button(say("scan_card"), () => scanCard(expected(), seen, keep), { kind: "second-action", symbol: "scan" }),
      make("p", { class: "soft" }, say("card_kept")),
      button(say("known_person"), () => seen("known_person"), { kind: "second-action" }),
      make(
        "p",
        { class: "links" },
        button(say("no_card"), () => go(`#/stop/${door.id}/failure/identity_not_shown`), { kind: "plain bad" }),
      ),
    ],
    action: isOther
      ? next(say("same_person"), () => seen("card_seen", draft.card), { kind: "main-action wide bad" })
      : next(say("card_seen"), () => seen("card_seen"), { symbol: "tick" }),
  };
}

// Of the card nothing stays but that it was read, and whose name it bears where that is another's than expected.
async function scanCard(expected, seen, keep) {
  const text = await scan(say("scan_card"), say("scan_card_hint"));
  if (text === null) return;
  const read = readCard(text);
  if (!read) {
    tell(say("no_card_code"));
    return;
  }
  if (!expected || sameName(read.name, expected)) {
    await seen("card_scanned", { same: true });
    return;
  }
  await keep({ card: { same: false, name: read.name } });
  await render();
}
