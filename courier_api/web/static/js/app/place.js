// Where the phone is now: the watcher's last fix when it is fresh, else asked for, for a short while.
import { distance } from "./position.js";

const FRESH_MS = 30_000;
const OLDEST_MS = 300_000;
const PATIENCE_MS = 5_000;
const WALKS_MPS = 1.5;

// {lat, lon, accuracy} or null. Never keeps the courier waiting for long.
export function here(phone) {
  if (isFresh(phone.place)) return Promise.resolve(phone.place);
  if (!navigator.geolocation) return Promise.resolve(null);
  return new Promise((resolve) => {
    const late = setTimeout(() => resolve(lastPlace(phone)), PATIENCE_MS);
    const settle = (value) => {
      clearTimeout(late);
      resolve(value);
    };
    navigator.geolocation.getCurrentPosition(
      ({ coords: { latitude: lat, longitude: lon, accuracy } }) => {
        phone.place = { lat, lon, accuracy, at: Date.now() };
        settle(phone.place);
      },
      () => settle(lastPlace(phone)),
      { enableHighAccuracy: true, timeout: PATIENCE_MS, maximumAge: FRESH_MS },
    );
  });
}

const isFresh = (place) => Boolean(place) && Date.now() - place.at < FRESH_MS;

// The last fix, at once, for what must not wait: by its age as much vaguer as one walks meanwhile; null when it is too old.
export function lastPlace({ place }) {
  if (!place || isFresh(place)) return place;
  const age = Date.now() - place.at;
  if (age > OLDEST_MS) return null;
  const { accuracy } = place;
  return { ...place, accuracy: Number.isFinite(accuracy) ? accuracy + (WALKS_MPS * age) / 1000 : accuracy };
}

export const metresFrom = (place, point) => distance(place, point);
