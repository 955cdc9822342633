// What lies under the stops: the round's line, and where the courier is with how sure the phone is of it.
import { dark } from "../../colours.js";
import { make } from "../../dom.js";
import { colours } from "../../ground.js";
import { say } from "../../told.js";

const WAY = dark ? "#7db8ff" : "#1a5fb4";
const UNDER = "hamlets"; // names stay readable
const CORNERS = 48;
const METRES_A_DEGREE = 111_195;

export function drawLine(map, line) {
  const layout = { "line-join": "round", "line-cap": "round" };
  map.addSource("sure", { type: "geojson", data: collection([]) });
  map.addLayer({ id: "sure", type: "fill", source: "sure", paint: { "fill-color": WAY, "fill-opacity": 0.16 } }, UNDER);
  if (!line) return;
  map.addSource("way", { type: "geojson", data: collection([line]) });
  map.addLayer(
    { id: "way-edge", type: "line", source: "way", layout, paint: { "line-color": colours.halo, "line-width": 9 } },
    UNDER,
  );
  map.addLayer(
    { id: "way", type: "line", source: "way", layout, paint: { "line-color": WAY, "line-width": 5 } },
    UNDER,
  );
  map.addImage("onward", tip(), { pixelRatio: 2 });
  map.addLayer(
    {
      id: "way-on",
      type: "symbol",
      source: "way",
      layout: {
        "symbol-placement": "line",
        "symbol-spacing": 70,
        "icon-image": "onward",
        "icon-allow-overlap": true,
        "icon-ignore-placement": true,
      },
    },
    UNDER,
  );
}

// Which way the line is ridden.
function tip() {
  const size = 32;
  const canvas = new OffscreenCanvas(size, size).getContext("2d");
  canvas.lineJoin = "round";
  canvas.lineWidth = 4;
  canvas.strokeStyle = colours.halo;
  canvas.fillStyle = WAY;
  canvas.beginPath();
  for (const [x, y] of [
    [5, 4],
    [28, 16],
    [5, 28],
  ])
    canvas.lineTo(x, y);
  canvas.closePath();
  canvas.stroke();
  canvas.fill();
  return canvas.getImageData(0, 0, size, size);
}

// The courier's own place; null takes it away.
export class Me {
  constructor(map, Marker) {
    this.map = map;
    this.element = make("div", { class: "map-me", role: "img" });
    this.marker = new Marker({ element: this.element });
  }

  show(me) {
    this.map.getSource("sure")?.setData(collection(me?.accuracy ? [around(me)] : []));
    if (!me) return void this.marker.remove();
    const metres = me.accuracy ? Math.round(me.accuracy) : null;
    this.element.setAttribute("aria-label", metres ? say("map_me_within", { metres }) : say("map_me"));
    this.marker.setLngLat([me.lon, me.lat]).addTo(this.map);
  }
}

function around({ lon, lat, accuracy }) {
  const north = accuracy / METRES_A_DEGREE;
  const east = north / Math.cos((lat * Math.PI) / 180);
  const ring = Array.from({ length: CORNERS + 1 }, (_, n) => {
    const turn = ((n % CORNERS) / CORNERS) * 2 * Math.PI;
    return [lon + east * Math.cos(turn), lat + north * Math.sin(turn)];
  });
  return { type: "Polygon", coordinates: [ring] };
}

const collection = (shapes) => ({
  type: "FeatureCollection",
  features: shapes.map((geometry) => ({ type: "Feature", geometry, properties: {} })),
});
