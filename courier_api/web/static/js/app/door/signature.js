// A signature by hand: strokes with time and pressure, not only a picture. signature_pad draws, we keep its points.
import { make } from "../../dom.js";
import { say, told } from "../../told.js";
import { button } from "../parts.js";

const MOST_POINTS = 4_000;
const EDGE = 4; // the pen is that wide

// {element, clear()}; `onChange(strokes or null)` with each stroke that ends.
export async function signaturePad({ label, strokes = null, onChange }) {
  const { default: SignaturePad } = await import(told.signature_pad);
  const canvas = make("canvas", { class: "pad", role: "img", "aria-label": label });
  const hint = make("span", { class: "pad-hint", "aria-hidden": "true" }, say("sign_here"));
  const element = make(
    "div",
    { class: "pad-box" },
    canvas,
    hint,
    button(say("sign_again"), () => clear(), { kind: "plain pad-clear" }),
  );
  const pad = new SignaturePad(canvas, {
    minWidth: 1,
    maxWidth: 2.6,
    penColor: "#101820",
    throttle: 8,
    minDistance: 2,
  });
  let signed = strokes ? asDrawn(strokes) : []; // as it was written: each fit starts from it, so that turning to and fro takes nothing away
  let writing = false; // not a stroke is taken from beneath the pen: the box is fitted when it is lifted
  hint.hidden = signed.length > 0;

  function clear() {
    pad.clear();
    signed = [];
    hint.hidden = false;
    onChange(null);
  }

  // The bitmap has the size of the screen's own dots; what was signed is drawn again, smaller where the box has become so.
  function fit() {
    const { width, height } = canvas.getBoundingClientRect();
    if (!width || writing) return;
    const { dots, ...size } = dotsOf(canvas);
    Object.assign(canvas, size);
    canvas.getContext("2d").scale(dots, dots);
    if (signed.length) pad.fromData(within(signed, width - EDGE, height - EDGE));
    else pad.clear();
  }

  pad.addEventListener("beginStroke", () => {
    writing = hint.hidden = true;
  });
  pad.addEventListener("endStroke", () => {
    writing = false;
    signed = [...pad.toData()];
    const { width, height } = dotsOf(canvas);
    if (canvas.width !== width || canvas.height !== height) fit();
    onChange(strokesOf(signed));
  });
  new ResizeObserver(fit).observe(canvas);
  return { element, clear };
}

function dotsOf(canvas) {
  const dots = Math.max(1, devicePixelRatio || 1);
  const { width, height } = canvas.getBoundingClientRect();
  return { dots, width: Math.floor(width * dots), height: Math.floor(height * dots) };
}

// The same drawing, made so small that nothing of it is cut.
export function within(groups, width, height) {
  const points = groups.flatMap((group) => group.points);
  const scale = Math.min(
    1,
    ...points.map(({ x, y }) => Math.min(width / Math.max(x, width), height / Math.max(y, height))),
  );
  return groups.map((group) => ({
    ...group,
    points: group.points.map((point) => ({ ...point, x: point.x * scale, y: point.y * scale })),
  }));
}

// Points [x, y, milliseconds since the first, pressure in per cent], integers; a very long one is thinned.
export function strokesOf(groups) {
  const [first] = groups.flatMap(({ points }) => points);
  if (!first) return null;
  const all = groups.reduce((sum, { points }) => sum + points.length, 0);
  const every = Math.ceil(all / MOST_POINTS);
  return groups.map(({ points }) =>
    points
      .filter((_, n) => n % every === 0 || n === points.length - 1)
      .map(({ x, y, time, pressure }) => [
        Math.round(x),
        Math.round(y),
        Math.max(0, Math.round(time - first.time)),
        Math.round(100 * (pressure || 0)),
      ]),
  );
}

function asDrawn(strokes) {
  return strokes.map((points) => ({
    minWidth: 1,
    maxWidth: 2.6,
    dotSize: 0,
    penColor: "#101820",
    velocityFilterWeight: 0.7,
    compositeOperation: "source-over",
    points: points.map(([x, y, time, pressure]) => ({ x, y, time, pressure: pressure / 100 })),
  }));
}

export const isSigned = (strokes) => Boolean(strokes?.some((points) => points.length > 0));
