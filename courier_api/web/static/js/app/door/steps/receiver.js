// Who receives, by the procedure's rule, and with what authorisation.
import { make } from "../../../dom.js";
import { say } from "../../../told.js";
import { button, card, choices, field, markWrong, notice, tell } from "../../parts.js";
import { go, next } from "../../router.js";
import { needsPaper } from "../form.js";
import { picture, viewfinder } from "../viewfinder.js";

export function receiverStep({ door, draft, keep }, onward) {
  const rule = door.authorization;
  const allowed = rule === "forbidden" ? ["self"] : ["self", "family", "authorized"];
  const name = field(say("receiver_name"), {
    value: draft.receiverName,
    maxlength: 120,
    autocapitalize: "words",
    onInput: (receiverName) => keep({ receiverName, card: null }),
  });
  const paper = field(say("authorization_reference"), {
    hint: say("authorization_hint"),
    value: draft.authorization,
    maxlength: 120,
    onInput: (authorization) => keep({ authorization }),
  });
  const photo = card();
  const finder = viewfinder({
    label: say("authorization_photo"),
    shutterText: say("take_photo"),
    onPhoto: async (bytes) => {
      await keep({ photo: bytes });
      finder.stop();
      showPhoto();
    },
  });
  const third = make("div", {}, name, make("div", {}, paper, photo));
  const again = async () => {
    await keep({ photo: null });
    showPhoto();
    finder.start();
  };
  const showPhoto = () =>
    photo.replaceChildren(
      make("h2", {}, say("authorization_photo")),
      ...(draft.photo
        ? [picture(draft.photo, say("authorization_photo")), button(say("photo_again"), again, { kind: "plain" })]
        : [finder.element, finder.shutter]),
    );
  const show = () => {
    const needed = needsPaper(door, draft.receiver);
    third.hidden = draft.receiver === "self";
    third.lastChild.hidden = !needed;
    if (needed && !draft.photo) finder.start();
    else finder.stop();
  };
  const choose = async (receiver) => {
    await keep({ receiver, signer: receiver === "self" ? door.job.contact_name : draft.receiverName, card: null });
    paper.input.value = draft.authorization;
    showPhoto();
    show();
  };
  showPhoto();
  show();
  return {
    title: say("step_receiver"),
    leave: () => finder.stop(),
    body: [
      rule === "forbidden" ? notice("info", say("only_in_person"), say("only_in_person_text")) : null,
      choices(
        say("who_receives"),
        "receiver",
        allowed.map((code) => [code, say(`receiver_${code}`), hintOf(code, door)]),
        draft.receiver,
        choose,
      ),
      third,
      button(say("nobody_may"), () => go(`#/stop/${door.id}/failure/receiver_not_authorized`), { kind: "plain" }),
    ],
    action: next(say("go_on"), async () => {
      const missingName = draft.receiver !== "self" && !draft.receiverName;
      const missingPaper = needsPaper(door, draft.receiver) && !draft.authorization;
      markWrong(name, missingName ? say("receiver_name_missing") : null);
      markWrong(paper, missingPaper ? say("authorization_missing") : null);
      if (missingName || missingPaper) return;
      if (needsPaper(door, draft.receiver) && !draft.photo) {
        tell(say("authorization_photo_missing"));
        return;
      }
      await keep({
        signer: draft.receiver === "self" ? door.job.contact_name : draft.receiverName,
        relationship: draft.receiver,
      });
      await onward();
    }),
  };
}

function hintOf(code, door) {
  if (code === "self") return door.job.contact_name;
  const exempt = code === "family" && !needsPaper(door, code);
  return say(exempt ? "family_exempt" : "written_needed");
}
