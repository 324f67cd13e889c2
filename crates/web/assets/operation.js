// @ts-check
// Keeps the page for operators up to date, sends its buttons without leaving the page, and shows
// times in the reader's time zone. The page is complete without it.

/** Time between two requests for the page, in milliseconds. */
const INTERVAL = 5000;

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

/** Shows what the server shows at this address now. */
async function refresh() {
  window.clearTimeout(planned);
  const number = ++requests;
  try {
    const response = await fetch(location.href, { headers: HEADERS, redirect: "manual" });
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

/** @param {Document} page */
function show(page) {
  const content = page.querySelector("#operation");
  if (!content) return;
  showLocalTimes(content);
  const row = document.activeElement?.closest("[data-stage]");
  const stage = row instanceof HTMLElement ? row.dataset.stage : undefined;
  operation.replaceChildren(...content.childNodes);
  // The button that was pressed, or has the focus, is a new one.
  if (stage === undefined) return;
  const button = operation.querySelector(`[data-stage="${CSS.escape(stage)}"] button`);
  if (button instanceof HTMLElement) button.focus();
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
  if (document.hidden) plan();
  else void refresh();
});
