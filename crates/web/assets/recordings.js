// @ts-check
// Keeps the list of recordings up to date over one connection, and shows times in the reader's
// time zone. The page is complete without it.
import { followEvents } from "./live.js";
import { atMostEvery, fetchPage, required, showLocalTimes } from "./page.js";
import { Selection } from "./selection.js";
import { Uploads } from "./uploads.js";

/** @typedef {import("./live.js").JobEvent} JobEvent */
/** @typedef {import("./live.js").Progress} Progress */

/** Lower bound of the time between two requests for the whole list, in milliseconds. */
const RELOAD_INTERVAL = 2000;

const recordings = required("#recordings");
const labels = JSON.parse(recordings.dataset.labels ?? "{}");

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
  const name = labels.stages[progress.stage] ?? progress.stage;
  bar.value = progress.percent;
  bar.setAttribute("aria-label", name);
  stage.textContent = name;
  percent.textContent = `${Math.floor(progress.percent)} %`;
  return true;
}

/** The status of jobs that are not on this page, which their progress does not change. @type {Map<string, string>} */
const elsewhere = new Map();
const isByChange = new URLSearchParams(location.search).get("order") === "updated_at";

/** The last event of each job since the list was asked for. @type {Map<string, JobEvent>} */
let sinceRequest = new Map();

/** @param {JobEvent} event */
function apply(event) {
  sinceRequest.set(event.job_id, event);
  const { status, progress } = event.data;
  const row = recordings.querySelector(`tr[data-job-id="${CSS.escape(event.job_id)}"]`);
  if (row instanceof HTMLElement) {
    const isSame = status === "running" && row.dataset.status === status;
    if (isSame && progress && showProgress(row, progress)) return;
  } else if (status && !isByChange && elsewhere.get(event.job_id) === status) {
    // Thousands of jobs may be worked on elsewhere.
    return;
  }
  if (row || !status) elsewhere.delete(event.job_id);
  else elsewhere.set(event.job_id, status);
  // The row has changed in other ways, or the recording may be on this page now.
  reloadSoon();
}

let reloads = 0;
// An event from now on may be missing in the response, so it plans another request.
const reloadSoon = atMostEvery(RELOAD_INTERVAL, reload);

/** Replaces the list by what the server shows at this address now. */
async function reload() {
  const number = ++reloads;
  const since = (sinceRequest = new Map());
  // If the server cannot be reached, the stream of events notices when it is back.
  const response = await fetchPage();
  // Overloaded, or without its database.
  if (response && response.status >= 500) reloadSoon();
  const page = response?.page;
  // A later response is newer.
  if (!page || number !== reloads) return;
  replace(page, ".heading");
  const list = page.querySelector("#recordings");
  if (!list || document.activeElement?.closest("#recordings nav")) return;
  // Somebody is pressing something in it.
  if (recordings.querySelector(":active")) {
    reloadSoon();
    return;
  }
  showLocalTimes(list);
  keepPictures(list);
  const focused = focusedControl();
  recordings.replaceChildren(...list.childNodes);
  selection?.restore();
  // The response may be older than what was shown meanwhile.
  for (const event of since.values()) apply(event);
  if (!focused) return;
  const found = recordings.querySelector(focused.control) ?? recordings.querySelector(focused.link);
  if (found instanceof HTMLElement) found.focus();
}

/**
 * Puts the pictures that are shown in the place of the same ones in a new list, where their URLs
 * are signed again, and so would be loaded again.
 *
 * @param {Element} list
 */
function keepPictures(list) {
  const path = (/** @type {HTMLImageElement} */ { src }) => new URL(src, location.href).pathname;
  for (const row of list.querySelectorAll("tr[data-job-id]")) {
    const jobId = row.getAttribute("data-job-id") ?? "";
    const shown = recordings.querySelector(`tr[data-job-id="${CSS.escape(jobId)}"] img.picture`);
    const picture = row.querySelector("img.picture");
    if (!(shown instanceof HTMLImageElement) || shown.naturalWidth === 0 || !picture) continue;
    if (path(shown) === path(/** @type {HTMLImageElement} */ (picture))) picture.replaceWith(shown);
  }
}

/**
 * Selectors of the control of the list that has the focus, and of the link in its row, with which
 * they are found among new rows.
 */
function focusedControl() {
  const control = document.activeElement;
  const row = control?.closest("#recordings tr");
  if (!(control instanceof HTMLElement) || !(row instanceof HTMLElement)) return undefined;
  const { jobId } = row.dataset;
  const rowSelector = jobId ? `tr[data-job-id="${CSS.escape(jobId)}"]` : "thead tr";
  const { action } = control.dataset;
  const selector = action ? `[data-action="${CSS.escape(action)}"]` : control.localName;
  return { control: `${rowSelector} ${selector}`, link: `${rowSelector} a` };
}

/**
 * @param {Document} page
 * @param {string} selector
 */
function replace(page, selector) {
  const part = page.querySelector(selector);
  if (part) document.querySelector(selector)?.replaceWith(part);
}

document.documentElement.classList.add("scripted");
showLocalTimes(document);
/** @type {Selection | undefined} */
const selection = document.querySelector("#selection")
  ? new Selection(recordings, labels.actions, reloadSoon)
  : undefined;
const uploads = document.querySelector("#uploads");
if (uploads instanceof HTMLElement) new Uploads(uploads, reloadSoon);
const types = ["progress", "complete", "failed", "deleted"];
followEvents("api/v1/events", recordings, types, (_, event) => apply(event), reloadSoon);

const form = document.querySelector("form.search");
if (form instanceof HTMLFormElement) {
  for (const select of form.querySelectorAll("select")) {
    select.addEventListener("change", () => form.requestSubmit());
  }
  // Coming back, browsers put in what was chosen last, although the list is that of the address.
  window.addEventListener("pageshow", ({ persisted }) => {
    const [visit] = performance.getEntriesByType("navigation");
    const isBack = visit instanceof PerformanceNavigationTiming && visit.type === "back_forward";
    if (persisted || isBack) form.reset();
  });
}
