// @ts-check
// One connection over which a page learns what happens.

/** Time until the stream is opened again after the browser has given it up, in milliseconds. */
const RECONNECT_DELAY = 3000;

/**
 * @typedef {{ stage: string, percent: number }} Progress
 * @typedef {{
 *   job_id: string,
 *   data: { status?: string, stage?: string, percent?: number, progress?: Progress | null },
 * }} JobEvent
 */

/**
 * Follows the events of all jobs while the page is visible: a browser has only six connections
 * for each host.
 *
 * @param {string} url address of the stream
 * @param {string[]} types of events
 * @param {(type: string, event: JobEvent) => void} onEvent
 * @param {() => void} onGap called when events may have been missed
 */
export function followEvents(url, types, onEvent, onGap) {
  /** @type {EventSource | undefined} */
  let source;
  /** @type {number | undefined} */
  let reconnect;

  function follow() {
    window.clearTimeout(reconnect);
    source = new EventSource(url);
    for (const type of types) {
      source.addEventListener(type, (event) => onEvent(type, JSON.parse(event.data)));
    }
    source.addEventListener("open", onGap);
    source.addEventListener("error", () => {
      if (source?.readyState !== EventSource.CLOSED) return;
      onGap();
      reconnect = window.setTimeout(follow, RECONNECT_DELAY);
    });
  }

  function stop() {
    window.clearTimeout(reconnect);
    source?.close();
    source = undefined;
  }

  function followIfVisible() {
    if (document.hidden) stop();
    else if (!source) follow();
  }

  document.addEventListener("visibilitychange", followIfVisible);
  window.addEventListener("pagehide", stop);
  window.addEventListener("pageshow", followIfVisible);
}
