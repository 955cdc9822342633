// The map of the ground in two lights; letters are drawn with the page's own font, so no font server is asked.
import { dark } from "./colours.js";
import { say, told } from "./told.js";

const LIGHT = {
  beyond: "#e9e5da",
  land: "#f7f4ec",
  border: "#cfc7b4",
  name: "#5d574a",
  halo: "#fffdf8",
  lane: "#e3dccb",
  road: "#d8cfb9",
  main: "#cfc1a0",
  mainEdge: "#b7a679",
  hamlet: "#7d7768",
  office: "#ffc20e",
  officeEdge: "#1b2430",
  unit: "#fffdf8",
  text: "#1b2430",
};
const DARK = {
  beyond: "#0f1317",
  land: "#1a2027",
  border: "#3a434d",
  name: "#a9b0b8",
  halo: "#14181d",
  lane: "#28303a",
  road: "#333d48",
  main: "#4a5562",
  mainEdge: "#5d6a78",
  hamlet: "#8d959e",
  office: "#ffc20e",
  officeEdge: "#14181d",
  unit: "#aab2bc",
  text: "#eceae4",
};
export const MARGIN = { top: 28, right: 28, bottom: 72, left: 28 }; // below stands the notice
export const FONT = ["Be Vietnam Pro"];
const MAIN = ["motorway", "trunk", "primary"];
const MIDDLE = ["secondary", "tertiary", "motorway_link", "trunk_link", "primary_link"];

export const colours = dark ? DARK : LIGHT;

// Where to look first, and which tiles to draw from; a map that `signal` ends before it is there takes no more memory.
export async function drawGround(
  container,
  {
    bounds = told.bounds,
    padding = MARGIN,
    maxFit = 17,
    minZoom = 4,
    tiles = location.origin + told.tiles,
    signal = null,
  } = {},
) {
  const { Map, NavigationControl } = await import(told.maplibre);
  // The parts of the font that hold Vietnamese letters must be there before the first one is drawn.
  await Promise.allSettled([document.fonts.load("400 24px 'Be Vietnam Pro'", "aĂăĐđƠơƯưạễĨũ")]);
  signal?.throwIfAborted();
  const map = new Map({
    container,
    style: style(tiles),
    bounds: bounds ?? [102, 8, 110, 23.5],
    fitBoundsOptions: { padding, maxZoom: maxFit },
    maxZoom: 17,
    minZoom,
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    fadeDuration: 0,
    locale: {
      "Map.Title": say("map_title"),
      "NavigationControl.ZoomIn": say("zoom_in"),
      "NavigationControl.ZoomOut": say("zoom_out"),
    },
  });
  signal?.addEventListener("abort", () => map.remove());
  map.touchZoomRotate.disableRotation();
  map.addControl(new NavigationControl({ showCompass: false }), "top-right");
  await map.once("style.load"); // tiles come when they come; only a device without WebGL gets no map
  drawOffices(map);
  tellView(map);
  return map;
}

function style(tiles) {
  const c = colours;
  return {
    version: 8,
    sources: {
      ground: {
        type: "vector",
        tiles: [tiles],
        minzoom: 4,
        maxzoom: 14,
        ...(told.bounds && { bounds: told.bounds }),
      },
    },
    layers: [
      { id: "beyond", type: "background", paint: { "background-color": c.beyond } },
      layer("land", "fill", "communes", { "fill-color": c.land }),
      layer(
        "lanes",
        "line",
        "roads",
        { "line-color": c.lane, "line-width": width(0.5, 1, 6) },
        { filter: ["!", ["in", ["get", "class"], ["literal", [...MAIN, ...MIDDLE]]]] },
      ),
      layer(
        "roads",
        "line",
        "roads",
        { "line-color": c.road, "line-width": width(0.6, 1.6, 9) },
        { filter: ["in", ["get", "class"], ["literal", MIDDLE]] },
      ),
      layer(
        "main-edges",
        "line",
        "roads",
        { "line-color": c.mainEdge, "line-width": width(1.4, 3.4, 14) },
        { filter: ["in", ["get", "class"], ["literal", MAIN]] },
      ),
      layer(
        "mains",
        "line",
        "roads",
        { "line-color": c.main, "line-width": width(0.8, 2.4, 11) },
        { filter: ["in", ["get", "class"], ["literal", MAIN]] },
      ),
      layer("borders", "line", "communes", { "line-color": c.border, "line-width": 1, "line-dasharray": [4, 2] }),
      layer("hamlets", "symbol", "hamlets", text(c.hamlet), { minzoom: 12.5, layout: label(11.5) }),
      layer("commune-names", "symbol", "commune_names", text(c.name), {
        minzoom: 8.5,
        layout: {
          ...label(12.5),
          ...aboveUnits(),
          "symbol-sort-key": ["-", 0, ["get", "population"]],
          "text-max-width": 7,
        },
      }),
      layer(
        "units",
        "circle",
        "service_points",
        {
          "circle-radius": 4.5,
          "circle-color": c.unit,
          "circle-stroke-color": c.officeEdge,
          "circle-stroke-width": 1.5,
        },
        { filter: ["==", ["get", "kind"], "one_stop_unit"], minzoom: 11 },
      ),
    ],
  };
}

// Offices are symbols, so that other names make room for them.
function drawOffices(map) {
  map.addImage("office", disc(colours.office, colours.officeEdge), { pixelRatio: 2 });
  map.addLayer(
    layer("offices", "symbol", "service_points", text(colours.text), {
      filter: ["==", ["get", "kind"], "post_office"],
      layout: {
        ...label(12.5),
        "text-field": ["step", ["zoom"], "", 10.5, ["get", "name"]],
        "text-offset": [0, 0.9],
        "text-anchor": "top",
        "text-optional": true,
        "icon-image": "office",
        "icon-size": ["interpolate", ["linear"], ["zoom"], 8, 0.65, 12, 1],
        "icon-allow-overlap": true,
      },
    }),
  );
}

// What the map shows stands on its element once it is at rest, for whoever looks from outside.
function tellView(map) {
  const { dataset } = map.getContainer();
  const busy = () => delete dataset.view;
  map.on("movestart", busy);
  map.on("dataloading", busy);
  map.on("idle", () => {
    const { lng, lat } = map.getCenter();
    dataset.view = [lng, lat, map.getZoom()].join(" ");
  });
}

function disc(colour, edge) {
  const size = 40;
  const canvas = new OffscreenCanvas(size, size).getContext("2d");
  canvas.arc(size / 2, size / 2, size / 2 - 4, 0, 2 * Math.PI);
  canvas.fillStyle = colour;
  canvas.fill();
  canvas.lineWidth = 5;
  canvas.strokeStyle = edge;
  canvas.stroke();
  return canvas.getImageData(0, 0, size, size);
}

// A one-stop unit's position is the middle of its commune, where the commune's name would stand.
function aboveUnits() {
  return {
    "text-anchor": ["step", ["zoom"], "center", 11, "bottom"],
    "text-offset": ["step", ["zoom"], ["literal", [0, 0]], 11, ["literal", [0, -0.5]]],
  };
}

function layer(id, type, from, paint, more = {}) {
  return { id, type, source: "ground", "source-layer": from, paint, ...more };
}

function width(far, middle, near) {
  return ["interpolate", ["exponential", 1.6], ["zoom"], 7, far, 12, middle, 17, near];
}

function text(colour) {
  return { "text-color": colour, "text-halo-color": colours.halo, "text-halo-width": 1.6 };
}

function label(size) {
  return { "text-field": ["get", "name"], "text-font": FONT, "text-size": size };
}
