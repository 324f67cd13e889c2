// @ts-check
// One connection over which a page learns what happens.

/** Time until the stream is opened again after the browser has given it up, in milliseconds. */
const RECONNECT_DELAY = 3000;
/** Time for which the connection may be interrupted until the page says so, in milliseconds. */
const SILENT_TIME = 1000;

/**
 * @typedef {{ stage: string, percent: number }} Progress
 * @typedef {{
 *   job_id: string,
 *   data: { status?: string, stage?: string, percent?: number, progress?: Progress | null },
 * }} JobEvent
 */

/**
 * Follows the events of all jobs while the page is visible: a browser has only six connections
 * for each host. Changes of single clips and lines by other people have no events, so that the page
 * also has to look again when its reader comes back to it.
 *
 * @param {string} url address of the stream
 * @param {HTMLElement} shown what the page shows, with the cursor of the events that it contains
 * @param {string[]} types of events
 * @param {(type: string, event: JobEvent) => void} onEvent
 * @param {() => void} onGap called when something may have been missed
 */
export function followEvents(url, shown, types, onEvent, onGap) {
  /** A stream from here misses nothing. Later ones begin where they are opened. */
  let after = shown.dataset.eventsAfter;
  /** @type {EventSource | undefined} */
  let source;
  /** @type {number | undefined} */
  let reconnect;
  /** @type {number | undefined} */
  let sayLost;

  function follow() {
    window.clearTimeout(reconnect);
    source?.close();
    source = new EventSource(`${url}?after=${after ?? "latest"}`);
    for (const type of types) {
      source.addEventListener(type, (event) => onEvent(type, JSON.parse(event.data)));
    }
    source.addEventListener("open", () => {
      isBack();
      if (!after) onGap();
      after = undefined;
    });
    source.addEventListener("error", () => {
      sayLost ??= window.setTimeout(() => showConnection(false), SILENT_TIME);
      if (source?.readyState !== EventSource.CLOSED) return;
      after = undefined;
      onGap();
      reconnect = window.setTimeout(follow, RECONNECT_DELAY);
    });
  }

  function isBack() {
    window.clearTimeout(sayLost);
    sayLost = undefined;
    showConnection(true);
  }

  function stop() {
    window.clearTimeout(reconnect);
    isBack();
    source?.close();
    source = undefined;
    after = undefined;
  }

  function followIfVisible() {
    if (document.hidden) stop();
    else if (!source) follow();
  }

  document.addEventListener("visibilitychange", followIfVisible);
  window.addEventListener("pagehide", stop);
  window.addEventListener("pageshow", followIfVisible);
  window.addEventListener("focus", onGap);
  window.addEventListener("online", () => {
    if (source && source.readyState !== EventSource.OPEN) follow();
  });
}

/** Says that what is shown may be old, until it is not. @param {boolean} isOpen */
function showConnection(isOpen) {
  const shown = document.querySelector("#connection");
  if (shown instanceof HTMLElement) shown.textContent = isOpen ? "" : shown.dataset.lost ?? "";
}
