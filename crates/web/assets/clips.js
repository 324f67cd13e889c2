// @ts-check
// The clips of a recording: played from it, changed, moved in their order and deleted.
import { Refusal, explain, send } from "./api.js";
import { once } from "./busy.js";
import { ClipDrag } from "./clip_drag.js";
import { moveTo } from "./clip_order.js";
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
   * @param {{ onChange: () => Promise<void>, notify: (text: string) => void }} page
   */
  constructor(section, job, player, labels, page) {
    this.section = section;
    this.job = job;
    this.player = player;
    this.labels = labels;
    this.page = page;
    this.drag = new ClipDrag(section, (card, before) => void this.#dropped(card, before));
    section.addEventListener("click", (event) => this.#click(event));
    section.addEventListener("submit", (event) => this.#submit(event));
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

  /**
   * Takes over the clips of a newer page, unless one is being edited or dragged.
   *
   * @param {Element} section
   */
  replace(section) {
    if (this.drag.isActive) return;
    if (this.section.querySelector("form")) {
      const cutting = section.querySelector("#cutting");
      if (cutting) this.section.querySelector("#cutting")?.replaceWith(cutting);
      return;
    }
    // Its pictures have new addresses each time: they are loaded again only if clips have changed.
    if (signature(this.section) === signature(section)) return;
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
    else if ("edit" in button.dataset) void once(`edit ${address(card)}`, button, () => this.#edit(card));
    else if ("delete" in button.dataset) void once(`delete ${address(card)}`, button, () => this.#delete(card));
    else if (button.dataset.move) void this.#moveBy(card, button.dataset.move);
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
  #submit(event) {
    event.preventDefault();
    const form = event.target;
    const card = form instanceof HTMLFormElement ? form.closest("li") : null;
    if (!(form instanceof HTMLFormElement) || !card) return;
    void once(`save ${address(card)}`, form, () => this.#save(form, card));
  }

  /**
   * @param {HTMLFormElement} form
   * @param {HTMLElement} card
   */
  async #save(form, card) {
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
      void this.page.onChange();
    } catch (error) {
      show(form, explain(error, this.labels));
      if (!(error instanceof Refusal) || error.status !== 412) return;
      form.remove();
      card.classList.remove("is-edited");
      this.page.notify(explain(error, this.labels));
      void this.page.onChange();
    }
  }

  /**
   * Exchanges a clip with the one before or after it.
   *
   * @param {HTMLElement} card
   * @param {string} direction `up` or `down`
   */
  async #moveBy(card, direction) {
    const order = this.#order;
    const id = card.dataset.clipId ?? "";
    const to = order.indexOf(id) + (direction === "up" ? -1 : 1);
    if (to < 0 || to >= order.length) return;
    await this.#reorder(order, id, to, () => {
      this.#next = { id, button: direction };
    });
  }

  /**
   * Stores the order after a clip was dragged.
   *
   * @param {HTMLElement} card
   * @param {HTMLElement[]} before the cards in the order before
   */
  async #dropped(card, before) {
    const id = card.dataset.clipId ?? "";
    const to = this.#order.indexOf(id);
    const order = before.map(({ dataset }) => dataset.clipId ?? "");
    const isStored = await this.#reorder(order, id, to);
    if (!isStored && before.every((one) => one.isConnected)) ClipDrag.arrange(before);
  }

  /**
   * Moves a clip to a place in the order that the page shows.
   *
   * @param {string[]} order the ids of the clips
   * @param {string} id
   * @param {number} to
   * @param {() => void} [onStored]
   * @returns {Promise<boolean>} whether that is stored
   */
  async #reorder(order, id, to, onStored) {
    let isStored = false;
    await once("order", this.section, async () => {
      try {
        await moveTo(this.job, order, id, to);
        isStored = true;
        onStored?.();
        this.page.notify("");
      } catch (error) {
        this.page.notify(explain(error, this.labels));
      }
      await this.page.onChange();
    });
    return isStored;
  }

  /** The ids of the clips in the order that the page shows. */
  get #order() {
    const cards = /** @type {HTMLElement[]} */ ([...this.section.querySelectorAll("li[data-clip-id]")]);
    return cards.map(({ dataset }) => dataset.clipId ?? "");
  }

  /** @param {HTMLElement} card */
  async #delete(card) {
    try {
      // Before the question, so that another change during it is not lost unseen.
      const { version } = await send("GET", address(card));
      if (!window.confirm(this.labels.confirm_delete_clip)) return;
      await send("DELETE", address(card), { version });
    } catch (error) {
      this.page.notify(explain(error, this.labels));
    }
    await this.page.onChange();
  }

  /** @param {Element} inside an element in the form or its card */
  #discard(inside) {
    this.#close(inside);
    // The timeline may show times of the form.
    void this.page.onChange();
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
 * What tells the clips of a page from those of another version: their texts, and their exact times.
 *
 * @param {Element} section
 */
function signature(section) {
  const parts = [...section.querySelectorAll("button[data-play]")];
  const times = parts.map((part) => `${part.getAttribute("data-start")} ${part.getAttribute("data-end")}`);
  return [section.textContent, ...times].join("\n");
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
