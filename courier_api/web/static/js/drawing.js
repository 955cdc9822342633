// Rounds on the map: a line each, the chosen one in front with its stops numbered.
import { figures } from "./colours.js";
import { colours, FONT, MARGIN } from "./ground.js";
import { told } from "./told.js";

const EMPTY = { type: "FeatureCollection", features: [] };

export class Drawing {
  constructor(map, choose) {
    this.map = map;
    this.rounds = [];
    map.addSource("rounds", { type: "geojson", data: EMPTY });
    map.addSource("chosen", { type: "geojson", data: EMPTY });
    map.addSource("stops", { type: "geojson", data: EMPTY });
    const round = { "line-join": "round", "line-cap": "round" };
    const under = "hamlets"; // names stay readable
    map.addLayer(
      {
        id: "round-edges",
        type: "line",
        source: "rounds",
        layout: round,
        paint: { "line-color": colours.halo, "line-width": 5.5, "line-opacity": 0.9 },
      },
      under,
    );
    map.addLayer(
      {
        id: "round-lines",
        type: "line",
        source: "rounds",
        layout: round,
        paint: { "line-color": ["get", "colour"], "line-width": 3 },
      },
      under,
    );
    map.addLayer(
      {
        id: "chosen-edge",
        type: "line",
        source: "chosen",
        layout: round,
        paint: { "line-color": colours.halo, "line-width": 9 },
      },
      under,
    );
    map.addLayer(
      {
        id: "chosen-line",
        type: "line",
        source: "chosen",
        layout: round,
        paint: { "line-color": ["get", "colour"], "line-width": 5 },
      },
      under,
    );
    map.addLayer({
      id: "stop-dots",
      type: "circle",
      source: "stops",
      paint: {
        "circle-radius": ["case", ["get", "near"], 17, 13],
        "circle-color": ["get", "colour"],
        "circle-stroke-color": figures,
        "circle-stroke-width": ["case", ["get", "near"], 4, 2],
      },
    });
    map.addLayer({
      id: "stop-numbers",
      type: "symbol",
      source: "stops",
      layout: {
        "text-field": ["get", "number"],
        "text-font": FONT,
        "text-size": 13.5,
        "text-allow-overlap": true,
        "text-ignore-placement": true,
      },
      paint: { "text-color": figures },
    });
    map.on("click", (event) => {
      const { x, y } = event.point;
      const reach = [
        [x - 8, y - 8],
        [x + 8, y + 8],
      ];
      const [hit] = map.queryRenderedFeatures(reach, { layers: ["round-lines"] });
      if (hit) choose(hit.properties.id);
    });
    map.on("mousemove", "round-lines", () => {
      map.getCanvas().style.cursor = "pointer";
    });
    map.on("mouseleave", "round-lines", () => {
      map.getCanvas().style.cursor = "";
    });
  }

  show(rounds) {
    this.rounds = rounds;
    this.map.getSource("rounds").setData(collection(rounds.filter((r) => r.geometry).map(line)));
  }

  choose(round, stops) {
    this.stops = stops;
    this.round = round;
    this.near = null;
    this.map.getSource("chosen").setData(collection(round.geometry ? [line(round)] : []));
    this.#drawStops();
    this.#fade(true);
    const { lon, lat } = round.office.point;
    this.look([[lon, lat], ...(round.geometry?.coordinates ?? []), ...stops.map(place)]);
  }

  point(stop) {
    this.near = stop.id;
    this.#drawStops();
    this.map.flyTo({ center: place(stop), zoom: Math.max(this.map.getZoom(), 14.5) });
  }

  clear() {
    this.map.getSource("chosen").setData(EMPTY);
    this.map.getSource("stops").setData(EMPTY);
    this.#fade(false);
  }

  everything() {
    if (told.bounds) this.map.fitBounds(told.bounds, { padding: MARGIN });
  }

  look(places) {
    if (places.length === 0) return;
    const lons = places.map(([lon]) => lon);
    const lats = places.map(([, lat]) => lat);
    this.map.fitBounds([Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)], {
      padding: { top: 56, right: 72, bottom: 96, left: 56 },
      maxZoom: 15,
    });
  }

  #drawStops() {
    const { colour } = this.round;
    this.map.getSource("stops").setData(
      collection(
        this.stops.map((stop) => ({
          type: "Feature",
          geometry: { type: "Point", coordinates: place(stop) },
          properties: { number: String(stop.position), colour, near: stop.id === this.near },
        })),
      ),
    );
  }

  #fade(away) {
    this.map.setPaintProperty("round-lines", "line-opacity", away ? 0.18 : 1);
    this.map.setPaintProperty("round-edges", "line-opacity", away ? 0 : 0.9);
  }
}

const place = (stop) => [stop.job.point.lon, stop.job.point.lat];
const collection = (features) => ({ type: "FeatureCollection", features });
const line = (round) => ({
  type: "Feature",
  geometry: round.geometry,
  properties: { id: round.id, colour: round.colour },
});
