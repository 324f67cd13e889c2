// @ts-check
// Keeps the list of recordings up to date over one connection, and shows times in the reader's
// time zone. The page is complete without it.

/**
 * @typedef {{ stage: string, percent: number }} Progress
 * @typedef {{ job_id: string, data: { status?: string, progress?: Progress | null } }} JobEvent
 */

/** Lower bound of the time between two requests for the whole list, in milliseconds. */
const RELOAD_INTERVAL = 2000;
/** Time until the stream is opened again after the browser has given it up, in milliseconds. */
const RECONNECT_DELAY = 3000;

const EVENTS = ["progress", "complete", "failed", "deleted"];

const recordings = /** @type {HTMLElement} */ (document.querySelector("#recordings"));
/** @type {Record<string, string>} */
const stageNames = JSON.parse(recordings.dataset.labels ?? "{}");

const timeFormat = new Intl.DateTimeFormat(document.documentElement.lang, {
  dateStyle: "medium",
  timeStyle: "short",
});

/** @param {ParentNode} parent */
function showLocalTimes(parent) {
  for (const time of parent.querySelectorAll("time")) {
    time.textContent = timeFormat.format(new Date(time.dateTime));
  }
}

/**
 * Shows the progress in the row of a recording.
 *
 * @param {HTMLElement} row
 * @param {Progress} progress
 * @returns {boolean} whether the row has a place for it
 */
function showProgress(row, progress) {
  const bar = row.querySelector("progress");
  const stage = row.querySelector(".stage");
  const percent = row.querySelector(".percent");
  if (!bar || !stage || !percent) return false;
  const name = stageNames[progress.stage] ?? progress.stage;
  bar.value = progress.percent;
  bar.setAttribute("aria-label", name);
  stage.textContent = name;
  percent.textContent = `${Math.floor(progress.percent)} %`;
  return true;
}

/** @param {JobEvent} event */
function apply(event) {
  const row = recordings.querySelector(`tr[data-job-id="${CSS.escape(event.job_id)}"]`);
  if (row instanceof HTMLElement) {
    const { status, progress } = event.data;
    const isSame = status === "running" && row.dataset.status === status;
    if (isSame && progress && showProgress(row, progress)) return;
  }
  // The row has changed in other ways, or the recording may be on this page now.
  reloadSoon();
}

let lastReload = 0;
let reloads = 0;
/** @type {number | undefined} */
let planned;

function reloadSoon() {
  if (planned !== undefined) return;
  const wait = Math.max(0, lastReload + RELOAD_INTERVAL - Date.now());
  planned = window.setTimeout(() => void reload(), wait);
}

/** Replaces the list by what the server shows at this address now. */
async function reload() {
  // An event from now on may be missing in the response, so it plans another request.
  planned = undefined;
  lastReload = Date.now();
  const number = ++reloads;
  try {
    const options = { headers: { Accept: "text/html" }, redirect: /** @type {const} */ ("manual") };
    const response = await fetch(location.href, options);
    // The session has ended: the page leads to signing in.
    if (response.type === "opaqueredirect" || response.status === 401) location.reload();
    if (!response.ok) return;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    // A later response is newer.
    if (number !== reloads) return;
    replace(page, ".heading");
    const list = page.querySelector("#recordings");
    if (!list || document.activeElement?.closest("#recordings nav")) return;
    showLocalTimes(list);
    recordings.replaceChildren(...list.childNodes);
  } catch {
    // The server cannot be reached; the stream of events notices when it is back.
  }
}

/**
 * @param {Document} page
 * @param {string} selector
 */
function replace(page, selector) {
  const part = page.querySelector(selector);
  if (part) document.querySelector(selector)?.replaceWith(part);
}

/** @type {EventSource | undefined} */
let source;
/** @type {number | undefined} */
let reconnect;

function follow() {
  window.clearTimeout(reconnect);
  source = new EventSource("api/v1/events?after=latest");
  for (const type of EVENTS) {
    source.addEventListener(type, (event) => apply(JSON.parse(event.data)));
  }
  source.addEventListener("open", reloadSoon);
  source.addEventListener("error", () => {
    if (source?.readyState !== EventSource.CLOSED) return;
    reloadSoon();
    reconnect = window.setTimeout(follow, RECONNECT_DELAY);
  });
}

function stop() {
  window.clearTimeout(reconnect);
  source?.close();
  source = undefined;
}

// A hidden page needs no connection: a browser has only six for each host.
function followIfVisible() {
  if (document.hidden) stop();
  else if (!source) follow();
}

showLocalTimes(document);
document.addEventListener("visibilitychange", followIfVisible);
window.addEventListener("pagehide", stop);
window.addEventListener("pageshow", followIfVisible);

const form = document.querySelector("form.search");
if (form instanceof HTMLFormElement) {
  for (const select of form.querySelectorAll("select")) {
    select.addEventListener("change", () => form.requestSubmit());
  }
}
