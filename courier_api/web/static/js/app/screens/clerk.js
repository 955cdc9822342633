// The clerk sees by name and number what goes over, counts the cash, and signs once for all of it.
import { make } from "../../dom.js";
import { say } from "../../told.js";
import { regroup } from "../door/fee.js";
import { isSigned, signaturePad } from "../door/signature.js";
import * as operations from "../operations.js";
import { card, choices, facts, field, markWrong, money, quiet, tell } from "../parts.js";
import { here, lastPlace } from "../place.js";
import { go, next, replace } from "../router.js";
import { list, openHanding, recalledCard, voucherRow, vouchersCard } from "./handing.js";
import { tooLate } from "./taking-back.js";
import { clock } from "./when.js";

export const clerkScreen = (phone, writing) => async () => {
  const handing = await openHanding(phone);
  const { draft, keep } = handing;
  const bags = phone.toHandIn().filter(({ custody }) => draft.bags[custody.tracking_number]);
  const { total, of } = phone.cash();
  const recalled = phone.recalled();
  if (!phone.office || (!bags.length && !of.length && !recalled.length)) return replace("#/office");
  const clerks = phone.office.clerks;
  if (!clerks.some(({ staff_code: code }) => code === draft.clerk))
    draft.clerk = clerks.length === 1 ? clerks[0].staff_code : null;
  let strokes = null; // of this visit alone: nobody signs for what he does not see
  const pad = await signaturePad({
    label: say("pad_label"),
    onChange: (drawn) => {
      strokes = drawn;
    },
  });
  const counted = field(say("cash_counted"), {
    inputmode: "numeric",
    value: draft.counted,
    hint: say("cash_counted_hint", { money: money(total) }),
    onInput: () => {
      regroup(counted.input);
      return keep({ counted: counted.input.value });
    },
  });
  const vouchers = await Promise.all(
    of.map(({ handover_id: id, tracking_number: number, amount }) => voucherRow(phone, id, number, amount)),
  );
  return {
    title: say("clerk_signs"),
    arrive: () => {
      quiet();
      here(phone);
    }, // asked for now, so that signing need not wait for it
    back: "#/office",
    body: [
      make("p", { class: "lead" }, say("to_the_clerk")),
      bags.length ? card(make("h2", {}, say("bags_to_hand_in", { n: bags.length })), list(bags.map(bagRow))) : null,
      of.length ? vouchersCard(total, vouchers) : null,
      recalledCard(phone, recalled),
      facts([[say("at"), clock(new Date().toISOString())]]),
      choices(
        say("which_clerk"),
        "clerk",
        clerks.map(({ staff_code: code, full_name: name }) => [code, name, code]),
        draft.clerk,
        (code) => keep({ clerk: code }),
      ),
      of.length ? counted : null,
      make("p", { class: "declaration" }, say(recalled.length ? "clerk_declares_originals" : "clerk_declares")),
      pad.element,
    ],
    action: next(
      say("hand_over"),
      async () => handOver(phone, { write: await writing(), handing, bags, total, of, recalled, counted, strokes }),
      { symbol: "tick" },
    ),
  };
};

const bagRow = ({ custody, job, lines }) => [
  custody.tracking_number,
  [job?.contact_name, say("n_papers", { n: lines.length })].filter(Boolean).join(" · "),
];

async function handOver(phone, { write, handing, bags, total, of, recalled, counted, strokes }) {
  const { draft, keep, drop } = handing;
  const clerk = phone.office.clerks.find(({ staff_code: code }) => code === draft.clerk);
  if (!clerk) {
    tell(say("clerk_missing"));
    return;
  }
  const wrong = of.length > 0 && Number(counted.input.value.replace(/\D/g, "")) !== total;
  markWrong(counted, wrong ? say("cash_differs", { money: money(total) }) : null);
  if (wrong) return;
  if (!isSigned(strokes)) {
    tell(say("signature_missing"));
    return;
  }
  const signatures = [{ relationship: "clerk", signer_name: clerk.full_name, strokes }];
  const given = { clerk, place: lastPlace(phone), signatures, write, together: crypto.randomUUID() };
  const settles =
    of.length || recalled.length
      ? [
          operations.settlement(phone.office, {
            ...given,
            amount: total,
            handovers: of.map(({ handover_id: id }) => id),
            recalled,
          }),
        ]
      : [];
  const [first] = await phone.enqueueAll([
    ...bags.map((bag) => operations.toOffice(bag, phone.me, phone.office, given)),
    ...settles,
  ]);
  await drop();
  await replace(`#/handed/${first.id}`);
  const undo = async () => {
    if (!(await phone.undo(first.id))) {
      tooLate(first.id);
      return;
    }
    await keep({}); // the draft as it was
    go("#/office");
  };
  tell(say("handed_over", { n: bags.length }), { action: say("undo"), seconds: 9, act: undo });
}
