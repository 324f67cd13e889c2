// @ts-check
// Draws the waveform of a recording in its timeline.

/**
 * The JSON of audiowaveform, which the API checks.
 *
 * @typedef {{ channels: number, sample_rate: number, samples_per_pixel: number, bits: number,
 *   length: number, data: number[] }} AudioWaveform
 */

/** The height of a part without sound, so that it is a line. The loudest sample is 128. */
const LEAST = 1.5;

export class Waveform {
  /** The version that was asked for last. */
  #version = "";
  #path = "";

  /** @param {HTMLElement} section the timeline, which has a place for the waveform if there is one */
  constructor(section) {
    this.section = section;
    this.show();
  }

  /** Draws the waveform, after the timeline was replaced or has another waveform. */
  show() {
    const place = this.#place;
    if (!place) return;
    place.querySelector("path")?.setAttribute("d", this.#path);
    const { address = "", version = "" } = place.dataset;
    if (version !== this.#version) void this.#load(address, version);
  }

  get #place() {
    return /** @type {SVGElement | null} */ (this.section.querySelector("#waveform"));
  }

  /**
   * @param {string} address
   * @param {string} version
   */
  async #load(address, version) {
    this.#version = version;
    try {
      // Another version has the same address.
      const response = await fetch(address, { cache: "no-cache" });
      const path = response.ok ? outline(await response.json()) : "";
      if (version === this.#version) this.#path = path;
    } catch {
      // The timeline does without it, and the next version of the page asks again.
      if (version === this.#version) this.#version = "";
      return;
    }
    this.#place?.querySelector("path")?.setAttribute("d", this.#path);
  }
}

/**
 * The outline of the loudest channel: seconds to the right, and the loudest sample is 128 up or
 * down, so that quiet speech is seen, too.
 *
 * @param {AudioWaveform} waveform
 */
function outline({ channels, sample_rate, samples_per_pixel, bits, length, data }) {
  if (length === 0) return "";
  const loudest = data.reduce((found, sample) => Math.max(found, Math.abs(sample)), 0);
  // Noise alone stays small: at most ten times as large as it is.
  const scale = Math.min(128 / Math.max(1, loudest), bits === 16 ? 10 / 256 : 10);
  /** @type {string[]} */
  const upper = [];
  /** @type {string[]} */
  const lower = [];
  for (let i = 0; i < length; i++) {
    let [min, max] = [0, 0];
    for (let channel = 0; channel < channels; channel++) {
      const at = 2 * (i * channels + channel);
      min = Math.min(min, data[at] ?? 0);
      max = Math.max(max, data[at + 1] ?? 0);
    }
    const x = ((i * samples_per_pixel) / sample_rate).toFixed(2);
    upper.push(`${x} ${-Math.round(Math.max(max * scale, LEAST))}`);
    lower.push(`${x} ${-Math.round(Math.min(min * scale, -LEAST))}`);
  }
  const end = ((length * samples_per_pixel) / sample_rate).toFixed(2);
  return `M${upper.join("L")}L${end} 0L${lower.reverse().join("L")}Z`;
}
