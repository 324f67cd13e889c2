// @ts-check
// Shows what is to be seen at a time of the recording, over its timeline.
import { clock, parseClock } from "./page.js";

/** @typedef {import("./player.js").Player} Player */

/** @typedef {{ start: number, x: number, y: number, width: number, height: number }} Thumbnail */

/** How long the position is followed after a key, in milliseconds. */
const FOLLOW_TIME = 1500;

export class Thumbnails {
  /** When following the position ends; 0 while it is not followed. */
  #followUntil = 0;
  /** The version that was asked for last. */
  #version = "";
  /** @type {Thumbnail[]} */
  #thumbnails = [];
  #preview = document.createElement("div");
  #picture = document.createElement("div");
  #time = document.createElement("span");

  /**
   * @param {HTMLElement} section the timeline, which says where the thumbnails are if there are some
   * @param {Player} player
   */
  constructor(section, player) {
    this.section = section;
    this.player = player;
    this.#preview.className = "preview";
    this.#preview.hidden = true;
    // The slider says the time, and a picture has no text.
    this.#preview.setAttribute("aria-hidden", "true");
    this.#preview.append(this.#picture, this.#time);
    section.addEventListener("pointermove", (event) => this.#point(event));
    for (const end of ["pointerleave", "pointercancel"]) section.addEventListener(end, () => this.#hide());
    for (const begin of ["focusin", "keyup"]) section.addEventListener(begin, () => this.#follow());
    section.addEventListener("focusout", () => this.#hide());
    player.onMove(() => () => this.#moved());
    this.show();
  }

  /** Takes the thumbnails that the timeline names, after it was replaced. */
  show() {
    const { thumbnails: address, thumbnailsVersion: version = "" } = this.#bars?.dataset ?? {};
    if (address === undefined) {
      this.#thumbnails = [];
      this.#version = "";
      this.#hide();
    } else if (version !== this.#version) {
      void this.#load(new URL(address, location.href), version);
    }
    if (!this.#preview.hidden) this.section.append(this.#preview);
  }

  /**
   * @param {URL} address
   * @param {string} version
   */
  async #load(address, version) {
    this.#version = version;
    try {
      // Another version has the same address.
      const response = await fetch(address, { cache: "no-cache" });
      const thumbnails = response.ok ? parse(await response.text()) : [];
      if (version !== this.#version) return;
      this.#thumbnails = thumbnails;
      const picture = new URL("thumbnails.jpg", address);
      picture.hash = "";
      this.#picture.style.backgroundImage = `url("${picture.href}")`;
    } catch {
      // The timeline does without them, and the next version of the page asks again.
      if (version === this.#version) this.#version = "";
    }
  }

  get #bars() {
    return /** @type {SVGElement | null} */ (this.section.querySelector("#bars"));
  }

  /** @param {PointerEvent} event */
  #point(event) {
    const bars = event.target instanceof Element ? event.target.closest("#bars") : null;
    if (!bars) {
      this.#hide();
      return;
    }
    const { left, width } = bars.getBoundingClientRect();
    this.#showAt((event.clientX - left) / width);
  }

  /** Shows the current position while keys move it. */
  #follow() {
    if (!this.section.querySelector("#track:focus-visible")) return;
    this.#followUntil = performance.now() + FOLLOW_TIME;
    this.#moved();
  }

  #moved() {
    if (this.#followUntil === 0) return;
    if (performance.now() < this.#followUntil) {
      this.#showAt(this.player.position / Number(this.section.dataset.seconds));
    } else {
      this.#hide();
    }
  }

  /** @param {number} share of the length of the recording */
  #showAt(share) {
    const seconds = share * Number(this.section.dataset.seconds);
    // The last picture stays until the end, as in the player.
    const found = this.#thumbnails.filter(({ start }) => start <= seconds).at(-1);
    const [bars, track] = [this.#bars, this.section.querySelector("#track")];
    if (!found || !bars || !track) {
      this.#hide();
      return;
    }
    const { style } = this.#picture;
    style.width = `${found.width}px`;
    style.height = `${found.height}px`;
    style.backgroundPosition = `${-found.x}px ${-found.y}px`;
    this.#time.textContent = clock(seconds);
    const [outer, shown, all] = [this.section, track, bars].map((element) => element.getBoundingClientRect());
    const at = all.left + share * all.width - outer.left;
    const space = shown.right - outer.left - found.width;
    this.#preview.style.left = `${Math.max(0, Math.min(at - found.width / 2, space))}px`;
    this.#preview.style.bottom = `${outer.bottom - shown.top + 4}px`;
    this.#preview.hidden = false;
    if (!this.#preview.isConnected) this.section.append(this.#preview);
  }

  #hide() {
    this.#followUntil = 0;
    this.#preview.hidden = true;
  }
}

/**
 * The thumbnails that WebVTT names, such as `thumbnails.jpg#xywh=160,0,160,90`.
 *
 * @param {string} text
 */
function parse(text) {
  /** @type {Thumbnail[]} */
  const found = [];
  for (const block of text.split(/\r?\n\r?\n/)) {
    const time = /^([\d:.]+) --> [\d:.]+/m.exec(block);
    const place = /^thumbnails\.jpg#xywh=(\d+),(\d+),(\d+),(\d+)\s*$/m.exec(block);
    const start = parseClock(time?.[1] ?? "");
    if (!place || start === undefined) continue;
    const [x = 0, y = 0, width = 0, height = 0] = place.slice(1).map(Number);
    found.push({ start, x, y, width, height });
  }
  return found;
}
