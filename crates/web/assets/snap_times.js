// @ts-check
// Times that the edges of clips snap to: the edges of silences, lines and words.
import { send } from "./api.js";

/** Words are loaded this far around a time, in seconds. */
const WORDS_AROUND = 60;
/** How far from the loaded time more words are loaded, in seconds. */
const RELOAD_AT = 30;

/** @typedef {{ words?: { start: number, end: number }[] }} SegmentWithWords */

export class SnapTimes {
  /** The edges of silences and lines. @type {number[]} */
  #shown = [];
  /** The edges of words. @type {number[]} */
  #words = [];
  /** Around which time the words are loaded. */
  #loaded = -Infinity;

  /** @param {string} address of the transcript in the API */
  constructor(address) {
    this.address = address;
  }

  /** Takes the times from the page, and loads words around a time. @param {number} seconds */
  prepare(seconds) {
    const silences = document.querySelector("#bars path.silence")?.getAttribute("d") ?? "";
    const regions = [...silences.matchAll(/M([\d.]+) 0H([\d.]+)/g)];
    const lines = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("#lines li"));
    this.#shown = [
      ...regions.flatMap(([, start, end]) => [Number(start), Number(end)]),
      ...[...lines].flatMap((line) => [Number(line.dataset.start), Number(line.dataset.end)]),
    ];
    // The transcript may have changed since the last time.
    this.#loaded = -Infinity;
    this.#words = [];
    this.loadWordsAround(seconds);
  }

  /** @param {number} seconds */
  loadWordsAround(seconds) {
    if (Math.abs(seconds - this.#loaded) < RELOAD_AT) return;
    this.#loaded = seconds;
    void this.#load(seconds);
  }

  /** @param {number} seconds */
  async #load(seconds) {
    const from = Math.max(0, seconds - WORDS_AROUND);
    try {
      const { json } = await send("GET", `${this.address}?words=true&from=${from}&to=${seconds + WORDS_AROUND}`);
      if (this.#loaded !== seconds) return;
      /** @type {SegmentWithWords[]} */
      const segments = json.segments;
      this.#words = segments.flatMap(({ words }) => words ?? []).flatMap(({ start, end }) => [start, end]);
    } catch {
      // Lines and silences are enough.
    }
  }

  /**
   * The time that is closest to another one.
   *
   * @param {number} seconds
   * @param {number} distance greatest distance in seconds
   * @returns {number | undefined}
   */
  closest(seconds, distance) {
    let [found, least] = [/** @type {number | undefined} */ (undefined), distance];
    for (const times of [this.#shown, this.#words]) {
      for (const time of times) {
        const away = Math.abs(time - seconds);
        if (away <= least) [found, least] = [time, away];
      }
    }
    return found;
  }
}
