// @ts-check
// The clips of a recording: played from it, changed, moved in their order and deleted.
import { Refusal, explain, send } from "./api.js";
import { exchange } from "./clip_order.js";
import { exactClock, parseClock } from "./page.js";

/** @typedef {import("./player.js").Player} Player */
/** @typedef {Record<string, string>} Labels */

export class Clips {
  /** What to do with a clip as soon as the page shows it. @type {{ id: string, button: string } | undefined} */
  #next;

  /**
   * @param {HTMLElement} section
   * @param {string} job address of the job in the API
   * @param {Player} player
   * @param {Labels} labels
   * @param {{ onChange: () => void, notify: (text: string) => void }} page
   */
  constructor(section, job, player, labels, page) {
    this.section = section;
    this.job = job;
    this.player = player;
    this.labels = labels;
    this.page = page;
    section.addEventListener("click", (event) => this.#click(event));
    section.addEventListener("submit", (event) => void this.#submit(event));
    section.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && event.target instanceof Element) this.#discard(event.target);
    });
  }

  /**
   * Puts a time into the form of a clip; `false` if it has none.
   *
   * @param {string} clipId
   * @param {string} name of the field
   * @param {number} seconds
   */
  takeTime(clipId, name, seconds) {
    const form = this.#card(clipId)?.querySelector("form");
    if (!(form instanceof HTMLFormElement)) return false;
    input(form, name).value = exactClock(seconds);
    return true;
  }

  /** Takes over the clips of a newer page, unless one is being edited. @param {Element} section */
  replace(section) {
    if (this.section.querySelector("form")) {
      const cutting = section.querySelector("#cutting");
      if (cutting) this.section.querySelector("#cutting")?.replaceWith(cutting);
      return;
    }
    // Its pictures have new addresses each time: they are loaded again only if clips have changed.
    if (this.section.textContent === section.textContent) return;
    this.section.replaceChildren(...section.childNodes);
    const next = this.#next;
    const card = next ? this.#card(next.id) : null;
    if (!next || !card) return;
    this.#next = undefined;
    card.scrollIntoView({ block: "nearest" });
    if (next.button === "edit") void this.#edit(card);
    else focusMove(card, next.button);
  }

  /** Opens the form of a clip as soon as the page shows the clip. @param {string} clipId */
  openWhenShown(clipId) {
    this.#next = { id: clipId, button: "edit" };
  }

  /** @param {string} clipId @returns {HTMLElement | null} */
  #card(clipId) {
    return this.section.querySelector(`li[data-clip-id="${CSS.escape(clipId)}"]`);
  }

  /** @param {Event} event */
  #click(event) {
    const button = event.target instanceof Element ? event.target.closest("button") : null;
    const card = button?.closest("li");
    if (!button || !card) return;
    const { start, end } = button.dataset;
    if ("play" in button.dataset) this.player.playPart(Number(start), Number(end));
    else if ("edit" in button.dataset) void this.#edit(card);
    else if ("delete" in button.dataset) void this.#delete(card);
    else if (button.dataset.move) void this.#move(card, button.dataset.move);
    else if ("discard" in button.dataset) this.#discard(button);
  }

  /** Opens a form with the stored values, and remembers their version. @param {HTMLElement} card */
  async #edit(card) {
    const template = this.section.querySelector("#clip-form");
    if (!(template instanceof HTMLTemplateElement) || card.querySelector("form")) return;
    try {
      const { json, version } = await send("GET", address(card));
      // The page may have been made anew meanwhile.
      const id = CSS.escape(card.dataset.clipId ?? "");
      const shown = this.section.querySelector(`li[data-clip-id="${id}"]`);
      if (!shown || shown.querySelector("form")) return;
      const form = template.content.querySelector("form")?.cloneNode(true);
      if (!(form instanceof HTMLFormElement)) return;
      form.dataset.version = version ?? "";
      input(form, "title").defaultValue = json.title;
      input(form, "start_time").defaultValue = exactClock(json.start_time);
      input(form, "end_time").defaultValue = exactClock(json.end_time);
      shown.classList.add("is-edited");
      shown.append(form);
      input(form, "title").focus();
    } catch (error) {
      this.page.notify(explain(error, this.labels));
    }
  }

  /** @param {SubmitEvent} event */
  async #submit(event) {
    event.preventDefault();
    const form = event.target;
    const card = form instanceof HTMLFormElement ? form.closest("li") : null;
    if (!(form instanceof HTMLFormElement) || !card) return;
    /** @type {Record<string, string | number>} */
    const body = { title: input(form, "title").value };
    for (const name of ["start_time", "end_time"]) {
      const field = input(form, name);
      // A time that was not touched keeps the decimals that the field does not show.
      if (field.value === field.defaultValue) continue;
      const seconds = parseClock(field.value);
      if (seconds === undefined) {
        show(form, `${field.value}: ${this.labels.time_format}`);
        field.focus();
        return;
      }
      body[name] = seconds;
    }
    try {
      await send("PATCH", address(card), { body, version: form.dataset.version });
      this.#close(form);
      this.page.onChange();
    } catch (error) {
      show(form, explain(error, this.labels));
      if (!(error instanceof Refusal) || error.status !== 412) return;
      form.remove();
      card.classList.remove("is-edited");
      this.page.notify(explain(error, this.labels));
      this.page.onChange();
    }
  }

  /**
   * Exchanges a clip with the one before or after it.
   *
   * @param {HTMLElement} card
   * @param {string} direction `up` or `down`
   */
  async #move(card, direction) {
    const other = direction === "up" ? card.previousElementSibling : card.nextElementSibling;
    if (!(other instanceof HTMLElement) || this.section.ariaBusy === "true") return;
    const [first, second] = direction === "up" ? [other, card] : [card, other];
    this.section.ariaBusy = "true";
    try {
      await exchange(this.job, first.dataset.clipId ?? "", second.dataset.clipId ?? "");
      this.#next = { id: card.dataset.clipId ?? "", button: direction };
      this.page.notify("");
    } catch (error) {
      this.page.notify(explain(error, this.labels));
    } finally {
      this.section.ariaBusy = null;
    }
    this.page.onChange();
  }

  /** @param {HTMLElement} card */
  async #delete(card) {
    try {
      // Before the question, so that another change during it is not lost unseen.
      const { version } = await send("GET", address(card));
      if (!window.confirm(this.labels.confirm_delete_clip)) return;
      await send("DELETE", address(card), { version });
      this.page.onChange();
    } catch (error) {
      this.page.notify(explain(error, this.labels));
      this.page.onChange();
    }
  }

  /** @param {Element} inside an element in the form or its card */
  #discard(inside) {
    this.#close(inside);
    // The timeline may show times of the form.
    this.page.onChange();
  }

  /** @param {Element} inside an element in the form or its card */
  #close(inside) {
    const form = inside.closest("form");
    const card = form?.closest("li");
    form?.remove();
    card?.classList.remove("is-edited");
    const edit = card?.querySelector("button[data-edit]");
    if (edit instanceof HTMLElement) edit.focus();
  }
}

/**
 * Focuses the button that moves a clip further, or the other one at the end of the list.
 *
 * @param {HTMLElement} card
 * @param {string} direction
 */
function focusMove(card, direction) {
  const button = card.querySelector(`button[data-move="${direction}"]`) ?? card.querySelector("button[data-move]");
  if (button instanceof HTMLElement) button.focus();
}

/** @param {HTMLElement} card */
function address(card) {
  return `../api/v1/clips/${encodeURIComponent(card.dataset.clipId ?? "")}`;
}

/**
 * @param {HTMLFormElement} form
 * @param {string} name
 */
function input(form, name) {
  const found = form.elements.namedItem(name);
  if (!(found instanceof HTMLInputElement)) throw new Error(`the form has no ${name}`);
  return found;
}

/**
 * @param {HTMLFormElement} form
 * @param {string} text
 */
function show(form, text) {
  const shown = form.querySelector(".form-error");
  if (!(shown instanceof HTMLElement)) return;
  shown.textContent = text;
  shown.hidden = false;
}
