// The pieces of which every screen is made: buttons that cannot be pressed twice, notices, steppers, dialogs.
import { find, make } from "../dom.js";
import { lazily } from "../format.js";
import { language, say } from "../told.js";

const UNSEEN_MS = 100;

const amount = lazily(() => new Intl.NumberFormat(language === "vi" ? "vi" : "en"));

export const grouped = (number) => amount().format(number);
export const money = (dong) => `${grouped(dong)}\u00a0đ`;
export const metres = (m) =>
  m < 950 ? `${Math.round(m / 10) * 10}\u00a0m` : `${amount().format(Math.round(m / 100) / 10)}\u00a0km`;

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

// `act` may be async: until it is done the button takes no second press.
export function button(text, act, { kind = "main-action", symbol = null, ...attributes } = {}) {
  const element = make("button", { type: "button", class: kind, ...attributes });
  if (symbol) element.append(icon(symbol));
  element.append(make("span", {}, text));
  element.addEventListener("click", () => once(element, act));
  return element;
}

// Whether the screen is up that the address names, and none on its way.
export const isUp = () => document.body.dataset.screen === (location.hash || "#/");

export const tellFault = (fault) => dispatchEvent(new CustomEvent("courier:fault", { detail: fault }));

// The press is seen before its work begins, which takes a cheap phone a while. A phone that is locked meanwhile draws
// nothing, and works all the same.
const painted = () =>
  new Promise((resolve) => {
    requestAnimationFrame(() => setTimeout(resolve));
    setTimeout(resolve, UNSEEN_MS);
  });

async function once(element, act) {
  if (element.getAttribute("aria-disabled") === "true") return;
  element.setAttribute("aria-disabled", "true");
  try {
    await painted();
    await act();
  } catch (fault) {
    tellFault(fault);
  } finally {
    const free = () => {
      element.removeAttribute("aria-disabled");
      dispatchEvent(new Event("courier:acted"));
    };
    // Whoever presses twice means the screen that he sees, not to do it again while the next one is read.
    if (isUp()) free();
    else addEventListener("courier:shown", free, { once: true });
  }
}

export function link(text, href, { kind = "row-link", symbol = null, ...attributes } = {}) {
  return make("a", { href, class: kind, ...attributes }, symbol && icon(symbol), make("span", {}, text));
}

// What needs the reader's eye: kind is info, good, warn or bad.
export function notice(kind, heading, text, ...actions) {
  return make(
    "section",
    { class: `notice ${kind}` },
    icon(kind),
    make("div", {}, make("h2", {}, heading), text && make("p", {}, text), ...actions),
  );
}

export function facts(rows) {
  const list = make("dl", { class: "facts-list" });
  for (const [name, value] of rows) {
    if (value === null || value === undefined || value === "") continue;
    list.append(make("div", {}, make("dt", {}, name), make("dd", {}, value)));
  }
  return list;
}

export const card = (...children) => make("section", { class: "card" }, ...children);

export function stepper(label, value, { least = 0, most = 99, onChange }) {
  const shown = make("output", { class: "count" }, String(value));
  const say_ = (key) => `${say(key)}: ${label}`;
  const step = (by) => {
    const next = Math.min(most, Math.max(least, Number(shown.textContent) + by));
    shown.textContent = String(next);
    onChange(next);
  };
  const press = (text, key, by) => {
    const element = make("button", { type: "button", class: "step", "aria-label": say_(key) }, text);
    element.addEventListener("click", () => step(by));
    return element;
  };
  return make(
    "div",
    { class: "stepper", role: "group", "aria-label": label },
    make("span", { class: "step-name" }, label),
    press("−", "less", -1),
    shown,
    press("+", "more_of", 1),
  );
}

// One of several, each a large target. `options` are [value, label, explanation].
export function choices(legend, name, options, chosen, onChoose) {
  const group = make("fieldset", { class: "choices" }, make("legend", {}, legend));
  for (const [value, label, hint] of options) {
    const input = make("input", { type: "radio", name, value });
    input.checked = value === chosen;
    input.addEventListener("change", () => onChoose(value));
    group.append(
      make(
        "label",
        { class: "choice" },
        input,
        make("span", {}, make("strong", {}, label), hint && make("small", {}, hint)),
      ),
    );
  }
  return group;
}

// One of which any number may be chosen. `name` and `more` are elements, `hint` is text.
export function tick(name, hint, checked, { onChange, more = null }) {
  const input = make("input", { type: "checkbox" });
  input.toggleAttribute("checked", checked); // so that it shows in what the screen is compared by
  input.addEventListener("change", () => onChange(input.checked));
  return make("label", { class: "choice" }, input, make("span", {}, name, make("small", {}, hint)), more);
}

export function field(label, { hint = null, value = "", onInput = () => {}, area = false, ...attributes } = {}) {
  const id = `f-${crypto.randomUUID().slice(0, 8)}`;
  const input = make(area ? "textarea" : "input", { id, autocomplete: "off", ...attributes });
  input.value = value;
  if (hint) input.setAttribute("aria-describedby", `${id}-hint`);
  input.addEventListener("input", () => onInput(input.value.trim()));
  const element = make(
    "div",
    { class: "field" },
    make("label", { for: id }, label),
    hint && make("p", { class: "hint", id: `${id}-hint` }, hint),
    input,
  );
  return Object.assign(element, { input });
}

// Marks a field as wrong and says why.
export function markWrong(element, text) {
  element.querySelector(".error")?.remove();
  element.classList.toggle("wrong", Boolean(text));
  element.input?.toggleAttribute("aria-invalid", Boolean(text));
  if (text) element.querySelector("label, legend").after(make("p", { class: "error", role: "alert" }, text));
}

// Asks; resolves with the value of the button pressed, null when it was left. A value may be asked for: false means that
// something is missing still, and the sheet stays.
export function ask(heading, content, buttons) {
  const dialog = make(
    "dialog",
    { class: "sheet", "aria-labelledby": "sheet-heading" },
    make("h2", { id: "sheet-heading" }, heading),
    ...[content].flat().map((one) => (typeof one === "string" ? make("p", {}, one) : one)),
  );
  return new Promise((resolve) => {
    const close = (value) => {
      dialog.close();
      dialog.remove();
      resolve(value);
    };
    const answer = async (value) => {
      const given = typeof value === "function" ? await value() : value;
      if (given !== false || given === value) close(given);
    };
    dialog.append(
      make(
        "div",
        { class: "sheet-actions" },
        ...buttons.map(([value, text, kind = "main-action"]) => button(text, () => answer(value), { kind })),
      ),
    );
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      close(null);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

// A short word above the foot, with at most one thing to do about it.
export function tell(text, { action = null, act = null, seconds = 6 } = {}) {
  const snack = find("#snack");
  const away = () => {
    snack.hidden = true;
  };
  clearTimeout(tell.timer);
  snack.replaceChildren(
    make("span", {}, text),
    ...(action
      ? [
          button(
            action,
            () => {
              away();
              return act();
            },
            { kind: "snack-action" },
          ),
        ]
      : []),
  );
  snack.dataset.on = location.hash;
  snack.hidden = false;
  tell.timer = setTimeout(away, seconds * 1000);
}

// Takes the word away, unless it was said on the way to `hash`: nothing may lie over a signature.
export function quiet(hash = null) {
  const snack = find("#snack");
  if (snack.dataset.on !== hash) snack.hidden = true;
}
