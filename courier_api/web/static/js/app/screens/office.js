// Back at the office: bags by scanning or in one list, cash against vouchers; the clerk signs once for all of it.
import { make } from "../../dom.js";
import { say } from "../../told.js";
import { trackingNumber } from "../camera/cards.js";
import { isSigned, signaturePad } from "../door/signature.js";
import { scan } from "../door/viewfinder.js";
import * as operations from "../operations.js";
import { button, card, choices, facts, field, icon, link, markWrong, money, notice, quiet, tell } from "../parts.js";
import { here } from "../place.js";
import { go, next, render, replace } from "../router.js";
import { clock } from "./when.js";

const chosen = { bags: new Map(), clerk: null, strokes: null }; // of this visit; a bag stands in it with how it was found

export const officeScreen = (phone) => async () => {
  const bags = phone.toHandIn();
  const { total, of, apart } = phone.cash();
  const recalled = phone.recalled();
  for (const number of [...chosen.bags.keys()]) if (!bags.some(({ custody }) => custody.tracking_number === number)) chosen.bags.delete(number);
  const anything = bags.length > 0 || of.length > 0 || recalled.length > 0;
  return {
    title: say("tab_office"),
    tabs: true,
    live: chosen.bags.size === 0,
    body: [
      phone.office ? make("p", { class: "over" }, phone.office.name) : notice("warn", say("no_office"), say("no_office_text"), link(say("fetch"), "#/ready")),
      anything ? null : card(make("h2", {}, say("nothing_to_hand_in")), make("p", {}, say("nothing_to_hand_in_text"))),
      bags.length ? bagsCard(bags) : null,
      of.length ? cashCard(total, of) : null,
      apart.length ? notice("warn", say("cash_apart", { money: money(apart.reduce((all, { amount }) => all + amount, 0)) }), say("cash_apart_text")) : null,
    ],
    action: anything && phone.office ? next(say("to_clerk", { bags: chosen.bags.size, money: money(total) }), () => forward(bags)) : null,
  };
};

function forward(bags) {
  if (bags.length && !chosen.bags.size) { tell(say("choose_bags")); return; }
  go("#/office/sign");
}

function bagsCard(bags) {
  const all = bags.every(({ custody }) => chosen.bags.has(custody.tracking_number));
  return card(
    make("h2", {}, say("bags_to_hand_in", { n: bags.length })),
    button(say("scan_bags"), () => scanBags(bags), { kind: "second-action", symbol: "scan" }),
    button(say(all ? "choose_none" : "choose_all"), () => { for (const { custody } of bags) all ? chosen.bags.delete(custody.tracking_number) : chosen.bags.set(custody.tracking_number, "list"); return render({ again: true }); }, { kind: "plain" }),
    ...bags.map(bagRow));
}

function bagRow({ custody, job, lines }) {
  const number = custody.tracking_number;
  const input = make("input", { type: "checkbox" });
  input.checked = chosen.bags.has(number);
  input.addEventListener("change", () => { input.checked ? chosen.bags.set(number, "list") : chosen.bags.delete(number); return render({ again: true }); });
  return make("label", { class: "choice" }, input, make("span", {},
    make("strong", { class: "code" }, number), make("small", {}, [job?.contact_name, say("n_papers", { n: lines.length })].filter(Boolean).join(" · "))),
    chosen.bags.get(number) === "scan" ? icon("scan") : null);
}

async function scanBags(bags) {
  for (;;) {
    const text = await scan(say("scan_bags"), say("scan_bags_hint", { done: chosen.bags.size, all: bags.length }));
    if (text === null) break;
    const number = trackingNumber(text);
    if (bags.some(({ custody }) => custody.tracking_number === number)) {
      chosen.bags.set(number, "scan");
      navigator.vibrate?.(60);
      tell(say("bag_found", { number }));
    } else tell(number ? say("bag_not_yours", { number }) : say("wrong_code_no_item"));
    if (chosen.bags.size === bags.length) break;
  }
  await render({ again: true });
}

function cashCard(total, of) {
  return card(make("h2", {}, say("cash")), make("p", { class: "sum" }, money(total)),
    make("ul", { class: "papers" }, ...of.map(({ tracking_number: number, amount }) => make("li", {}, make("span", { class: "code" }, number), make("small", {}, money(amount))))));
}

export const officeSignScreen = (phone, write) => async () => {
  const bags = phone.toHandIn().filter(({ custody }) => chosen.bags.has(custody.tracking_number));
  const { total, of } = phone.cash();
  const recalled = phone.recalled();
  if (!bags.length && !of.length && !recalled.length) return replace("#/office");
  const clerks = phone.office.clerks;
  chosen.clerk ??= clerks.length === 1 ? clerks[0].staff_code : null;
  const pad = await signaturePad({ label: say("pad_label"), onChange: (strokes) => { chosen.strokes = strokes; } });
  const counted = field(say("cash_counted"), { inputmode: "numeric", hint: say("cash_counted_hint", { money: money(total) }) });
  return {
    title: say("clerk_signs"),
    arrive: quiet,
    back: "#/office",
    leave: () => { chosen.strokes = null; },
    body: [
      make("p", { class: "lead" }, say("to_the_clerk")),
      card(facts([[say("bags"), String(bags.length)], [say("cash"), of.length ? `${money(total)} · ${say("n_vouchers", { n: of.length })}` : null], [say("recalled_heading"), recalled.length ? String(recalled.length) : null], [say("at"), clock(new Date().toISOString())]])),
      choices(say("which_clerk"), "clerk", clerks.map(({ staff_code: code, full_name: name }) => [code, name, code]), chosen.clerk, (code) => { chosen.clerk = code; }),
      of.length ? counted : null,
      make("p", { class: "declaration" }, say("clerk_declares")),
      pad.element,
    ],
    action: next(say("hand_over"), () => handOver(phone, write, { bags, total, of, recalled, counted }), { symbol: "tick" }),
  };
};

async function handOver(phone, write, { bags, total, of, recalled, counted }) {
  const clerk = phone.office.clerks.find(({ staff_code: code }) => code === chosen.clerk);
  if (!clerk) { tell(say("clerk_missing")); return; }
  const said = Number(counted.input.value.replace(/\D/g, ""));
  markWrong(counted, of.length && said !== total ? say("cash_differs", { money: money(total) }) : null);
  if (of.length && said !== total) return;
  if (!isSigned(chosen.strokes)) { tell(say("signature_missing")); return; }
  const place = await here(phone);
  const signatures = [{ relationship: "clerk", signer_name: clerk.full_name, strokes: chosen.strokes }];
  const given = { clerk, place, signatures, write };
  for (const bag of bags) await phone.enqueue(operations.toOffice(bag, phone.me, phone.office, given));
  if (of.length || recalled.length) {
    await phone.enqueue(operations.settlement(phone.office, { ...given, amount: total, handovers: of.map(({ handover_id: id }) => id), recalled }));
  }
  chosen.bags.clear();
  chosen.strokes = null;
  await replace("#/office");
  tell(say("handed_over", { n: bags.length }));
}
