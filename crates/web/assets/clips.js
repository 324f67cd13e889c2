// @ts-check
// The clips of a recording: played from it, changed and deleted.
import { Refusal, send } from "./api.js";
import { exactClock, parseClock } from "./page.js";

/** @typedef {import("./player.js").Player} Player */
/** @typedef {Record<string, string>} Labels */

export class Clips {
  /**
   * @param {HTMLElement} section
   * @param {Player} player
   * @param {Labels} labels
   * @param {{ onChange: () => void, notify: (text: string) => void }} page
   */
  constructor(section, player, labels, page) {
    this.section = section;
    this.player = player;
    this.labels = labels;
    this.page = page;
    section.addEventListener("click", (event) => this.#click(event));
    section.addEventListener("submit", (event) => void this.#submit(event));
    section.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && event.target instanceof Element) this.#close(event.target);
    });
  }

  /** Takes over the clips of a newer page, unless one is being edited. @param {Element} section */
  replace(section) {
    if (this.section.querySelector("form")) return;
    // Its pictures have new addresses each time: they are loaded again only if clips have changed.
    if (this.section.textContent === section.textContent) return;
    this.section.replaceChildren(...section.childNodes);
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
    else if ("discard" in button.dataset) this.#close(button);
  }

  /** Opens a form with the stored values, and remembers their version. @param {HTMLElement} card */
  async #edit(card) {
    const template = this.section.querySelector("#clip-form");
    if (!(template instanceof HTMLTemplateElement) || card.querySelector("form")) return;
    try {
      const { json, version } = await send("GET", address(card));
      const form = template.content.querySelector("form")?.cloneNode(true);
      if (!(form instanceof HTMLFormElement)) return;
      form.dataset.version = version ?? "";
      input(form, "title").defaultValue = json.title;
      input(form, "start_time").defaultValue = exactClock(json.start_time);
      input(form, "end_time").defaultValue = exactClock(json.end_time);
      card.classList.add("is-edited");
      card.append(form);
      input(form, "title").focus();
    } catch (error) {
      this.page.notify(this.#text(error));
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
      show(form, this.#text(error));
      if (!(error instanceof Refusal) || error.status !== 412) return;
      form.remove();
      card.classList.remove("is-edited");
      this.page.notify(this.#text(error));
      this.page.onChange();
    }
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
      this.page.notify(this.#text(error));
      this.page.onChange();
    }
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

  /** @param {unknown} error */
  #text(error) {
    const { status, message } = error instanceof Refusal ? error : { status: 0, message: "" };
    if (status === 412) return this.labels.changed_meanwhile ?? "";
    return status === 0 ? this.labels.failure ?? "" : message;
  }
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
