// Makes photos small: right way up, without EXIF, light enough for a bad network and a phone with little memory.

const LONGEST = 1600;
const MOST_BYTES = 350_000;
// Tried in turn until the photo is light enough: part of the longest side, quality.
const ATTEMPTS = [
  [1, 0.75],
  [1, 0.6],
  [1, 0.45],
  [0.75, 0.45],
  [0.5, 0.45],
  [0.4, 0.3],
];
const MOST_PIXELS = 120e6; // a phone's camera has up to 108 million; what claims more is none

// What no browser makes a picture of.
export class Undecodable extends Error {}

// The photo in JPEG: {bytes, width, height}.
export async function shrink(blob) {
  const bitmap = await decode(blob, LONGEST);
  try {
    const photo = await lightest(bitmap);
    const { width, height } = photo;
    return { bytes: new Uint8Array(await photo.blob.arrayBuffer()), width, height };
  } finally {
    bitmap.close();
  }
}

// The picture, right way up, its longest side `longest` at most. Raises Undecodable.
export async function decode(blob, longest) {
  const { width, height } = await measure(blob);
  const scale = Math.min(1, longest / Math.max(width, height));
  try {
    return await createImageBitmap(blob, {
      imageOrientation: "from-image",
      resizeWidth: Math.max(1, Math.round(width * scale)),
      resizeHeight: Math.max(1, Math.round(height * scale)),
      resizeQuality: "medium",
    });
  } catch (cause) {
    throw new Undecodable("broken", { cause });
  }
}

// Width and height as shown, from the beginning of the file: an image that is not painted is not decoded.
async function measure(blob) {
  const image = new Image();
  const address = URL.createObjectURL(blob);
  try {
    await new Promise((resolve, reject) => {
      Object.assign(image, { onload: resolve, onerror: () => reject(new Undecodable("no picture")), src: address });
    });
  } finally {
    URL.revokeObjectURL(address);
  }
  const { naturalWidth: width, naturalHeight: height } = image;
  if (!width || width * height > MOST_PIXELS) throw new Undecodable("too large");
  return { width, height };
}

async function lightest(bitmap) {
  let photo;
  for (const [part, quality] of ATTEMPTS) {
    photo = await encode(bitmap, part, quality);
    if (photo.blob.size <= MOST_BYTES) break;
  }
  return photo;
}

async function encode(bitmap, scale, quality) {
  const canvas = document.createElement("canvas");
  const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * scale)));
  Object.assign(canvas, { width, height });
  const pen = canvas.getContext("2d", { alpha: false });
  pen.fillStyle = "white"; // JPEG has no transparency
  pen.fillRect(0, 0, width, height);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(bitmap, 0, 0, width, height);
  const blob = await new Promise((resolve) => {
    canvas.toBlob(resolve, "image/jpeg", quality);
  });
  Object.assign(canvas, { width: 0, height: 0 }); // gives the memory back now, not when it is collected
  if (!blob) throw new Undecodable("no memory");
  return { blob, width, height };
}
