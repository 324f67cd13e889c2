// @ts-check
// The transcript of a recording: follows the playback, is searched, and can be corrected.
import { Refusal, send } from "./api.js";
import { once } from "./busy.js";
import { element, lists, mark, pattern } from "./lines.js";

/** @typedef {import("./player.js").Player} Player */
/** @typedef {Record<string, string>} Labels */

/** Time between the last key and the search, in milliseconds: marking ten thousand lines takes
 * longer than typing a letter. */
const SEARCH_DELAY = 150;
/** How long lines are made until the browser may do something else, in milliseconds. */
const SLICE = 8;

export class Transcript {
  /** @type {HTMLLIElement[]} */
  #lines = [];
  /** The start of each line, in seconds. @type {number[]} */
  #starts = [];
  /** @type {HTMLLIElement | undefined} */
  #current;
  /** The first lines and the length of the transcript that is shown. */
  #shown = "";
  #loads = 0;
  /** Whether lines are hidden or marked by a search. */
  #isSearching = false;
  /** @type {number | undefined} */
  #searchSoon;
  #editButton = document.createElement("button");

  /**
   * @param {HTMLElement} section
   * @param {Player} player
   * @param {{ address: string, labels: Labels, mayChange: boolean, onChange: () => void }} options
   *   `address`: of the transcript in the API; `onChange`: called when a line was changed
   */
  constructor(section, player, { address, labels, mayChange, onChange }) {
    this.section = section;
    this.player = player;
    this.address = address;
    this.labels = labels;
    this.onChange = onChange;
    this.#editButton.type = "button";
    this.#editButton.className = "edit-line";
    this.#editButton.textContent = "✎";
    this.#editButton.title = labels.edit_line ?? "";
    this.#editButton.setAttribute("aria-label", labels.edit_line ?? "");
    player.onMove((seconds) => this.#follow(seconds));
    section.addEventListener("submit", (event) => this.#submit(event));
    section.addEventListener("input", (event) => this.#input(event));
    section.addEventListener("keydown", (event) => this.#key(event));
    for (const type of ["wheel", "touchmove"]) {
      section.addEventListener(type, (event) => this.#stopFollowing(event), { passive: true });
    }
    if (mayChange) {
      for (const type of ["mouseover", "focusin"]) {
        section.addEventListener(type, (event) => this.#offerEdit(event));
      }
      this.#editButton.addEventListener("click", () => void once("edit line", this.#editButton, () => this.#edit()));
    }
    this.#take(section);
  }

  /** Takes over the transcript of a newer page if it has changed. @param {Element} section */
  replace(section) {
    if (this.#editor || signature(section) === this.#shown) return;
    const search = this.#search?.value ?? "";
    const isFollowing = this.#box("#follow")?.checked ?? true;
    const scrolled = this.#list?.scrollTop ?? 0;
    const isTyping = document.activeElement === this.#search;
    this.section.setAttribute("data-total", section.getAttribute("data-total") ?? "0");
    this.section.replaceChildren(...section.childNodes);
    if (this.#search && search) this.#search.value = search;
    if (isTyping) this.#search?.focus();
    const follow = this.#box("#follow");
    if (follow) follow.checked = isFollowing;
    this.#take(this.section, scrolled);
  }

  /** Takes over the next page also if its lines are the same: those after them may have changed. */
  expectChange() {
    this.#shown = "";
  }

  /**
   * @param {Element} section
   * @param {number} scrolled how far the list was scrolled, in pixels
   */
  #take(section, scrolled = 0) {
    this.#shown = signature(section);
    this.#index();
    const total = Number(this.section.dataset.total);
    this.#restoreScroll(scrolled);
    if (total > this.#lines.length || location.search !== "") void this.#load(scrolled);
    else this.#find();
  }

  /** Loads the whole transcript: the page has a part of it. @param {number} scrolled */
  async #load(scrolled) {
    const number = ++this.#loads;
    try {
      const { json } = await send("GET", this.address);
      // A later response is newer, and a line may be edited by now.
      if (number !== this.#loads || this.#editor) return;
      const made = await inSlices(lists(json.segments));
      if (number !== this.#loads || this.#editor) return;
      this.#list?.replaceChildren(...made);
      this.#restoreScroll(scrolled);
      this.#index();
    } catch {
      // The first part remains, and the next change of the recording is another chance.
    }
    this.#find();
  }

  /** @param {number} scrolled how far the list was scrolled, in pixels */
  #restoreScroll(scrolled) {
    // Scrolling has the browser lay out the page; a new list is at its beginning.
    if (this.#list && scrolled > 0) this.#list.scrollTop = scrolled;
  }

  get #list() {
    return /** @type {HTMLElement | null} */ (this.section.querySelector("#lines"));
  }

  get #search() {
    return this.#box("#search");
  }

  get #editor() {
    return this.section.querySelector("form.line-form");
  }

  /** @param {string} selector */
  #box(selector) {
    return /** @type {HTMLInputElement | null} */ (this.section.querySelector(selector));
  }

  #index() {
    this.#lines = [...(this.#list?.querySelectorAll("li") ?? [])];
    this.#starts = this.#lines.map((line) => Number(line.dataset.start));
    this.#current = undefined;
    this.#follow(this.player.position)?.();
  }

  /** Scrolls to the line that is spoken now, and returns what marks it. @param {number} seconds */
  #follow(seconds) {
    // The last line that has begun.
    let [low, high] = [0, this.#starts.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#starts[middle] ?? 0) <= seconds) low = middle + 1;
      else high = middle;
    }
    const line = seconds > 0 ? this.#lines[low - 1] : undefined;
    const last = this.#current;
    if (line === last) return undefined;
    this.#current = line;
    if (line && this.#box("#follow")?.checked && !this.#editor) this.#scrollTo(line);
    return () => {
      last?.removeAttribute("aria-current");
      line?.setAttribute("aria-current", "true");
    };
  }

  /** Scrolls the list, and not the page. @param {HTMLElement} line */
  #scrollTo(line) {
    const list = this.#list;
    if (!list || line.hidden) return;
    const top = line.getBoundingClientRect().top - list.getBoundingClientRect().top;
    list.scrollTop += top - list.clientHeight / 3;
  }

  /** @param {Event} event */
  #stopFollowing(event) {
    const follow = this.#box("#follow");
    const isInList = event.target instanceof Element && event.target.closest("#lines");
    if (follow && isInList && this.player.media?.paused === false) follow.checked = false;
  }

  /** @param {Event} event */
  #input(event) {
    const target = event.target;
    if (target === this.#search) {
      window.clearTimeout(this.#searchSoon);
      this.#searchSoon = window.setTimeout(() => this.#find(), SEARCH_DELAY);
    }
    if (target === this.#box("#follow") && this.#box("#follow")?.checked && this.#current) {
      this.#scrollTo(this.#current);
    }
  }

  /** Shows only the lines with the text that is searched. */
  #find() {
    const list = this.#list;
    if (!list) return;
    const sought = pattern(this.#search?.value ?? "");
    if (sought || this.#isSearching) this.#mark(list, sought);
    this.#isSearching = sought !== undefined;
    if (!sought && this.#current) this.#scrollTo(this.#current);
  }

  /**
   * Shows the lines with a text, and how many there are; or all again.
   *
   * @param {HTMLElement} list
   * @param {RegExp | undefined} sought
   */
  #mark(list, sought) {
    let count = 0;
    for (const line of this.#lines) {
      const text = line.querySelector(".text");
      const isFound = text !== null && mark(text, sought);
      line.hidden = sought !== undefined && !isFound;
      if (isFound) count++;
    }
    list.classList.toggle("searching", sought !== undefined);
    for (const part of list.querySelectorAll("ol")) {
      part.hidden = [...part.children].every((line) => line instanceof HTMLElement && line.hidden);
    }
    const found = this.section.querySelector("#found");
    if (found) {
      const { none_found, line_found, lines_found } = this.labels;
      const text = [none_found, line_found][count] ?? lines_found ?? "";
      found.textContent = sought ? text.replace("#", String(count)) : "";
    }
  }

  /** @param {SubmitEvent} event */
  #submit(event) {
    event.preventDefault();
    if (event.target === this.#editor) this.#saveOnce();
    else this.#find();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const target = event.target;
    if (target instanceof HTMLTextAreaElement) {
      if (event.key === "Escape") this.#close();
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#saveOnce();
    } else if (["PageUp", "PageDown", "Home", "End", "ArrowUp", "ArrowDown"].includes(event.key)) {
      this.#stopFollowing(event);
    }
  }

  /** Puts the button for editing into the line that the reader is at. @param {Event} event */
  #offerEdit(event) {
    const line = event.target instanceof Element ? event.target.closest("#lines li") : null;
    if (!line || line.contains(this.#editButton) || line.querySelector("form")) return;
    line.append(this.#editButton);
  }

  /** Opens a form with the stored text, and remembers its version. */
  async #edit() {
    const line = this.#editButton.closest("li");
    const text = line?.querySelector(".text");
    if (!line || !text || this.#editor) return;
    try {
      const { json, version } = await send("GET", segmentAddress(line));
      if (this.#editor || !line.isConnected) return;
      const form = document.createElement("form");
      form.className = "line-form";
      form.dataset.version = version ?? "";
      const area = document.createElement("textarea");
      area.defaultValue = json.text;
      area.rows = Math.min(8, Math.ceil(json.text.length / 40) + 1);
      area.setAttribute("aria-label", this.labels.edit_line ?? "");
      const save = element("button", "main", this.labels.save ?? "");
      const discard = element("button", "", this.labels.discard ?? "");
      discard.setAttribute("type", "button");
      discard.addEventListener("click", () => this.#close());
      const error = element("p", "form-error", "");
      error.setAttribute("role", "alert");
      const buttons = element("div", "buttons", "");
      buttons.append(save, discard);
      form.append(area, error, buttons);
      this.#editButton.remove();
      line.classList.add("is-edited");
      line.append(form);
      area.focus();
    } catch (error) {
      this.#report(line, error);
    }
  }

  #saveOnce() {
    void once("save line", this.#editor, () => this.#save());
  }

  async #save() {
    const form = this.#editor;
    const line = form?.closest("li");
    const area = form?.querySelector("textarea");
    if (!(form instanceof HTMLFormElement) || !line || !area) return;
    try {
      const options = { body: { text: area.value }, version: form.dataset.version };
      const { json } = await send("PATCH", segmentAddress(line), options);
      const text = line.querySelector(".text");
      if (text) text.textContent = json.text;
      this.#close();
      this.#find();
      this.onChange();
    } catch (error) {
      this.#report(form, error);
      // The version of somebody else's change, so that saving again is a choice.
      if (!(error instanceof Refusal) || error.status !== 412) return;
      const { json, version } = await send("GET", segmentAddress(line));
      const text = line.querySelector(".text");
      if (text) text.textContent = json.text;
      line.classList.remove("is-edited");
      form.dataset.version = version ?? "";
    }
  }

  #close() {
    const form = this.#editor;
    const line = form?.closest("li");
    form?.remove();
    line?.classList.remove("is-edited");
    line?.querySelector("a")?.focus();
  }

  /**
   * @param {Element} place
   * @param {unknown} error
   */
  #report(place, error) {
    const shown = place.querySelector(".form-error") ?? element("p", "form-error", "");
    const { status, message } = error instanceof Refusal ? error : { status: 0, message: "" };
    const text = status === 412 ? this.labels.changed_meanwhile : message;
    shown.textContent = status === 0 ? this.labels.failure ?? "" : text ?? "";
    if (!shown.isConnected) place.append(shown);
  }
}

/**
 * All that a generator makes, with pauses in which the browser can do something else.
 *
 * @template T
 * @param {Iterable<T>} items
 * @returns {Promise<T[]>}
 */
async function inSlices(items) {
  /** @type {T[]} */
  const made = [];
  let began = performance.now();
  for (const item of items) {
    made.push(item);
    if (performance.now() - began < SLICE) continue;
    await new Promise((resolve) => window.setTimeout(resolve));
    began = performance.now();
  }
  return made;
}

/** @param {HTMLElement} line */
function segmentAddress(line) {
  return `../api/v1/transcripts/${encodeURIComponent(line.dataset.id ?? "")}`;
}

/**
 * What tells a part of a transcript from that of another version.
 *
 * @param {Element} section as the server has made it
 */
function signature(section) {
  const lines = [...section.querySelectorAll("li")];
  const texts = lines.map((line) => `${line.dataset.id} ${line.querySelector(".text")?.textContent}`);
  return [section.getAttribute("data-total"), ...texts].join("\n");
}
