// The bag, sealed before the citizen's eyes: the seal's number and a photo.
import { make } from "../../../dom.js";
import { say } from "../../../told.js";
import { sealNumber, trackingNumber } from "../../camera/cards.js";
import { button, field, markWrong } from "../../parts.js";
import { next, render } from "../../router.js";
import { picture, viewfinder } from "../viewfinder.js";
import { wrongCode } from "../wrong-code.js";

export function sealStep({ door, draft, keep, phone }, onward) {
  const seal = field(say("seal_number"), {
    hint: say("seal_hint"),
    value: draft.seal,
    maxlength: 40,
    autocapitalize: "characters",
    onInput: (text) => keep({ seal: text }),
  });
  const seen = async (text) => {
    const number = trackingNumber(text);
    if (number === door.job.tracking_number) {
      finder.say(say("own_number"));
      return;
    }
    if (number) {
      await wrongCode(text, door, phone);
      return;
    }
    if (draft.seal) return;
    const read = sealNumber(text);
    if (!read) {
      finder.say(say("no_seal_code"));
      return;
    }
    seal.input.value = read;
    await keep({ seal: read });
    finder.say(say("seal_read", { number: read }));
  };
  const finder = viewfinder({
    label: say("step_seal"),
    shutterText: say("take_seal_photo"),
    onCode: seen,
    onPhoto: async (bytes) => {
      await keep({ photo: bytes });
      await (sealed() ? onward() : render());
    },
  });
  const sealed = () => {
    markWrong(seal, draft.seal ? null : say("seal_missing"));
    return Boolean(draft.seal);
  };
  const without = async () => {
    if (sealed()) {
      await keep({ photo: null });
      await onward();
    }
  };
  const done = Boolean(draft.photo);
  return {
    title: say("step_seal"),
    arrive: () => {
      if (!done) finder.start();
    },
    leave: () => finder.stop(),
    body: [
      make("p", { class: "lead" }, say("seal_lead")),
      seal,
      done ? picture(draft.photo, say("sealed_bag")) : finder.element,
      done
        ? button(
            say("photo_again"),
            async () => {
              await keep({ photo: null });
              await render();
            },
            { kind: "plain" },
          )
        : button(say("without_photo"), without, { kind: "plain" }),
    ],
    action: done ? next(say("go_on"), () => (sealed() ? onward() : null)) : finder.shutter,
  };
}
