// The stops on the map as buttons: a finger, a keyboard and a screen reader find each of them. A pickup is square with a
// tip upwards, a delivery round with a tip downwards.
import { make } from "../../dom.js";
import { fromTo } from "../../format.js";
import { say } from "../../told.js";

const SAME_PLACE = 5; // decimals: about a metre
const APART_PX = 36; // doors of one house stand side by side
const IN_A_ROW = 3;

export const isOpen = (state) => state === "pending" || state === "arrived";
const isVain = (state) => state === "failed" || state === "cancelled";
export const signOf = ({ stop, state }) => `${stop.position}${isOpen(state) ? "" : isVain(state) ? "✕" : "✓"}`;

// All that a mark shows, in words: which stop, for what, whose, where, and how it stands.
export function wordsOf({ stop, state }, isNext) {
  const { job } = stop;
  const stands = [
    job.window_start && isOpen(state) ? say("map_window", { times: fromTo(job.window_start, job.window_end) }) : null,
    isNext ? say("map_next") : null,
    isOpen(state) ? null : say(isVain(state) ? "map_failed" : "map_done"),
  ];
  return [
    say("map_stop", { n: stop.position }),
    say(job.kind),
    job.contact_name,
    job.address,
    stands.filter(Boolean).join(", "),
  ];
}

export class Stops {
  constructor(map, Marker, onStop) {
    Object.assign(this, { map, Marker, onStop, drawn: new Map(), order: "" });
  }

  show(stops, next) {
    const order = stops.map(({ stop }) => `${stop.id} ${stop.position} ${placeOf(stop)}`).join();
    if (order !== this.order) this.#put(stops);
    this.order = order;
    for (const one of stops) dress(this.drawn.get(one.stop.id).getElement(), one, one.stop.id === next?.stop.id);
  }

  // In the order in which they are ridden to: so they are tabbed through.
  #put(stops) {
    for (const marker of this.drawn.values()) marker.remove();
    this.drawn.clear();
    const met = new Map();
    for (const { stop } of stops) {
      const n = met.get(placeOf(stop)) ?? 0;
      met.set(placeOf(stop), n + 1);
      const element = make("button", { type: "button" }, make("span", { class: "face", "aria-hidden": "true" }));
      element.addEventListener("click", (event) => {
        event.stopPropagation();
        this.onStop(stop.id);
      });
      const offset = [(n % IN_A_ROW) * APART_PX, Math.floor(n / IN_A_ROW) * APART_PX];
      const { lon, lat } = stop.job.point;
      this.drawn.set(stop.id, new this.Marker({ element, offset }).setLngLat([lon, lat]).addTo(this.map));
    }
  }
}

const placeOf = ({ job: { point } }) => `${point.lon.toFixed(SAME_PLACE)} ${point.lat.toFixed(SAME_PLACE)}`;

function dress(element, one, isNext) {
  element.classList.add("map-stop");
  element.classList.remove("pickup", "delivery", "over", "next");
  element.classList.add(one.stop.job.kind, ...(isOpen(one.state) ? [] : ["over"]), ...(isNext ? ["next"] : []));
  element.setAttribute("aria-label", wordsOf(one, isNext).filter(Boolean).join(", "));
  element.setAttribute("aria-current", isNext ? "step" : "false");
  element.firstElementChild.textContent = signOf(one);
}
