// @ts-check
// Keeps an action from being started twice, and says that one is on its way: over a slow
// connection, a control that seems to do nothing is pressed again.

/** Time until the page says so, in milliseconds: most requests take less. */
const DELAY = 400;

/** @type {Set<string>} the actions that run */
const running = new Set();
/** @type {number | undefined} */
let saySoon;

/**
 * Runs an action, unless the same one runs already.
 *
 * @param {string} name of the action, with what it changes
 * @param {Element | null | undefined} control is marked as busy meanwhile
 * @param {() => Promise<void>} run
 */
export async function once(name, control, run) {
  if (running.has(name)) return;
  running.add(name);
  control?.setAttribute("aria-busy", "true");
  tell();
  try {
    await run();
  } finally {
    running.delete(name);
    control?.removeAttribute("aria-busy");
    tell();
  }
}

function tell() {
  const shown = document.querySelector("#working");
  if (!(shown instanceof HTMLElement)) return;
  if (running.size > 0) {
    saySoon ??= window.setTimeout(() => {
      shown.textContent = shown.dataset.text ?? "";
    }, DELAY);
    return;
  }
  window.clearTimeout(saySoon);
  saySoon = undefined;
  shown.textContent = "";
}
