// A QR code for another phone to scan, drawn as sharply as the screen can.
import { make } from "../dom.js";
import { told } from "../told.js";

const DOT = 4;

export async function codePicture(text, label) {
  const { default: encodeQR } = await import(told.qr_encode);
  const rows = encodeQR(text, "raw", { ecc: "low", border: 4 });
  const canvas = make("canvas", { class: "code-picture", role: "img", "aria-label": label });
  [canvas.width, canvas.height] = [rows[0].length * DOT, rows.length * DOT];
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.fillStyle = "#000";
  rows.forEach((row, y) => row.forEach((on, x) => on && pen.fillRect(x * DOT, y * DOT, DOT, DOT)));
  return make("div", { class: "code-box" }, canvas);
}
