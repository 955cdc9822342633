// The line at the top of a page: what just happened, or what went wrong with a way to try again.
import { find, make, show } from "./dom.js";
import { say } from "./told.js";

export const message = {
  element: find("#message"),
  tell(text, { bad = false, good = false, again = null } = {}) {
    this.element.classList.toggle("bad", bad);
    this.element.classList.toggle("good", good);
    this.element.replaceChildren(text);
    if (again) {
      const button = make("button", { type: "button", class: "plain" }, say("try_again"));
      button.addEventListener("click", again);
      this.element.append(button);
    }
    show(this.element, true);
    if (bad) this.element.scrollIntoView({ block: "nearest" });
  },
  clear() {
    show(this.element, false);
  },
};
