// @ts-check
// What the scripts of all pages share.

/** @param {"short" | "medium"} timeStyle */
const timeFormat = (timeStyle) =>
  new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle });
const [toMinutes, toSeconds] = [timeFormat("short"), timeFormat("medium")];

/**
 * Shows times in the reader's time zone.
 *
 * @param {ParentNode} parent
 */
export function showLocalTimes(parent) {
  for (const time of parent.querySelectorAll("time")) {
    // What the stages did within a minute has an order, too.
    const format = time.closest("#stages") ? toSeconds : toMinutes;
    time.textContent = format.format(new Date(time.dateTime));
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

/** Time within which the server has to answer, in milliseconds. */
const PAGE_TIMEOUT = 30_000;

/**
 * The page as the server shows it at this address now; `undefined` if it cannot be reached, and
 * the status 504 if it does not answer in time.
 *
 * @returns {Promise<{ status: number, page: Document | undefined } | undefined>}
 */
export async function fetchPage() {
  try {
    const response = await fetch(location.href, {
      headers: { Accept: "text/html" },
      redirect: "manual",
      signal: AbortSignal.timeout(PAGE_TIMEOUT),
    });
    // The session has ended: the page leads to signing in.
    if (response.type === "opaqueredirect" || response.status === 401) location.reload();
    if (!response.ok) return { status: response.status, page: undefined };
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    return { status: response.status, page };
  } catch (error) {
    const isLate = error instanceof DOMException && error.name === "TimeoutError";
    return isLate ? { status: 504, page: undefined } : undefined;
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
 * Plans calls of a function so that they begin at least `interval` milliseconds apart, each after
 * the end of the one before: if the next request began while a response is on its way, a slow
 * network would never let a response be the newest.
 *
 * @param {number} interval
 * @param {() => void | Promise<void>} run
 * @returns {() => void} plans a call, unless one is planned
 */
export function atMostEvery(interval, run) {
  let last = 0;
  let isPlanned = false;
  /** @type {Promise<void>} */
  let ended = Promise.resolve();
  return () => {
    if (isPlanned) return;
    isPlanned = true;
    void ended.then(() => {
      const wait = Math.max(0, last + interval - Date.now());
      window.setTimeout(() => {
        // What happens from now on may need another call.
        isPlanned = false;
        last = Date.now();
        ended = Promise.resolve(run()).catch(reportError);
      }, wait);
    });
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
