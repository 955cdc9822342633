// On the first page: how many cases wait, and the way to them.
import { call } from "../api.js";
import { make, show } from "../dom.js";
import { count } from "../format.js";
import { say } from "../told.js";

const MOST = 100;

export async function showCount(element, token) {
  try {
    const { items, next_cursor: more } = await call(`/dispatchers/cases?limit=${MOST}`, { token });
    const link = make("a", { href: "/cases", class: items.length ? "some" : null }, words(items.length, more));
    element.replaceChildren(link);
    show(element, true);
  } catch {
    show(element, false); // the rounds are what this page is for
  }
}

function words(waiting, more) {
  if (more) return say("cases_count_more", { count: count(waiting) });
  if (waiting === 1) return say("cases_count_one");
  return waiting ? say("cases_count", { count: count(waiting) }) : say("cases_count_none");
}
