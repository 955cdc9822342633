// Reads cases with the events that they are about from the dispatchers' part of the API.
import { call } from "../api.js";

const PAGE = 20;
const AT_ONCE = 4;
const DECIDED_SHOWN = 10;
const DECIDED_PAGES = 10; // of 200: the API lists the oldest first

export function readCase(token, id) {
  return call(`/dispatchers/cases/${id}`, { token });
}

// {cases, next}: one page of the open ones, oldest first.
export async function readOpen(token, cursor) {
  const from = cursor ? `&cursor=${cursor}` : "";
  const { items, next_cursor: next } = await call(`/dispatchers/cases?limit=${PAGE}${from}`, { token });
  return { cases: await withEvents(token, items), next };
}

export async function readDecided(token) {
  const found = [];
  for (let page = 0, cursor = ""; page < DECIDED_PAGES && cursor !== null; page += 1) {
    const path = `/dispatchers/cases?open=false&limit=200${cursor && `&cursor=${cursor}`}`;
    const { items, next_cursor: next } = await call(path, { token });
    found.push(...items.filter((one) => one.decision));
    cursor = next;
  }
  found.sort((one, other) => other.decided_at.localeCompare(one.decided_at));
  return withEvents(token, found.slice(0, DECIDED_SHOWN));
}

async function withEvents(token, items) {
  const cases = [];
  for (let at = 0; at < items.length; at += AT_ONCE) {
    cases.push(...(await Promise.all(items.slice(at, at + AT_ONCE).map(({ id }) => readCase(token, id)))));
  }
  return cases;
}
