// The way in: the phone number, then the code that was sent to it. The key of this phone is made and certified with it.
import { make } from "../../dom.js";
import { say } from "../../told.js";
import { isAble } from "../../device/store.js";
import { button, field, markWrong, notice, tell } from "../parts.js";
import { next, render } from "../router.js";
import * as session from "../session.js";

const CODE_MS = 5 * 60_000;
const KEPT = "courier.asked";

// The number to which a code was sent: whoever looks at his messages may find this page loaded anew.
const asked = () => {
  const { phone, at } = JSON.parse(sessionStorage.getItem(KEPT) ?? "{}");
  return at > Date.now() - CODE_MS ? phone : null;
};
const ask = (phone) =>
  phone ? sessionStorage.setItem(KEPT, JSON.stringify({ phone, at: Date.now() })) : sessionStorage.removeItem(KEPT);

export const signInScreen = (onSignedIn) => async () => {
  if (!isAble()) return { title: say("sign_in"), body: [notice("bad", say("phone_unable"), say("phone_unable_text"))] };
  return asked() ? codeStep(onSignedIn) : phoneStep();
};

function phoneStep() {
  const phone = field(say("phone_number"), {
    hint: say("phone_hint"),
    type: "tel",
    autocomplete: "tel",
    inputmode: "tel",
    maxlength: 20,
  });
  return {
    title: say("sign_in"),
    body: [make("p", { class: "lead" }, say("sign_in_lead")), form([phone], () => send(phone))],
    action: next(say("send_code"), () => send(phone)),
  };
}

async function send(phone) {
  const number = phone.input.value.trim();
  if (!number) {
    markWrong(phone, say("phone_missing"));
    return;
  }
  if (!(await tried(phone, () => session.requestCode(number)))) return;
  ask(number);
  await render();
}

function codeStep(onSignedIn) {
  const code = field(say("code"), {
    hint: say("code_hint", { phone: asked() }),
    inputmode: "numeric",
    autocomplete: "one-time-code",
    maxlength: 6,
    class: "code short",
  });
  const enter = async () => {
    if (!/^\d{6}$/.test(code.input.value.trim())) {
      markWrong(code, say("code_missing"));
      return;
    }
    if (!(await tried(code, () => session.signIn(asked(), code.input.value.trim())))) return;
    ask(null);
    await onSignedIn();
  };
  return {
    title: say("sign_in"),
    arrive: () => code.input.focus(),
    body: [
      form([code], enter),
      button(
        say("code_again"),
        async () => {
          if (await tried(code, () => session.requestCode(asked()))) tell(say("code_sent_again"));
        },
        { kind: "plain" },
      ),
      button(
        say("other_number"),
        () => {
          ask(null);
          return render();
        },
        { kind: "plain" },
      ),
    ],
    action: next(say("enter"), enter),
  };
}

function form(fields, submit) {
  const element = make("form", { novalidate: "" }, ...fields);
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  return element;
}

async function tried(where, work) {
  try {
    await work();
    return true;
  } catch (problem) {
    if (problem.status === undefined) throw problem;
    if (problem.status === 0) tell(say("needs_network"));
    else markWrong(where, problem.detail ?? say("server_broken"));
    return false;
  }
}
