// What an event says of its moment: the clock, milliseconds since this page was loaded, and which load that was.
import { bytesOf, hex, sha256 } from "../verify/bytes.js";

const boot = hex(crypto.getRandomValues(new Uint8Array(4)));

export function now(app, anchor) {
  return { at: Date.now(), mono: Math.floor(performance.now()), boot, app, anchor };
}

// The hash of the newest checkpoint's text: an event that names it is not older. Null where there is none to be had.
export async function newestAnchor() {
  try {
    const headers = { Accept: "text/plain" };
    const response = await fetch("/api/v1/public/ledger/checkpoint", { headers, cache: "no-store" });
    return response.ok ? await anchorOf(await response.text()) : null;
  } catch {
    return null;
  }
}

// Of a signed note only the text counts, up to the empty line: cosignatures are added later.
export async function anchorOf(note) {
  return hex(await sha256(bytesOf(note.slice(0, note.indexOf("\n\n") + 1))));
}
