// What changes hands, by name, between whom; beneath it the signature of who gives or takes.
import { make } from "../../../dom.js";
import { say } from "../../../told.js";
import { button, card, facts, field, markWrong, money, notice, quiet, tell } from "../../parts.js";
import { here } from "../../place.js";
import { next, replace } from "../../router.js";
import { isNothing } from "../form.js";
import { listed } from "../listed.js";
import { isSigned, signaturePad } from "../signature.js";
import { picture } from "../viewfinder.js";

export async function signStep({ door, draft, keep, phone }, finish) {
  const pickup = door.job.kind === "pickup";
  const nothing = isNothing(draft);
  const named = make("span", {}, citizen(draft));
  const resign = notice("warn", say("sign_anew"));
  const pad = await signaturePad({
    label: say("pad_label"),
    strokes: draft.strokes,
    onChange: (strokes) => {
      if (strokes) resign.style.visibility = "hidden"; // its room stays: the box must not move beneath the pen
      word(strokes);
      return keep({ strokes, ...(strokes && { signAgain: false }) });
    },
  });
  const foot = next("", () => act(), { symbol: "tick" });
  const word = (strokes) => {
    foot.querySelector("span").textContent = say(
      nothing ? "count_again" : isSigned(strokes) ? "confirm" : "sign_below",
    );
  };
  word(draft.strokes);
  const act = async () => {
    if (nothing) {
      await replace(`#/stop/${door.id}/${door.job.kind}/papers`);
      return;
    }
    markWrong(signer, draft.signer ? null : say("signer_missing"));
    if (!isSigned(draft.strokes)) {
      pad.element.scrollIntoView({ block: "end" });
      tell(say("signature_missing"));
      return;
    }
    if (draft.signer) await finish();
  };
  const rename = async (text) => {
    const had = draft.strokes;
    const kept = keep({ signer: text });
    named.textContent = citizen(draft);
    if (had && !draft.strokes) {
      pad.clear();
      word(null);
      resign.hidden = false;
      resign.style.visibility = "";
    }
    await kept;
  };
  const signer = field(say("signer"), {
    value: draft.signer,
    maxlength: 120,
    autocapitalize: "words",
    onInput: rename,
  });
  resign.hidden = !draft.signAgain;
  return {
    title: say("step_sign"),
    arrive: () => {
      quiet();
      here(phone);
    }, // asked for now, so that signing need not wait for it
    body: [
      pickup || draft.bag === "right" ? null : notice("warn", say("bag_not_scanned")),
      nothing ? notice("bad", say("nothing_handed")) : null,
      summary({ door, draft, phone, named }),
      pickup && draft.photo ? sealPhoto(door, draft) : null,
      make(
        "p",
        { class: "declaration" },
        say(pickup ? "signs_giving" : draft.recalled.length ? "signs_exchanging" : "signs_taking"),
      ),
      signer,
      resign,
      pad.element,
    ],
    action: foot,
  };
}

const citizen = ({ signer, relationship }) =>
  relationship === "self" ? signer : `${signer} · ${say(`receiver_${relationship}`)}`;

function summary({ door, draft, phone, named }) {
  const pickup = door.job.kind === "pickup";
  const { fee } = door.requirements;
  const courier = `${say("courier")} ${phone.session.full_name} · ${phone.me}`;
  return card(
    facts([
      [say("giver"), pickup ? named : courier],
      [say("taker"), pickup ? courier : named],
      [say("number"), door.job.tracking_number],
      [say("seal_number"), pickup ? draft.seal : null],
      [say("authorization_reference"), pickup ? null : draft.authorization],
      [say("paid"), fee ? money(fee) : null],
    ]),
    ...listed(door, draft),
  );
}

function sealPhoto(door, draft) {
  return make(
    "div",
    { class: "thumbnail" },
    picture(draft.photo, say("sealed_bag")),
    button(say("photo_again"), () => replace(`#/stop/${door.id}/pickup/seal`), { kind: "plain" }),
  );
}
