// The camera inside a screen: reads codes by itself, takes the photo, and where there is no camera takes a file.
import { make } from "../../dom.js";
import { say } from "../../told.js";
import { watchCodes } from "../camera/codes.js";
import { openCamera } from "../camera/frames.js";
import { Undecodable, shrink } from "../camera/photos.js";
import { button, icon, tellFault } from "../parts.js";

// {element, start(), stop(), shutter}: `onCode(text)` is told each code, `onPhoto(bytes)` each photo; either may be left out.
export function viewfinder({ label, onCode = null, onPhoto = null, shutterText = null }) {
  const video = make("video", { playsinline: "", muted: "", "aria-label": label });
  video.muted = true;
  const word = make("p", { class: "finder-word", role: "status" });
  const lamp = button(say("lamp"), () => light(), { kind: "finder-lamp", symbol: "lamp", hidden: "" });
  const shutter = onPhoto && button(shutterText, () => take(), { kind: "main-action wide", symbol: "camera" });
  const file = onPhoto && fileInput((blob) => use(blob), say("photo_from_phone"));
  const element = make("div", { class: "finder" }, make("div", { class: "frame" }, video, lamp), word, file?.label);
  let ended = null;
  let camera = null;
  let lit = false;
  let blind = false;

  async function start() {
    if (ended && !ended.signal.aborted) return;
    const mine = (ended = new AbortController());
    try {
      camera = await openCamera(video);
    } catch (fault) {
      element.classList.add("blind");
      word.textContent = say(`camera_${["denied", "busy"].includes(fault.code) ? fault.code : "none"}`);
      if (shutter) byFile();
      return;
    }
    if (mine.signal.aborted) {
      camera.stop();
      return;
    }
    lamp.hidden = !camera.canTorch;
    if (onCode) watchCodes(camera, { onCode: ({ text }) => onCode(text), signal: mine.signal }).catch(tellFault);
  }

  function stop() {
    ended?.abort();
    camera?.stop();
  }

  async function light() {
    lit = !lit;
    await camera.torch(lit);
  }

  // The large button leads to a photo all the same: by the phone's own camera.
  function byFile() {
    shutter.querySelector("span").textContent = say("photo_from_phone");
    file.label.hidden = true;
    blind = true;
  }

  async function take() {
    if (blind) file.input.click();
    else if (camera) await use(await camera.still()); // it may still be opening
  }

  async function use(blob) {
    try {
      const { bytes } = await shrink(blob);
      word.textContent = "";
      word.classList.remove("error");
      await onPhoto(bytes);
    } catch (fault) {
      if (!(fault instanceof Undecodable)) throw fault;
      word.textContent = say("photo_broken");
      word.classList.add("error");
    }
  }

  return {
    element,
    start,
    stop,
    shutter,
    say: (text, kind = "") => {
      word.textContent = text;
      word.className = `finder-word ${kind}`;
    },
  };
}

function fileInput(onFile, text) {
  const input = make("input", { type: "file", accept: "image/*", capture: "environment", class: "unseen" });
  input.addEventListener("change", () => {
    const [blob] = input.files;
    input.value = "";
    if (blob) onFile(blob).catch(tellFault);
  });
  return { input, label: make("label", { class: "file" }, icon("photo"), make("span", {}, text), input) };
}

// A picture of bytes that are kept on the phone.
export function picture(bytes, alt) {
  const address = URL.createObjectURL(new Blob([bytes], { type: "image/jpeg" }));
  const image = make("img", { src: address, alt, class: "taken" });
  image.addEventListener("load", () => URL.revokeObjectURL(address));
  return image;
}

// One code by itself, over everything: resolves with its text, or null when it was left.
export function scan(heading, hint) {
  return over(heading, hint, (close) => viewfinder({ label: heading, onCode: close }));
}

// One photo by itself: resolves with its bytes, or null.
export function takePhoto(heading) {
  return over(heading, null, (close) => viewfinder({ label: heading, shutterText: say("take_photo"), onPhoto: close }));
}

const REPEAT_MS = 2_000; // a code that lies before the camera is not said again and again

// Many codes, one after the other, before one camera that stays open: ends by itself with true when nothing is left to
// find, with null when it was left.
//   left          what is looked for, as it stands at the beginning
//   judge(text)   {good, word, left}: what to say of a code, and what is looked for then
export function scanMany(heading, { left, judge }) {
  const list = make("div", { class: "finder-left" });
  const show = (names) =>
    list.replaceChildren(
      make("strong", {}, say("scan_left", { n: names.length })),
      make("ul", {}, ...names.map((name) => make("li", { class: "code" }, name))),
    );
  const told = new Map(); // text -> when it was said
  show(left);
  return over(
    heading,
    null,
    (close) => {
      const finder = viewfinder({
        label: heading,
        onCode: async (text) => {
          if (performance.now() - (told.get(text) ?? -Infinity) < REPEAT_MS) return;
          told.set(text, performance.now());
          const { good, word, left: still } = await judge(text);
          const kind = good ? "good" : "bad";
          finder.say(word, kind);
          show(still);
          if (!still.length) close(true);
        },
      });
      return finder;
    },
    { leave: say("scan_end"), below: list },
  );
}

function over(heading, hint, open, { leave = say("go_back"), below = null } = {}) {
  return new Promise((resolve) => {
    const close = (found) => {
      finder.stop();
      dialog.close();
      dialog.remove();
      resolve(found);
    };
    const finder = open(close);
    const dialog = make(
      "dialog",
      { class: "sheet scanning", "aria-label": heading },
      make("h2", {}, heading),
      hint && make("p", {}, hint),
      finder.element,
      finder.shutter,
      below,
      button(leave, () => close(null), { kind: "plain" }),
    );
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      close(null);
    });
    document.body.append(dialog);
    dialog.showModal();
    finder.start();
  });
}
