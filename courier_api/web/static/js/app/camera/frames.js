// The rear camera in a video element: frames in which codes are read, a still photo, the lamp.

const VIDEO = { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } };
const CODES = { NotAllowedError: "denied", SecurityError: "denied", NotReadableError: "busy", AbortError: "busy" };
const FIRST_FRAME_MS = 8000; // a camera that shows nothing by then is held by another app
const STILL_MS = 5000;
const QUALITY = 0.92;

export class CameraFault extends Error {
  constructor(code, cause = undefined) {
    // denied, none or busy
    super(code, { cause });
    this.code = code;
  }
}

// Shows the camera in `video`, which is muted and plays inline. Raises CameraFault.
export async function openCamera(video) {
  video.srcObject?.getTracks().forEach((track) => track.stop()); // one that was left open
  const stream = await ask();
  const [track] = stream.getVideoTracks();
  const stop = () => {
    track.stop();
    if (video.srcObject === stream) video.srcObject = null;
  };
  video.srcObject = stream;
  try {
    await within(FIRST_FRAME_MS, video.play());
  } catch (cause) {
    stop();
    throw new CameraFault("busy", cause);
  }
  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d", { willReadFrequently: true });

  function draw() {
    if (track.readyState === "ended" || video.readyState < video.HAVE_CURRENT_DATA) return false;
    const { videoWidth: width, videoHeight: height } = video;
    // A phone may be turned meanwhile.
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    pen.drawImage(video, 0, 0);
    return true;
  }

  return {
    stop,
    // What the camera sees now; null while it sees nothing.
    grab: () => (draw() ? pen.getImageData(0, 0, canvas.width, canvas.height) : null),
    // The camera's own photo is sharper than a frame, but not every phone that offers it can take it.
    async still() {
      try {
        return await within(STILL_MS, new ImageCapture(track).takePhoto());
      } catch (cause) {
        if (!draw()) throw new CameraFault("busy", cause);
        return new Promise((resolve) => {
          canvas.toBlob(resolve, "image/jpeg", QUALITY);
        });
      }
    },
    torch: (on) => track.applyConstraints({ advanced: [{ torch: on }] }),
    get canTorch() {
      return track.getCapabilities?.().torch === true;
    },
  };
}

async function ask() {
  try {
    return await navigator.mediaDevices.getUserMedia({ video: VIDEO });
  } catch (cause) {
    // a page that is not secure has no mediaDevices at all
    throw new CameraFault(CODES[cause.name] ?? "none", cause);
  }
}

function within(ms, promise) {
  let late;
  const limit = new Promise((_, reject) => {
    late = setTimeout(() => reject(new DOMException("too late", "TimeoutError")), ms);
  });
  return Promise.race([promise, limit]).finally(() => clearTimeout(late));
}
