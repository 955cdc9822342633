// How long the phone takes to show what a tap did, by the browser's own measure (Event Timing).
const SHORTEST_MS = 16; // the browser reports no shorter ones: they are counted as this

// Runs in the page. What it saw is asked for in pieces, for a page may be killed at any time.
function watch() {
  const seen = { taps: 0, slow: new Map() };
  addEventListener(
    "click",
    ({ isTrusted }) => {
      if (isTrusted) seen.taps += 1;
    },
    true,
  );
  // The end of a stroke shows nothing that was not drawn yet, and would be measured until whatever is drawn next: a dot
  // that changes lets it be measured until something could be.
  addEventListener(
    "pointerup",
    ({ target }) => {
      if (!target.matches(".pad")) return;
      target.dataset.strokes = 1 + Number(target.dataset.strokes ?? 0);
      target.style.borderTopColor = target.dataset.strokes % 2 ? "#777" : "#787878";
    },
    true,
  );
  new PerformanceObserver((list) => {
    for (const { interactionId, duration } of list.getEntries()) {
      if (interactionId) seen.slow.set(interactionId, Math.max(duration, seen.slow.get(interactionId) ?? 0));
    }
  }).observe({ type: "event", durationThreshold: 16, buffered: true });
  window.takeTaps = () => {
    const all = { taps: seen.taps, slow: [...seen.slow.values()] };
    seen.taps = 0;
    seen.slow.clear();
    return all;
  };
}

export class Taps {
  constructor() {
    this.ms = { 1: [], 6: [] }; // by how much the processor is slowed down
  }

  watch(page) {
    return page.addInitScript(watch);
  }

  async take(page, slower) {
    const { taps, slow } = await page.evaluate(() => window.takeTaps());
    const fast = Math.max(0, taps - slow.length);
    this.ms[slower].push(...slow, ...Array(fast).fill(SHORTEST_MS));
  }
}
