// Finds the code in a photo or before the camera and gives its text.
import { told } from "../told.js";

const LONGEST = 4096; // the decoder takes no longer side
const BETWEEN_FRAMES_MS = 80;
// What a photo is tried as, [longest side, degrees, enlarged]: a code askew or small shows in another drawing.
const DRAWINGS = [
  [1600, 0, 1],
  [1600, 25, 1],
  [2000, 0, 2],
  [LONGEST, 0, 1],
  [2000, 17, 1.5],
];

const decoder = () => import(told.qr);
const pause = (ms) =>
  new Promise((go) => {
    setTimeout(go, ms);
  });

// The text of the code, or null where none can be read.
export async function readPhoto(file) {
  const { decodeQR } = await decoder();
  const picture = await open(file);
  const canvas = document.createElement("canvas");
  for (const [longest, degrees, enlarged] of DRAWINGS) {
    await pause(0); // lets the page say that it is reading
    const image = draw(canvas, picture, longest, degrees, enlarged);
    try {
      return decodeQR(image);
    } catch {
      // no code in this drawing
    }
  }
  return null;
}

async function open(file) {
  const picture = new Image();
  picture.src = URL.createObjectURL(file);
  try {
    await picture.decode();
  } finally {
    URL.revokeObjectURL(picture.src);
  }
  return picture;
}

function draw(canvas, picture, longest, degrees, enlarged) {
  const { naturalWidth: width, naturalHeight: height } = picture;
  const angle = (degrees * Math.PI) / 180;
  const [sin, cos] = [Math.sin(angle), Math.cos(angle)];
  const [wide, high] = [width * cos + height * sin, width * sin + height * cos];
  const fit = Math.min(1, longest / Math.max(width, height)) * enlarged;
  const scale = Math.min(fit, LONGEST / Math.max(wide, high));
  canvas.width = Math.min(LONGEST, Math.ceil(wide * scale));
  canvas.height = Math.min(LONGEST, Math.ceil(high * scale));
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.fillStyle = "white";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.setTransform(cos * scale, sin * scale, -sin * scale, cos * scale, canvas.width / 2, canvas.height / 2);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(picture, -width / 2, -height / 2);
  return pen.getImageData(0, 0, canvas.width, canvas.height);
}

// Shows the rear camera in a video element until a code is read (its text) or `stop` is aborted (null).
export async function watch(video, stop) {
  if (!navigator.mediaDevices) throw new DOMException("no camera", "NotFoundError");
  const [{ decodeQR }, stream] = await Promise.all([
    decoder(),
    navigator.mediaDevices.getUserMedia({
      video: { facingMode: "environment", width: { ideal: 1920 }, height: { ideal: 1080 } },
    }),
  ]);
  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  try {
    video.srcObject = stream;
    if (!stop.aborted) await video.play();
    while (!stop.aborted) {
      [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
      pen.drawImage(video, 0, 0);
      try {
        return decodeQR(pen.getImageData(0, 0, canvas.width, canvas.height));
      } catch {
        await pause(BETWEEN_FRAMES_MS);
      }
    }
    return null;
  } finally {
    stream.getTracks().forEach((track) => track.stop());
    video.srcObject = null;
  }
}
