// In place of every screen while the app cannot be opened: mostly its database. Needs nothing that was to be opened.
import { make } from "../../dom.js";
import { isAble } from "../../device/store.js";
import { say } from "../../told.js";
import { notice } from "../parts.js";
import { next } from "../router.js";
import { openAgain } from "../shell.js";

const why = () => (isAble() ? ["unopened", "unopened_text"] : ["phone_unable", "phone_unable_text"]);

export const unopenedScreen = (fault) => () => ({
  title: say("unopened"),
  body: [
    notice("bad", ...why().map((key) => say(key))),
    make("p", { class: "soft" }, `${fault?.name}: ${fault?.message}`.split("\n")[0]), // a database says more below
  ],
  action: next(say("open_again"), openAgain),
});
