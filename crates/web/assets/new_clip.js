// @ts-check
// New clips: of what is selected in the transcript, or from the position of the player.
import { explain, send } from "./api.js";
import { once } from "./busy.js";
import { clock } from "./page.js";
import { selectedLines, timesOfLines, timesOfWords } from "./selected_lines.js";

/** @typedef {import("./clips.js").Clips} Clips */
/** @typedef {import("./player.js").Player} Player */
/** @typedef {import("./selected_lines.js").Selected} Selected */
/** @typedef {Record<string, string>} Labels */

/** Time between the last change of the selection and the request for the times of its words, in
 * milliseconds. */
const WORDS_DELAY = 200;
/** The length of a clip from the position of the player, in seconds. */
const LENGTH = 30;
/** Upper bound of the characters of a title that is made of what is said. */
const MAX_TITLE = 60;

export class NewClip {
  /** @type {Selected | undefined} */
  #selected;
  #times = { start: 0, end: 0 };
  /** @type {number | undefined} */
  #wordsSoon;

  /**
   * @param {HTMLElement} bar offers to make a clip of the selection
   * @param {string} job address of the job in the API
   * @param {Player} player
   * @param {Clips} clips
   * @param {Labels} labels
   * @param {{ onChange: () => Promise<void>, notify: (text: string) => void }} page
   */
  constructor(bar, job, player, clips, labels, page) {
    this.bar = bar;
    this.job = job;
    this.player = player;
    this.clips = clips;
    this.labels = labels;
    this.page = page;
    document.addEventListener("selectionchange", () => this.#offer());
    // The selection remains while the button is pressed.
    bar.addEventListener("pointerdown", (event) => event.preventDefault());
    const make = bar.querySelector("button");
    make?.addEventListener("click", () => void once("new clip", make, () => this.#addSelected()));
    document.addEventListener("click", ({ target }) => {
      const button = target instanceof Element ? target.closest("button[data-new-clip]") : null;
      if (button) void once("new clip", button, () => this.#addFromHere());
    });
  }

  #offer() {
    window.clearTimeout(this.#wordsSoon);
    const selected = selectedLines();
    this.#selected = selected;
    this.bar.hidden = !selected;
    if (!selected) return;
    this.#show(timesOfLines(selected));
    this.#wordsSoon = window.setTimeout(() => void this.#refine(selected), WORDS_DELAY);
  }

  /** Takes the times of the selected words. @param {Selected} selected */
  async #refine(selected) {
    try {
      const times = await timesOfWords(selected);
      if (this.#selected === selected) this.#show(times);
    } catch {
      // Those of the lines remain.
    }
  }

  /** @param {{ start: number, end: number }} times in seconds */
  #show(times) {
    this.#times = times;
    const shown = this.bar.querySelector(".selected-times");
    if (shown) shown.textContent = `${clock(times.start)}–${clock(times.end)}`;
  }

  async #addSelected() {
    const selected = this.#selected;
    if (!selected) return;
    // It may be pressed before the times of the words are there.
    window.clearTimeout(this.#wordsSoon);
    await this.#refine(selected);
    if (await this.#add(selected.text, this.#times)) document.getSelection()?.removeAllRanges();
  }

  async #addFromHere() {
    const seconds = Number(document.querySelector("#timeline")?.getAttribute("data-seconds"));
    const start = Math.min(Math.round(this.player.position * 1000) / 1000, seconds);
    const said = document.querySelector("#lines li[aria-current] .text")?.textContent;
    await this.#add(said || `${this.labels.clip} ${clock(start)}`, { start, end: Math.min(start + LENGTH, seconds) });
  }

  /**
   * @param {string} said what the title is made of
   * @param {{ start: number, end: number }} times in seconds
   * @returns {Promise<boolean>} whether the clip was added
   */
  async #add(said, { start, end }) {
    try {
      const body = { title: titleOf(said), start_time: start, end_time: end };
      const { json } = await send("POST", `${this.job}/clips`, { body });
      this.page.notify("");
      this.clips.openWhenShown(json.clip_id);
      await this.page.onChange();
      return true;
    } catch (error) {
      this.page.notify(explain(error, this.labels));
      return false;
    }
  }
}

/** The first words of a text. @param {string} text */
function titleOf(text) {
  const words = text.trim().split(/\s+/);
  let title = words.shift() ?? "";
  for (const word of words) {
    if (title.length + 1 + word.length > MAX_TITLE) break;
    title += ` ${word}`;
  }
  // A single word may be longer, as in languages without spaces.
  return [...title].slice(0, MAX_TITLE).join("");
}
