// A decision as a correction that this device signs and sends, exactly once however often it is tried.
import { Problem, call } from "../api.js";
import { writer } from "../device/canonical.js";
import { newestAnchor } from "../device/moment.js";
import { read } from "../device/store.js";
import { NoKey, online, settleInTurn } from "../device/turn.js";
import { holder, token } from "../session.js";
import { say, told } from "../told.js";
import { readCase } from "./reading.js";
import { decided } from "./says.js";

const send = ({ path, method, body }) => call(path, { method, body, token: token() });

// Gives the decided case; throws a Problem, or NoKey.
export async function decide(one, decision, note) {
  const { default: canonicalize } = await import(told.canonicalize);
  const signing = { send, write: writer(canonicalize), app: told.app, anchor: await newestAnchor() };
  try {
    return await signed(one, decision, note.normalize("NFC").trim(), signing);
  } catch (problem) {
    if (problem instanceof AlreadyDecided && problem.case.decision === decision) return problem.case;
    throw problem;
  }
}

function signed(one, decision, note, signing) {
  const build = async () => {
    const now = await readCase(token(), one.id);
    if (now.decision) throw new AlreadyDecided(now);
    return {
      typ: "custody.correction",
      fields: { of: one.operation_id, case: one.id, decision, skip: decision === "skip" ? now.skip : null },
      values: { note },
      request: (event) => ({
        method: "PUT",
        path: `/dispatchers/cases/${one.id}/decision`,
        body: { decision, note, signed: event },
      }),
    };
  };
  return online(holder() ?? nobody(), { ...signing, build });
}

class AlreadyDecided extends Problem {
  constructor(one) {
    super(409, say("case_decided", { decision: decided(one) }), [], "case_decided");
    this.case = one;
  }
}

function nobody() {
  throw new NoKey();
}

// A decision whose answer was never heard is sent again when the page is opened.
export async function settle() {
  const mine = holder();
  if (mine && (await read(mine).catch(() => null))?.pending) await settleInTurn(mine, send).catch(() => {});
}
