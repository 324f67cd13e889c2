// @ts-check
// The player of a recording, as the other parts of the page use it.

/** Time before the address of a recording is asked for again after an error, in milliseconds. */
const RENEWAL_INTERVAL = 30_000;

export class Player {
  /** The end of the part that is played, in seconds. */
  #end = Infinity;
  #renewedAt = -Infinity;

  /**
   * @param {HTMLElement} section the part of the page with the player
   * @param {string} notPlayable what to say if the browser cannot play the recording
   * @param {() => Promise<string | undefined>} newAddress the address of the recording, again:
   *   it expires
   */
  constructor(section, notPlayable, newAddress) {
    this.section = section;
    this.notPlayable = notPlayable;
    this.newAddress = newAddress;
    /** @type {((seconds: number) => (() => void) | undefined)[]} */
    this.listeners = [];
    this.#attach();
  }

  /** @returns {HTMLMediaElement | undefined} */
  get media() {
    const media = this.section.querySelector("#media");
    return media instanceof HTMLMediaElement ? media : undefined;
  }

  /** The current position, in seconds. */
  get position() {
    return this.media?.currentTime ?? 0;
  }

  /**
   * @param {(seconds: number) => (() => void) | undefined} listener called when the position
   *   changes. It may measure and scroll the page, and returns what changes it: nothing is changed
   *   before all have measured, so that the page is laid out once.
   */
  onMove(listener) {
    this.listeners.push(listener);
  }

  /** @param {number} seconds */
  seek(seconds) {
    this.#end = Infinity;
    this.#moveTo(seconds);
  }

  /**
   * Plays a part of the recording.
   *
   * @param {number} start in seconds
   * @param {number} end in seconds
   */
  playPart(start, end) {
    const media = this.media;
    if (!media) return;
    this.#moveTo(start);
    this.#end = end;
    media.scrollIntoView({ block: "nearest" });
    // A browser may refuse to play, which its controls show.
    media.play().catch(() => {});
  }

  /**
   * Takes over the player of a newer page if this one has none or is of another kind.
   *
   * @param {Element} section
   */
  replace(section) {
    if (this.media && section.querySelector("#media")) {
      const captions = section.querySelector("#media track");
      if (captions && !this.media.querySelector("track")) this.media.append(captions);
      return;
    }
    this.section.replaceChildren(...section.childNodes);
    this.#attach();
  }

  /** @param {number} seconds */
  #moveTo(seconds) {
    const media = this.media;
    if (!media) return;
    const end = Number.isFinite(media.duration) ? media.duration : Infinity;
    media.currentTime = Math.min(Math.max(0, seconds), end);
  }

  #attach() {
    const media = this.media;
    if (!media) return;
    const moved = () => {
      if (media.currentTime >= this.#end) {
        media.pause();
        this.#end = Infinity;
      }
      const changes = this.listeners.map((listener) => listener(media.currentTime));
      for (const change of changes) change?.();
    };
    media.addEventListener("loadedmetadata", () => {
      media.hidden = false;
      this.section.querySelector(".placeholder")?.remove();
    });
    // While it plays, "timeupdate" comes four times a second at least.
    for (const event of ["timeupdate", "seeking", "loadedmetadata"]) media.addEventListener(event, moved);
    media.addEventListener("error", () => void this.#renew(media));
    // It may have failed before this script ran.
    if (media.error) void this.#renew(media);
  }

  /**
   * Asks for the address of the recording again, because the old one may have expired.
   *
   * @param {HTMLMediaElement} media
   */
  async #renew(media) {
    const isRecent = performance.now() - this.#renewedAt < RENEWAL_INTERVAL;
    this.#renewedAt = performance.now();
    const address = isRecent ? undefined : await this.newAddress();
    if (!address) {
      this.#explain();
      return;
    }
    const { currentTime, paused } = media;
    media.src = address;
    media.currentTime = currentTime;
    if (!paused) media.play().catch(() => {});
  }

  #explain() {
    if (this.section.querySelector(".placeholder")) return;
    const text = document.createElement("p");
    text.className = "placeholder";
    text.setAttribute("role", "status");
    text.textContent = this.notPlayable;
    this.section.prepend(text);
    // Nothing can be done with its controls.
    if (this.media) this.media.hidden = true;
  }
}
