// The receipt on the phone, at once and without a network: a code that anyone can check at /verify.
import { make } from "../../dom.js";
import { time } from "../../format.js";
import { say, told } from "../../told.js";
import { big, fromBase64, hex, join, sha256 } from "../../verify/bytes.js";
import { digits } from "../../verify/receipt.js";
import { codePicture } from "../code.js";
import { listed } from "../door/listed.js";
import { card, facts, money, notice } from "../parts.js";
import { go, next, replace } from "../router.js";
import { isToOffice } from "../shift/handing-in.js";
import { onward } from "./stop.js";
import { dateAndTime } from "./when.js";

export const receiptScreen = (phone) => async (id) => {
  const operation = [...phone.queue, ...phone.done].find((one) => one.id === id);
  if (!operation) return replace("#/");
  if (isToOffice(operation)) return ofBag(phone, operation);
  const { beside, fields, subject } = operation;
  const found = phone.stop(subject.stop);
  const fee = beside.fee_collected;
  const picture = await code(operation);
  return {
    live: !picture,
    title: say("receipt"),
    back: "#/",
    body: [
      make("p", { class: "lead" }, say("receipt_lead")),
      picture ?? noPicture(),
      card(
        facts([
          [say("from_citizen"), found?.one.stop.job.contact_name],
          [
            say("receiver_name"),
            beside.receiver_name ? `${beside.receiver_name} · ${say(`receiver_${beside.receiver}`)}` : null,
          ],
          [say("courier"), `${phone.session.full_name} · ${phone.me}`],
          [say("at"), dateAndTime(operation.at)],
          [say("paid"), fee ? money(fee) : null],
          [say("voucher"), fee ? await voucherNumber(id) : null],
          [say("seal_number"), beside.seal_number ?? null],
        ]),
        ...(found?.one.door ? listed(found.one.door, beside) : []),
      ),
      card(make("p", {}, say("receipt_by_hand")), make("p", { class: "sum code" }, fields.no)),
      notice("good", say("receipt_safe"), say("receipt_text")),
    ],
    action: onward(found?.stops ?? []),
  };
};

// Of one bag that was given in: for the clerk, and from there to all that went with it.
async function ofBag(phone, operation) {
  const { id, at, fields } = operation;
  const clerk = phone.office?.clerks.find(({ staff_code: code_ }) => code_ === fields.by);
  const picture = await code(operation);
  return {
    live: !picture,
    title: say("receipt"),
    back: `#/handed/${id}`,
    body: [
      make("p", { class: "lead" }, say("receipt_lead_office")),
      picture ?? noPicture(),
      card(
        facts([
          [say("number"), fields.no],
          [say("which_clerk"), clerk?.full_name ?? fields.by],
          [say("at"), time(at)],
        ]),
      ),
      notice("good", say("receipt_safe"), say("receipt_text")),
    ],
    action: next(say("to_handed"), () => go(`#/handed/${id}`)),
  };
}

// Null where what draws it is not here: it is kept with the app, unless the courier left before all of that was. With the
// certificate under which it was signed: the phone may have a newer one, or another key.
async function code({ certificate, signed: { core, signature } }) {
  try {
    await import(told.qr_encode);
  } catch {
    return null;
  }
  return codePicture(
    `${told.verify}#${digits(join(fromBase64(core), fromBase64(signature), certificate))}`,
    say("receipt_code"),
  );
}

// The rest of the receipt is shown; with the next news that the phone has, this screen looks for the code again.
const noPicture = () => notice("info", say("receipt_no_code"), say("receipt_no_code_text"));

// The number of a voucher is that of its handover, so that the phone knows it before the server does.
export async function voucherNumber(id) {
  const digest = hex(await sha256(big(BigInt(`0x${id.replaceAll("-", "")}`), 16))).toUpperCase();
  return `BL-${digest.slice(0, 8)}-${digest.slice(8, 16)}`;
}
