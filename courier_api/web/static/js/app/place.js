// Where the phone is now: the watcher's last fix when it is fresh, else asked for, for a short while.
import { distance } from "./position.js";

const FRESH_MS = 30_000;
const PATIENCE_MS = 5_000;

// {lat, lon, accuracy} or null. Never keeps the courier waiting for long.
export function here(phone) {
  const { place } = phone;
  if (place && Date.now() - place.at < FRESH_MS) return Promise.resolve(place);
  if (!navigator.geolocation) return Promise.resolve(null);
  return new Promise((resolve) => {
    const late = setTimeout(() => resolve(place && Date.now() - place.at < 10 * FRESH_MS ? place : null), PATIENCE_MS + 500);
    const settle = (value) => { clearTimeout(late); resolve(value); };
    navigator.geolocation.getCurrentPosition(
      ({ coords: { latitude: lat, longitude: lon, accuracy } }) => {
        phone.place = { lat, lon, accuracy, at: Date.now() };
        settle(phone.place);
      },
      () => settle(null),
      { enableHighAccuracy: true, timeout: PATIENCE_MS, maximumAge: FRESH_MS },
    );
  });
}

export const metresFrom = (place, point) => distance(place, point);
