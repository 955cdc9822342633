// The round on the map, with large buttons; where no map can be drawn, the same stops as a list.
import { make } from "../../dom.js";
import { drawGround } from "../../ground.js";
import { say, told } from "../../told.js";
import { keptTiles, template } from "./kept.js";
import { drawLine, Me } from "./layers.js";
import { isOpen, signOf, Stops, wordsOf } from "./markers.js";

const AROUND = { top: 44, right: 72, bottom: 44, left: 44 }; // a stop's mark at the edge, and the buttons of the zoom
const NEAR = 14.5; // the deepest zoom of the tiles, and landmarks around a door
const LATE_MS = 6_000; // so long the ground may take before something is said
const FARTHEST = 8; // no tiles are kept for farther ones

// `stops` as the fold gives them, `next` one of them or null, `me` {lon, lat, accuracy} or null; onStop is told a stop's id.
export function showMap(container, { round, stops, next = null, me = null, onStop }) {
  const shown = { stops, next, me };
  const view = new View(container, round, onStop);
  view.draw(shown);
  return {
    update: (news) => view.draw(Object.assign(shown, news)),
    remove: () => view.remove(),
  };
}

// The library's own stylesheet, once: the first screen does without it.
function styled(href) {
  if (document.querySelector(`link[href="${href}"]`)) return undefined;
  return new Promise((resolve) => {
    const sheet = make("link", { rel: "stylesheet", href });
    for (const end of ["load", "error"]) sheet.addEventListener(end, resolve); // a plain map is better than none
    document.head.append(sheet);
  });
}

class View {
  constructor(container, round, onStop) {
    Object.assign(this, {
      container,
      round,
      onStop,
      map: null,
      shown: null,
      plain: false,
      ending: new AbortController(),
    });
    this.canvas = make("div", { class: "canvas" });
    this.note = make("p", { class: "map-note", role: "status" }, say("map_loading"));
    container.classList.add("round-map");
    container.classList.remove("as-list");
    container.setAttribute("role", "region");
    container.replaceChildren(this.#buttons(), this.note, this.canvas, legend());
    this.#open().catch((fault) => !this.ending.signal.aborted && this.#fallBack(fault));
  }

  async #open() {
    await Promise.all([keptTiles(), styled(told.maplibre_css)]);
    const { Marker } = await import(told.maplibre);
    const { signal } = this.ending;
    const map = await drawGround(this.canvas, {
      bounds: boundsOf(this.round, this.shown.stops) ?? told.bounds,
      padding: AROUND,
      maxFit: NEAR,
      minZoom: FARTHEST,
      tiles: template(),
      signal,
    });
    drawLine(map, this.round.line);
    Object.assign(this, { map, stops: new Stops(map, Marker, this.onStop), me: new Me(map, Marker) });
    this.draw(this.shown);
    this.#watchGround();
  }

  // Stops and line are right even where there is nothing beneath them: no tiles are kept and there is no network.
  #watchGround() {
    const tell = (isThere) => {
      this.note.textContent = isThere ? "" : say("map_bare");
    };
    const late = setTimeout(() => tell(false), LATE_MS);
    this.ending.signal.addEventListener("abort", () => clearTimeout(late));
    this.note.textContent = "";
    this.map.on("idle", () => {
      clearTimeout(late);
      tell(this.map.queryRenderedFeatures({ layers: ["land"] }).length > 0);
    });
  }

  draw(shown) {
    this.shown = shown;
    const { stops, next, me } = shown;
    const open = stops.filter(({ state }) => isOpen(state)).length;
    this.container.setAttribute(
      "aria-label",
      next ? say("map_of_next", { open, n: next.stop.position }) : say("map_of", { open }),
    );
    able(this.toNext, next);
    able(this.toMe, me);
    if (this.plain) this.#list();
    this.stops?.show(stops, next);
    this.me?.show(me);
  }

  remove() {
    this.ending.abort();
    this.container.replaceChildren();
    for (const name of ["role", "aria-label"]) this.container.removeAttribute(name);
  }

  #buttons() {
    this.toAll = make("button", { type: "button" }, say("map_all"));
    this.toNext = make("button", { type: "button" }, say("map_to_next"));
    this.toMe = make("button", { type: "button" }, say("map_to_me"));
    this.toAll.addEventListener("click", () => {
      const bounds = boundsOf(this.round, this.shown.stops);
      if (bounds) this.map?.fitBounds(bounds, { padding: AROUND, maxZoom: NEAR });
    });
    this.toNext.addEventListener("click", () => this.#look(this.shown.next?.stop.job.point));
    this.toMe.addEventListener("click", () => this.#look(this.shown.me));
    this.buttons = make("div", { class: "map-buttons" }, this.toAll, this.toNext, this.toMe);
    return this.buttons;
  }

  #look(place) {
    if (place) this.map?.easeTo({ center: [place.lon, place.lat], zoom: Math.max(this.map.getZoom(), NEAR) });
  }

  // No WebGL, or the map's script is not on the phone: nothing that a courier needs hangs on it.
  #fallBack(fault) {
    console.warn(fault);
    this.plain = true;
    this.container.classList.add("as-list");
    this.note.textContent = say(isUnable() ? "map_unable" : "map_not_here");
    this.buttons.remove();
    this.canvas.remove();
    this.#list();
  }

  #list() {
    const { stops, next } = this.shown;
    const rows = stops.map((one) => {
      const isNext = one.stop.id === next?.stop.id;
      const [which, kind, name, address, stands] = wordsOf(one, isNext);
      const row = make(
        "button",
        { type: "button", class: isNext ? "next" : null },
        make("b", { "aria-hidden": "true" }, signOf(one)),
        make(
          "span",
          {},
          make("span", { class: "unseen" }, `${which}, `),
          `${kind} · ${name}`,
          make("small", {}, address),
          make("small", {}, stands),
        ),
      );
      row.addEventListener("click", () => this.onStop(one.stop.id));
      return make("li", {}, row);
    });
    this.container.replaceChildren(this.note, make("ol", { class: "map-list" }, ...rows));
  }
}

function legend() {
  const invented = [told.synthetic ? say("synthetic") : null, told.approximate ? say("approximate") : null].filter(
    Boolean,
  );
  return make(
    "p",
    { class: "map-legend" },
    make("span", { class: "key pickup" }, say("pickup")),
    make("span", { class: "key delivery" }, say("delivery")),
    invented.length ? make("span", {}, `${invented.join(". ")}.`) : null,
  );
}

function able(button, able_) {
  button.setAttribute("aria-disabled", String(!able_));
}

const isUnable = () => !document.createElement("canvas").getContext("webgl2");

function boundsOf({ line, office }, stops) {
  const places = [...stops.map(({ stop }) => stop.job.point), ...(office?.point ? [office.point] : [])]
    .map(({ lon, lat }) => [lon, lat])
    .concat(line?.coordinates ?? []);
  if (places.length === 0) return null;
  const [lons, lats] = [places.map(([lon]) => lon), places.map(([, lat]) => lat)];
  const [least, most] = [Math.min, Math.max].map((pick) =>
    [lons, lats].map((values) => values.reduce((a, b) => pick(a, b))),
  );
  return [...least, ...most];
}
