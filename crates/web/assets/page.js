// @ts-check
// What the scripts of all pages share.

const timeFormat = new Intl.DateTimeFormat(document.documentElement.lang, {
  dateStyle: "medium",
  timeStyle: "short",
});

/**
 * Shows times in the reader's time zone.
 *
 * @param {ParentNode} parent
 */
export function showLocalTimes(parent) {
  for (const time of parent.querySelectorAll("time")) {
    time.textContent = timeFormat.format(new Date(time.dateTime));
  }
}

/**
 * The element of a page that its template always has.
 *
 * @param {string} selector
 * @returns {HTMLElement}
 */
export function required(selector) {
  const found = document.querySelector(selector);
  if (!(found instanceof HTMLElement)) throw new Error(`the page has no ${selector}`);
  return found;
}

/**
 * The page as the server shows it at this address now; `undefined` if it cannot be reached.
 *
 * @returns {Promise<{ status: number, page: Document | undefined } | undefined>}
 */
export async function fetchPage() {
  try {
    const options = { headers: { Accept: "text/html" }, redirect: /** @type {const} */ ("manual") };
    const response = await fetch(location.href, options);
    // The session has ended: the page leads to signing in.
    if (response.type === "opaqueredirect" || response.status === 401) location.reload();
    if (!response.ok) return { status: response.status, page: undefined };
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    return { status: response.status, page };
  } catch {
    return undefined;
  }
}

/**
 * A text with values in place of the names in braces.
 *
 * @param {string} text
 * @param {Record<string, any>} values
 */
export function filled(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/**
 * Plans calls of a function so that they are at least `interval` milliseconds apart.
 *
 * @param {number} interval
 * @param {() => void} run
 * @returns {() => void} plans a call, unless one is planned
 */
export function atMostEvery(interval, run) {
  let last = 0;
  /** @type {number | undefined} */
  let planned;
  return () => {
    if (planned !== undefined) return;
    const wait = Math.max(0, last + interval - Date.now());
    planned = window.setTimeout(() => {
      // What happens from now on may need another call.
      planned = undefined;
      last = Date.now();
      run();
    }, wait);
  };
}

/**
 * A time in a recording: `7:05`, or `1:02:03`.
 *
 * @param {number} seconds
 */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (/** @type {number} */ number) => String(number).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/**
 * The seconds of a time such as `1:02:03.5`, `2:03` or `123`; `undefined` for other text.
 *
 * @param {string} text
 * @returns {number | undefined}
 */
export function parseClock(text) {
  const parts = text.trim().replace(",", ".").split(":");
  const isTime = parts.length <= 3 && parts.every((part, i) =>
    (i === parts.length - 1 ? /^\d+(\.\d+)?$/ : /^\d+$/).test(part));
  if (!isTime) return undefined;
  return parts.reduce((seconds, part) => seconds * 60 + Number(part), 0);
}

/**
 * A time with all its decimals, which {@link parseClock} reads.
 *
 * @param {number} seconds
 */
export function exactClock(seconds) {
  const rest = Math.round((seconds % 60) * 1000) / 1000;
  const minutes = Math.floor(seconds / 60);
  const [hours, minute] = [Math.floor(minutes / 60), minutes % 60];
  const end = `${rest < 10 ? "0" : ""}${rest}`;
  return hours > 0 ? `${hours}:${String(minute).padStart(2, "0")}:${end}` : `${minute}:${end}`;
}
