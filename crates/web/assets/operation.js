// @ts-check
// Keeps the page for operators up to date, sends its buttons without leaving the page, and shows
// times in the reader's time zone. The page is complete without it.

/** Time between two requests for the page, in milliseconds. */
const INTERVAL = 5000;
/** Time within which the server has to answer, in milliseconds. */
const TIMEOUT = 30_000;

/** The charts are requested with one of so many requests: they have no step below a minute. */
const REQUESTS_PER_CHARTS = 12;

const operation = /** @type {HTMLElement} */ (document.querySelector("#operation"));

const timeFormat = new Intl.DateTimeFormat(document.documentElement.lang, {
  dateStyle: "medium",
  timeStyle: "medium",
});

/** @param {ParentNode} parent */
function showLocalTimes(parent) {
  for (const time of parent.querySelectorAll("time")) {
    time.textContent = timeFormat.format(new Date(time.dateTime));
  }
}

const HEADERS = { Accept: "text/html" };

let requests = 0;
/** @type {number | undefined} */
let planned;

/** Number of requests since the charts were shown. */
let sinceCharts = 0;

/** The address of what is to be shown next: without charts, if they are new enough. */
function nextAddress() {
  const address = new URL(location.href);
  if (++sinceCharts % REQUESTS_PER_CHARTS !== 0) address.searchParams.set("charts", "no");
  return address;
}

/** Shows what the server shows at this address now. */
async function refresh() {
  window.clearTimeout(planned);
  const number = ++requests;
  try {
    const signal = AbortSignal.timeout(TIMEOUT);
    const response = await fetch(nextAddress(), { headers: HEADERS, redirect: "manual", signal });
    // The session has ended: the page leads to signing in.
    if (response.type === "opaqueredirect" || response.status === 401) location.reload();
    if (!response.ok) throw new Error(String(response.status));
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    // A later response is newer.
    if (number === requests) show(page);
  } catch {
    if (number === requests) showStale();
  }
  if (number === requests) plan();
}

/**
 * Sends a button without leaving the page. What is refused is shown as it is without scripts.
 *
 * @param {HTMLFormElement} form
 */
async function send(form) {
  try {
    const options = { method: "POST", headers: HEADERS, redirect: /** @type {const} */ ("manual") };
    const response = await fetch(form.action, options);
    if (response.type !== "opaqueredirect") form.submit();
  } catch {
    showStale();
    return;
  }
  await refresh();
}

/**
 * Shows the parts of the page that are in the response; the charts are not in every one.
 *
 * @param {Document} page
 */
function show(page) {
  const content = page.querySelector("#operation");
  if (!content) return;
  showLocalTimes(content);
  operation.querySelector(".stale")?.remove();
  for (const part of content.querySelectorAll("[data-part]")) {
    if (part instanceof HTMLElement) showPart(part);
  }
}

/** @param {HTMLElement} part */
function showPart(part) {
  const shown = operation.querySelector(`[data-part="${CSS.escape(part.dataset.part ?? "")}"]`);
  if (!shown) return;
  for (const details of shown.querySelectorAll("details[open]")) {
    part.querySelector(`#${CSS.escape(details.id)}`)?.setAttribute("open", "");
  }
  // What has the focus is a new element: the button of a stage, or what has an id.
  const focused = shown.contains(document.activeElement) ? document.activeElement : null;
  const row = focused?.closest("[data-stage]");
  const stage = row instanceof HTMLElement ? row.dataset.stage : undefined;
  const selector =
    stage === undefined
      ? focused?.id && `#${CSS.escape(focused.id)}`
      : `[data-stage="${CSS.escape(stage)}"] button`;
  shown.replaceWith(part);
  const next = selector ? part.querySelector(selector) : null;
  if (next instanceof HTMLElement) next.focus({ preventScroll: true });
}

function showStale() {
  if (operation.querySelector(".stale")) return;
  const text = document.createElement("p");
  text.className = "stale";
  text.setAttribute("role", "status");
  text.textContent = operation.dataset.stale ?? "";
  operation.querySelector(".heading")?.after(text);
}

function plan() {
  window.clearTimeout(planned);
  if (!document.hidden) planned = window.setTimeout(() => void refresh(), INTERVAL);
}

operation.addEventListener("submit", (event) => {
  if (!(event.target instanceof HTMLFormElement)) return;
  event.preventDefault();
  void send(event.target);
});

showLocalTimes(document);
plan();
document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    plan();
    return;
  }
  // A page that comes into view may be hours old.
  sinceCharts = -1;
  void refresh();
});
