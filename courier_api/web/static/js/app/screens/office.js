// Back at the office: bags by scanning or in one list, cash against vouchers, originals that were called back.
import { make } from "../../dom.js";
import { say } from "../../told.js";
import { scanMany } from "../door/viewfinder.js";
import { ask, button, card, icon, link, money, notice, tell, tick } from "../parts.js";
import { go, next, render } from "../router.js";
import { bagIn } from "../shift/handing-in.js";
import { handedToday } from "./handed.js";
import { openHanding, recalledCard, vouchersCard } from "./handing.js";

const numberOf = ({ custody }) => custody.tracking_number;

export const officeScreen = (phone) => async () => {
  const bags = phone.toHandIn();
  const { total, of, apart } = phone.cash();
  const recalled = phone.recalled();
  const handing = await openHanding(phone);
  const chosen = bags.filter((bag) => handing.draft.bags[numberOf(bag)]).length;
  const anything = bags.length > 0 || of.length > 0 || recalled.length > 0;
  return {
    title: say("tab_office"),
    tabs: true,
    live: true,
    body: [
      phone.office
        ? make("p", { class: "over" }, phone.office.name)
        : notice("warn", say("no_office"), say("no_office_text"), link(say("fetch"), "#/ready")),
      anything ? null : card(make("h2", {}, say("nothing_to_hand_in")), make("p", {}, say("nothing_to_hand_in_text"))),
      bags.length ? bagsCard(bags, chosen, handing) : null,
      of.length
        ? vouchersCard(
            total,
            of.map(({ tracking_number: number, amount }) => [number, money(amount)]),
          )
        : null,
      recalledCard(phone, recalled),
      apart.length
        ? notice(
            "warn",
            say("cash_apart", { money: money(apart.reduce((all, { amount }) => all + amount, 0)) }),
            say("cash_apart_text"),
          )
        : null,
      handedToday(phone),
    ],
    action: anything && phone.office ? toClerk(bags, chosen, total, handing) : null,
  };
};

function toClerk(bags, chosen, total, handing) {
  if (bags.length && !chosen)
    return next(say("scan_n_bags", { n: bags.length }), () => scanBags(bags.map(numberOf), handing), {
      symbol: "scan",
    });
  return next(say("to_clerk", { bags: chosen, money: money(total) }), () => forward(bags.length - chosen, handing));
}

// That some bags stay with the courier is asked once, and again only when it is another number.
async function forward(left, { draft, keep }) {
  if (left > 0 && left !== draft.left) {
    if (
      !(await ask(say("bags_left", { n: left }), say("bags_left_text"), [
        [true, say("go_on")],
        [null, say("go_back"), "plain"],
      ]))
    )
      return;
  }
  await keep({ left });
  go("#/office/sign");
}

function bagsCard(bags, chosen, handing) {
  const all = chosen === bags.length;
  const mark = async (marks) => {
    await handing.keep({ bags: marks });
    await render({ again: true });
  };
  return card(
    make("h2", {}, say("bags_to_hand_in", { n: bags.length })),
    chosen
      ? button(say("scan_bags"), () => scanBags(bags.map(numberOf), handing), { kind: "second-action", symbol: "scan" })
      : null,
    button(
      say(all ? "choose_none" : "choose_all"),
      () =>
        mark(
          all
            ? {}
            : Object.fromEntries(bags.map((bag) => [numberOf(bag), handing.draft.bags[numberOf(bag)] ?? "list"])),
        ),
      { kind: all ? "plain" : "second-action" },
    ),
    ...bags.map((bag) => bagRow(bag, handing, mark)),
  );
}

function bagRow(bag, { draft }, mark) {
  const number = numberOf(bag);
  const { job, lines } = bag;
  const how = draft.bags[number];
  return tick(
    make("strong", { class: "code" }, number),
    [job?.contact_name, say("n_papers", { n: lines.length })].filter(Boolean).join(" · "),
    Boolean(how),
    {
      onChange: (chosen) => {
        const { [number]: _, ...others } = draft.bags; // as they are now: another may have been ticked meanwhile
        return mark(chosen ? { ...others, [number]: "list" } : others);
      },
      more: how === "scan" ? icon("scan") : null,
    },
  );
}

// Each bag that is found counts at once: the viewfinder may be left, or die, between two of them.
async function scanBags(numbers, { draft, keep }) {
  const left = () => numbers.filter((number) => draft.bags[number] !== "scan");
  const all = await scanMany(say("scan_bags"), {
    left: left(),
    judge: async (text) => {
      const { kind, number } = bagIn(
        text,
        numbers,
        numbers.filter((one) => draft.bags[one] === "scan"),
      );
      if (kind === "found") {
        await keep({ bags: { ...draft.bags, [number]: "scan" } });
        navigator.vibrate?.(60);
      }
      return { good: kind === "found" || kind === "again", word: say(`scanned_${kind}`, { number }), left: left() };
    },
  });
  await render({ again: true });
  if (all) tell(say("scanned_all", { n: numbers.length }));
}
