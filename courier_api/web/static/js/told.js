// What the server told this page: words in the reader's language, the ground, addresses.
export const told = JSON.parse(document.querySelector("#told").textContent);
export const language = document.documentElement.lang;

// A word that is not there shows as its key: a screen with an odd word is better than none.
export function say(key, values = {}) {
  return (told.words[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "…");
}

export function saysIt(key) {
  return key in told.words;
}
