// @ts-check
// Seeks and zooms in the timeline of a recording.
import { clock } from "./page.js";

/** @typedef {import("./player.js").Player} Player */

/** How far the arrow keys seek, in seconds. */
const STEP = 5;
const LARGE_STEP = 30;
const MAX_ZOOM = 32;

export class Timeline {
  #zoom = 1;

  /**
   * @param {HTMLElement} section
   * @param {Player} player
   */
  constructor(section, player) {
    this.section = section;
    this.player = player;
    section.addEventListener("click", (event) => this.#click(event));
    section.addEventListener("keydown", (event) => this.#key(event));
    player.onMove((seconds) => this.#show(seconds));
    this.#prepare();
  }

  /** Takes over the timeline of a newer page. @param {Element} section */
  replace(section) {
    const hadFocus = document.activeElement === this.#track;
    const scrolled = this.#zoom > 1 ? this.#track?.scrollLeft ?? 0 : 0;
    const isOpen = this.section.querySelector("details")?.open ?? false;
    this.section.setAttribute("data-seconds", section.getAttribute("data-seconds") ?? "0");
    this.section.replaceChildren(...section.childNodes);
    const details = this.section.querySelector("details");
    if (details) details.open = isOpen;
    this.#prepare();
    if (this.#track && this.#zoom > 1) this.#track.scrollLeft = scrolled;
    if (hadFocus) this.#track?.focus();
  }

  get #track() {
    return /** @type {HTMLElement | null} */ (this.section.querySelector("#track"));
  }

  /** The length of the recording, in seconds. */
  get #seconds() {
    return Number(this.section.dataset.seconds);
  }

  #prepare() {
    const track = this.#track;
    if (!track) return;
    if (this.player.media) {
      track.setAttribute("role", "slider");
      track.setAttribute("aria-valuemin", "0");
      track.setAttribute("aria-valuemax", String(this.#seconds));
    }
    track.tabIndex = 0;
    this.#setZoom(this.#zoom);
    this.#show(this.player.position)?.();
  }

  /**
   * Measures and scrolls the track, and returns what shows the position.
   *
   * @param {number} seconds
   */
  #show(seconds) {
    const [track, total] = [this.#track, this.#seconds];
    const playhead = this.section.querySelector("#playhead");
    if (!track || !(playhead instanceof HTMLElement)) return undefined;
    const share = Math.min(1, seconds / total);
    if (this.#zoom > 1) this.#keepInView(track, share);
    return () => this.#draw(track, playhead, share, seconds);
  }

  /**
   * @param {HTMLElement} track
   * @param {HTMLElement} playhead
   * @param {number} share of the length of the recording
   * @param {number} seconds
   */
  #draw(track, playhead, share, seconds) {
    playhead.style.transform = `translateX(${share * 100}%)`;
    const text = `${clock(seconds)} / ${clock(this.#seconds)}`;
    const shown = this.section.querySelector("#clock");
    // It is the same for a second.
    if (shown?.textContent === text) return;
    if (shown) shown.textContent = text;
    if (this.player.media) {
      track.setAttribute("aria-valuenow", String(Math.floor(seconds)));
      track.setAttribute("aria-valuetext", text);
    }
  }

  /**
   * @param {HTMLElement} track
   * @param {number} share
   */
  #keepInView(track, share) {
    const at = share * track.scrollWidth;
    const isInView = at >= track.scrollLeft && at <= track.scrollLeft + track.clientWidth;
    if (!isInView) track.scrollLeft = at - track.clientWidth / 4;
  }

  /** @param {number} zoom */
  #setZoom(zoom) {
    const track = this.#track;
    const bars = this.section.querySelector("#bars");
    if (!track || !bars) return;
    const share = this.player.position / this.#seconds;
    this.#zoom = Math.min(MAX_ZOOM, Math.max(1, zoom));
    bars.setAttribute("width", `${this.#zoom * 100}%`);
    track.style.setProperty("--zoom", String(this.#zoom));
    // Measuring has the browser lay out the page.
    if (this.#zoom > 1) track.scrollLeft = share * track.scrollWidth - track.clientWidth / 2;
    for (const button of this.section.querySelectorAll("button[data-zoom]")) {
      const limit = button.getAttribute("data-zoom") === "in" ? MAX_ZOOM : 1;
      button.toggleAttribute("disabled", this.#zoom === limit);
    }
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const target = event.target;
    if (!(target instanceof Element)) return;
    const zoom = target.closest("button[data-zoom]")?.getAttribute("data-zoom");
    if (zoom) this.#setZoom(this.#zoom * (zoom === "in" ? 2 : 0.5));
    const bars = target.closest("#bars");
    if (!bars) return;
    const { left, width } = bars.getBoundingClientRect();
    this.player.seek(((event.clientX - left) / width) * this.#seconds);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.target !== this.#track || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = event.shiftKey ? LARGE_STEP : STEP;
    const position = this.player.position;
    switch (event.key) {
      case "ArrowLeft":
      case "ArrowDown":
        this.player.seek(position - step);
        break;
      case "ArrowRight":
      case "ArrowUp":
        this.player.seek(position + step);
        break;
      case "PageDown":
        this.player.seek(position - LARGE_STEP);
        break;
      case "PageUp":
        this.player.seek(position + LARGE_STEP);
        break;
      case "Home":
        this.player.seek(0);
        break;
      case "End":
        this.player.seek(this.#seconds);
        break;
      case "+":
        this.#setZoom(this.#zoom * 2);
        break;
      case "-":
        this.#setZoom(this.#zoom / 2);
        break;
      default:
        return;
    }
    event.preventDefault();
  }
}
