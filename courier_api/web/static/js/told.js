// What the server told this page: words in the reader's language, the ground, addresses.
export const told = JSON.parse(document.querySelector("#told").textContent);
export const language = document.documentElement.lang;

export function say(key, values = {}) {
  return told.words[key].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "…");
}

export function saysIt(key) {
  return key in told.words;
}
