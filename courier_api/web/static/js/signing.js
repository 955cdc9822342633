// The two small forms with which a dispatcher signs in; what is wrong is said beside its field.
import { find, make, show } from "./dom.js";
import { requestCode, signIn } from "./session.js";
import { say } from "./told.js";

export function readyForms(message, signedIn) {
  const phoneForm = find("#phone-form");
  const codeForm = find("#code-form");
  const phone = phoneForm.elements.phone;
  const code = codeForm.elements.code;

  handle(phoneForm, phone, async () => {
    await requestCode(phone.value);
    message.tell(say("code_sent", { phone: phone.value }));
    swap(true);
    code.focus();
  });
  handle(codeForm, code, async () => {
    await signIn(phone.value, code.value.trim());
    message.clear();
    swap(false);
    signedIn();
  });
  find("#other-phone").addEventListener("click", () => {
    message.clear();
    swap(false);
    phone.focus();
  });

  function swap(codeAsked) {
    show(phoneForm, !codeAsked);
    show(codeForm, codeAsked);
    code.value = "";
  }
}

function handle(form, input, work) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    mark(input, null);
    button.disabled = true;
    try {
      await work();
    } catch (problem) {
      mark(input, problem.fields?.[0]?.detail ?? problem.message);
      input.focus();
    } finally {
      button.disabled = false;
    }
  });
}

function mark(input, fault) {
  const field = input.closest(".field");
  const id = `${input.id}-error`;
  field.querySelector(".error")?.remove();
  field.classList.toggle("wrong", Boolean(fault));
  input.toggleAttribute("aria-invalid", Boolean(fault));
  input.setAttribute("aria-describedby", fault ? `${input.id}-hint ${id}` : `${input.id}-hint`);
  if (fault) input.before(make("p", { class: "error", id }, fault));
}
