// What a clerk has signed for: bags, cash and recalled originals, as it is kept on the phone; each bag has its own receipt.
import { make } from "../../dom.js";
import { say } from "../../told.js";
import { card, facts, icon, link, money } from "../parts.js";
import { go, next, replace } from "../router.js";
import { handedIn } from "../shift/handing-in.js";
import { list, nameOf, recalledCard, voucherRow, vouchersCard } from "./handing.js";
import { undoOrReport } from "./taking-back.js";
import { clock, dayAndTime, isToday } from "./when.js";

const all = (phone) => handedIn([...phone.queue, ...phone.done]);

export const handedScreen = (phone) => async (id) => {
  const handed = all(phone).find((one) => [...one.bags, one.settlement].some((operation) => operation?.id === id));
  if (!handed) return replace("#/office");
  const { bags, settlement, by, at } = handed;
  const clerk = phone.office?.clerks.find(({ staff_code: code }) => code === by);
  const slips = new Map([
    ...phone.vouchers.map((one) => [one.handover_id, [one.tracking_number, one.amount]]),
    ...[...phone.queue, ...phone.done].map((one) => [one.id, [one.fields.no, one.fields.fee]]),
  ]);
  const vouchers = await Promise.all(
    (settlement?.fields.handovers ?? []).map((one) => voucherRow(phone, one, ...(slips.get(one) ?? []))),
  );
  return {
    title: say("handed_title"),
    back: "#/office",
    live: true,
    body: [
      card(
        facts([
          [say("which_clerk"), clerk ? `${clerk.full_name} · ${by}` : by],
          [say("office"), phone.office?.name],
          [say("courier"), `${phone.session.full_name} · ${phone.me}`],
          [say("at"), dayAndTime(at)],
        ]),
      ),
      bags.length
        ? card(make("h2", {}, say("handed_over", { n: bags.length })), list(bags.map((bag) => bagRow(phone, bag))))
        : null,
      vouchers.length ? vouchersCard(settlement.fields.amount, vouchers) : null,
      recalledCard(phone, settlement?.fields.recalled ?? []),
      make("p", { class: "links" }, undoOrReport(phone, bags[0] ?? settlement)),
    ],
    action: next(say("to_office"), () => go("#/office")),
  };
};

function bagRow(phone, { id, fields, subject }) {
  return [link(fields.no, `#/receipt/${id}`, { kind: "text-link code" }), nameOf(phone, subject.item)];
}

// Of today, the newest first, for the office's own screen.
export function handedToday(phone) {
  const today = all(phone).filter(({ at }) => isToday(at, Date.now()));
  if (!today.length) return null;
  return make("section", {}, make("h2", {}, say("handed_today")), make("ul", { class: "log" }, ...today.map(row)));
}

function row({ id, at, bags, settlement }) {
  const what = [
    bags.length ? say("n_bags", { n: bags.length }) : null,
    settlement?.fields.amount ? money(settlement.fields.amount) : null,
  ]
    .filter(Boolean)
    .join(" · ");
  const stuck = [...bags, settlement].some((one) => one && ["parked", "rejected"].includes(one.state) && !one.decision);
  return make(
    "li",
    {},
    icon(stuck ? "warn" : "tick"),
    make(
      "div",
      {},
      link(what || say("recalled_taken"), `#/handed/${id}`, { kind: "text-link" }),
      make("small", {}, clock(at)),
    ),
  );
}
