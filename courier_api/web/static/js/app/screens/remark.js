// A correction: what has left the phone is never edited; the courier says what is wrong, and a dispatcher decides.
import { make } from "../../dom.js";
import { say } from "../../told.js";
import * as operations from "../operations.js";
import { picture, takePhoto } from "../door/viewfinder.js";
import { button, card, choices, field, markWrong, tell } from "../parts.js";
import { next, replace } from "../router.js";
import { about, titleOf } from "./queue.js";
import { clock } from "./when.js";

const WHYS = {
  "custody.handover": ["wrong_count", "wrong_person", "wrong_amount", "wrong_seal"],
  "courier.failure": ["wrong_reason"],
  "courier.settlement": ["wrong_amount"],
};
const whysOf = ({ typ }) => [...(WHYS[typ] ?? []), "other"];

export const remarkScreen = (phone) => async (id) => {
  const operation = [...phone.queue, ...phone.done].find((one) => one.id === id);
  if (!operation) return replace("#/queue");
  const name = `remark:${id}`;
  const draft = (await phone.draft(name)) ?? { why: null, note: "", photo: null };
  const keep = (change) => phone.keepDraft(name, Object.assign(draft, change));
  const shown = card();
  const show = () =>
    shown.replaceChildren(
      make("h2", {}, say("remark_photo")),
      ...(draft.photo ? [picture(draft.photo, say("remark_photo"))] : []),
      button(
        say(draft.photo ? "photo_again" : "add_photo"),
        async () => {
          const photo = await takePhoto(say("remark_photo"));
          if (photo) await keep({ photo });
          show();
        },
        { kind: "second-action", symbol: "camera" },
      ),
    );
  show();
  const note = field(say("remark_note"), {
    area: true,
    rows: 3,
    maxlength: 300,
    value: draft.note,
    onInput: (text) => keep({ note: text }),
  });
  return {
    title: say("report_wrong"),
    back: "#/queue",
    body: [
      card(
        make("strong", {}, [titleOf(operation), about(operation, phone)].filter(Boolean).join(" · ")),
        make("p", {}, [operation.fields.no, clock(operation.at)].filter(Boolean).join(" · ")),
      ),
      make("p", {}, say("remark_text")),
      choices(
        say("remark_why"),
        "why",
        whysOf(operation).map((code) => [code, say(`remark_${code}`)]),
        draft.why,
        (why) => keep({ why }),
      ),
      note,
      shown,
    ],
    action: next(say("remark_send"), async () => {
      const text = note.input.value.trim();
      markWrong(note, text ? null : say("remark_note_missing"));
      if (!draft.why) tell(say("remark_why_missing"));
      if (!draft.why || !text) return;
      await phone.enqueue(operations.remark(operation, { why: draft.why, note: text, photo: draft.photo }));
      await phone.dropDraft(name);
      await replace("#/queue");
      tell(say("remark_sent"));
    }),
  };
};
