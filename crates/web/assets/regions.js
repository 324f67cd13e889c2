// @ts-check
// Shows over the picture where the layout analysis has found the screen and the camera.
import { send } from "./api.js";

/** @typedef {import("./player.js").Player} Player */

/** @typedef {{ x: number, y: number, width: number, height: number }} Region */

/**
 * @typedef {{ screen_region: Region | null, camera_region: Region | null }} Layout
 * @typedef {Layout & { start_time: number, end_time: number }} Stretch
 */

const SVG = "http://www.w3.org/2000/svg";

export class Regions {
  /** The layout of most of the recording, and of each part. @type {Layout & { stretches: Stretch[] } | undefined} */
  #layout;
  #overlay = document.createElementNS(SVG, "svg");
  #isOn = false;
  /** What is drawn, so that it is not drawn again. */
  #drawn = "";

  /**
   * @param {Player} player
   * @param {string} address of the layout analysis
   * @param {{ screen: string, camera: string }} labels
   */
  constructor(player, address, labels) {
    this.player = player;
    this.address = address;
    this.labels = labels;
    this.#overlay.classList.add("regions");
    // The button names them, and players show pictures to those who see.
    this.#overlay.setAttribute("aria-hidden", "true");
    player.section.addEventListener("click", (event) => {
      const target = event.target instanceof Element ? event.target : undefined;
      if (target?.closest("#show-regions")) void this.#toggle();
    });
    player.onMove(() => this.#show());
    new ResizeObserver(() => this.#show()?.()).observe(player.section);
  }

  /** Takes over the button of a newer page. @param {Element | undefined} section */
  replace(section) {
    const button = section?.querySelector("#show-regions");
    if (button && !this.#button) this.player.section.querySelector(".player-links")?.append(button);
  }

  get #button() {
    return this.player.section.querySelector("#show-regions");
  }

  async #toggle() {
    this.#isOn = !this.#isOn;
    // Asked for again each time: a stage or a person may have replaced it.
    if (this.#isOn) {
      try {
        this.#layout = (await send("GET", this.address)).json;
      } catch {
        this.#isOn = false;
      }
    }
    this.#button?.setAttribute("aria-pressed", String(this.#isOn));
    this.#show()?.();
  }

  /** The layout at a time, in seconds. @param {number} seconds */
  #at(seconds) {
    const layout = this.#layout;
    if (!layout || layout.stretches.length === 0) return layout;
    return layout.stretches.find(({ start_time, end_time }) => start_time <= seconds && seconds < end_time);
  }

  /** Measures the picture, and returns what shows the regions over it, if they have changed. */
  #show() {
    const media = this.player.media;
    const layout = this.#isOn ? this.#at(this.player.position) : undefined;
    if (!(media instanceof HTMLVideoElement) || !layout || media.videoWidth === 0) {
      this.#drawn = "";
      return () => this.#overlay.remove();
    }
    const { offsetLeft, offsetTop, offsetWidth, offsetHeight, videoWidth, videoHeight } = media;
    const size = [offsetLeft, offsetTop, offsetWidth, offsetHeight, videoWidth, videoHeight];
    const drawn = JSON.stringify([size, layout.screen_region, layout.camera_region]);
    if (drawn === this.#drawn) return undefined;
    this.#drawn = drawn;
    return () => this.#draw(media, layout);
  }

  /**
   * @param {HTMLVideoElement} media
   * @param {Layout} layout
   */
  #draw(media, { screen_region: screen, camera_region: camera }) {
    const { offsetLeft, offsetTop, offsetWidth, offsetHeight, videoWidth, videoHeight } = media;
    const { style } = this.#overlay;
    [style.left, style.top] = [`${offsetLeft}px`, `${offsetTop}px`];
    [style.width, style.height] = [`${offsetWidth}px`, `${offsetHeight}px`];
    // As the picture is fitted into its element.
    this.#overlay.setAttribute("viewBox", `0 0 ${videoWidth} ${videoHeight}`);
    const pixel = videoHeight / Math.max(1, offsetHeight);
    this.#overlay.replaceChildren(
      ...box("screen", this.labels.screen, screen, pixel),
      ...box("camera", this.labels.camera, camera, pixel),
    );
    media.after(this.#overlay);
  }
}

/**
 * A frame around a region, with its name.
 *
 * @param {string} kind
 * @param {string} name
 * @param {Region | null} region
 * @param {number} pixel the size of a pixel of the page in the picture
 */
function box(kind, name, region, pixel) {
  if (!region) return [];
  const frame = document.createElementNS(SVG, "rect");
  const text = document.createElementNS(SVG, "text");
  for (const [attribute, value] of Object.entries(region)) frame.setAttribute(attribute, String(value));
  frame.classList.add(kind);
  text.setAttribute("x", String(region.x + 6 * pixel));
  text.setAttribute("y", String(region.y + 18 * pixel));
  text.setAttribute("font-size", String(14 * pixel));
  text.textContent = name;
  return [frame, text];
}
