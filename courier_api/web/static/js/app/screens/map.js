// The map of the round, with the list's own buttons beneath it; it is loaded when it is first looked at.
import { make } from "../../dom.js";
import { say } from "../../told.js";
import { icon } from "../parts.js";
import { isOpen } from "../phone.js";
import { go } from "../router.js";

export const mapScreen = (phone) => async (stopId) => {
  const day = phone.current;
  const box = make("div", { class: "map-box" });
  const ahead = () => {
    const open = phone.current?.stops.filter(({ state }) => isOpen(state)) ?? [];
    return open.find(({ stop }) => stop.id === stopId) ?? open[0] ?? null;
  };
  const first = ahead();
  let map = null;
  let gone = false;
  const follow = () => map?.update({ stops: phone.current?.stops ?? [], next: ahead(), me: phone.place });
  return {
    title: say("tab_map"),
    tabs: true,
    body: [
      day ? box : make("p", { class: "lead" }, say("no_round")),
      first
        ? make(
            "a",
            { href: `#/stop/${first.stop.id}`, class: "map-next" },
            make(
              "span",
              {},
              make("strong", {}, `${first.stop.position}. ${first.stop.job.contact_name}`),
              make("small", {}, first.stop.job.address),
            ),
            icon("next"),
          )
        : null,
    ],
    arrive: async () => {
      if (!day) return;
      const { showMap } = await import("../map/view.js");
      if (gone) return;
      map = showMap(box, {
        round: day.round,
        stops: day.stops,
        next: first,
        me: phone.place,
        onStop: (id) => go(`#/stop/${id}`),
      });
      phone.addEventListener("change", follow);
      phone.addEventListener("place", follow);
    },
    leave: () => {
      gone = true;
      phone.removeEventListener("change", follow);
      phone.removeEventListener("place", follow);
      map?.remove();
    },
  };
};
