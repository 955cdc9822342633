// Sends photos and signatures by hand in small pieces (tus 1.0.0), and keeps each until the operator vouches for it.
import { bytesOf, sha256 } from "../../verify/bytes.js";
import { toBase64 } from "../../device/key.js";
import { guarded, waitingEvidence } from "../../device/store.js";
import { evidenceReceiptHolds } from "./receipts.js";
import { tokenOf } from "./sender.js";

const PIECE = 32 * 1024; // so much is lost when the line is cut
const PATIENCE_MS = 60_000;
const AGAIN_MS = 5 * 60_000;
const LOOK_AFTER_MS = 30_000; // by then the server has looked at what came
const TUS = { "Tus-Resumable": "1.0.0" };
const PLACE = /^\/api\/v1(\/couriers\/evidence\/[0-9a-f-]{36})$/;

export function makeUploader({ database, holder, call, keys, learn, verify, clock }) {
  const { evidence, queue } = database;
  const resting = new Map(); // until when what was refused is left alone
  let current = null; // {row, offset, refusals}: what is under way; where it stands the server knows

  // One request at most, so that an operation never waits for a photo.
  async function once() {
    const token = await tokenOf(database, holder);
    if (!token) return { state: "signed_out" };
    current ??= await next();
    if (!current) return look(token);
    const { row } = current;
    try {
      if (!row.location) await announce(token);
      else if (current.offset === null) await ask(token);
      else await send(token);
    } catch (fault) {
      await refused(fault, row);
    }
    return { state: "sent" };
  }

  // Signatures before photos, the oldest first; nothing whose operation is still here, for that may be taken back.
  async function next() {
    const names = await waitingEvidence(evidence, holder.person).primaryKeys();
    const held = new Set(
      await queue
        .where("id")
        .anyOf(names.map(([event]) => event))
        .keys(),
    );
    const free = names.filter(([event, kind]) => !held.has(event) && !(resting.get(event + kind) > clock.now()));
    const [key] = free.sort(([a, one], [b, other]) => (one === other ? (a < b ? -1 : 1) : one === "strokes" ? -1 : 1));
    const row = key && (await evidence.get(key));
    return row ? { row, offset: null, refusals: 0 } : null;
  }

  // Announced again, it is the same upload, to be resumed.
  async function announce(token) {
    const { row } = current;
    const told = `event ${toBase64(bytesOf(row.event))},kind ${toBase64(bytesOf(row.kind))}`;
    const headers = { "Upload-Length": String(row.bytes.length), "Upload-Metadata": told };
    const response = await tus("POST", "/couriers/evidence", token, headers);
    row.location = PLACE.exec(response.headers.get("Location") ?? "")?.[1] ?? null;
    if (!row.location) return rest(row, "broken");
    await guarded(() => evidence.update([row.event, row.kind], { location: row.location }));
    return moved(response);
  }

  const ask = async (token) => moved(await tus("HEAD", current.row.location, token));

  const tus = (method, path, token, headers = {}, body = undefined) =>
    call(path, { method, body, token, headers: { ...TUS, ...headers }, raw: true, timeout: PATIENCE_MS });

  async function send(token) {
    const { row, offset } = current;
    const piece = row.bytes.slice(offset, offset + PIECE);
    const headers = {
      "Content-Type": "application/offset+octet-stream",
      "Upload-Offset": String(offset),
      "Upload-Checksum": `sha256 ${toBase64(await sha256(piece))}`,
    };
    await moved(await tus("PATCH", row.location, token, headers, piece));
    if (current) current.refusals = 0;
  }

  async function moved({ headers }) {
    const { row } = current;
    const offset = Number(headers.get("Upload-Offset") ?? NaN);
    if (!Number.isInteger(offset) || offset < 0 || offset > row.bytes.length) return rest(row, "broken");
    current.offset = offset;
    return offset === row.bytes.length ? complete(headers) : undefined;
  }

  // The bytes may go once the operator has signed that he has them; whether they were what the event says shows later.
  async function complete(headers) {
    const { row } = current;
    const receipt = { text: headers.get("Upload-Receipt"), signature: headers.get("Upload-Receipt-Signature") };
    const holds = () => evidenceReceiptHolds(row, receipt, keys, { verify });
    if (!(await holds()) && !((await learn()) && (await holds()))) return rest(row, "receipt_wrong");
    current = null;
    resting.delete(row.event + row.kind);
    const over = { bytes: null, state: "kept", look_at: clock.now() + LOOK_AFTER_MS };
    return guarded(() => evidence.put({ ...row, ...over, fault: headers.get("Upload-Fault") }));
  }

  // What is kept is looked at once more: nothing wrong with it, and it is forgotten.
  async function look(token) {
    const keys = await evidence.where("state").equals("kept").primaryKeys();
    const kept = (await evidence.bulkGet(keys)).filter((row) => row && row.person === holder.person && !row.fault);
    const [row] = kept.sort((a, b) => a.look_at - b.look_at);
    if (!row) return { state: resting.size ? "faulted" : "idle" };
    if (row.look_at > clock.now()) return { state: "idle", wait: row.look_at - clock.now() };
    const response = await tus("HEAD", row.location, token).catch((fault) => {
      if (fault.status !== 404) throw fault;
      return null; // forgotten by the server too
    });
    const fault = response?.headers.get("Upload-Fault") ?? null;
    if (fault) await evidence.update([row.event, row.kind], { fault });
    else await evidence.delete([row.event, row.kind]);
    return { state: "sent" };
  }

  async function refused(fault, row) {
    const { status, code } = fault;
    if ([409, 460].includes(status) && current.refusals++ < 5) {
      current.offset = null; // asked for anew
    } else if (status === 404 && row.location && current.refusals++ < 2) {
      // an answer to HEAD says no more than that
      await guarded(() => evidence.update([row.event, row.kind], { location: (row.location = null) }));
    } else if (status >= 400 && status < 500 && ![401, 403, 408, 429].includes(status) && code !== "broken") {
      await rest(row, status === 404 ? "evidence_erased" : code);
    } else {
      current = null;
      throw fault;
    }
  }

  // Set aside for a while and shown; its bytes stay.
  async function rest(row, fault) {
    current = null;
    resting.set(row.event + row.kind, clock.now() + AGAIN_MS);
    await guarded(() => evidence.update([row.event, row.kind], { fault }));
  }

  return { once };
}
