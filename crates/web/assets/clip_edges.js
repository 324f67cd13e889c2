// @ts-check
// The edges of clips in the timeline: dragged with a pointer, or moved with keys.
import { Refusal, explain, send } from "./api.js";
import { once } from "./busy.js";
import { EDGES, addressOf, makeHandle, setTime, timesOf } from "./edge_handles.js";
import { exactClock } from "./page.js";

/** @typedef {import("./clips.js").Clips} Clips */
/** @typedef {import("./edge_handles.js").Edge} Edge */
/** @typedef {import("./edge_handles.js").Times} Times */
/** @typedef {import("./snap_times.js").SnapTimes} SnapTimes */
/** @typedef {import("./timeline.js").Timeline} Timeline */
/** @typedef {Record<string, string>} Labels */

/**
 * @typedef {object} Move
 * @property {HTMLElement} handle
 * @property {Edge} edge
 * @property {Times} before as the page shows them
 * @property {Times} times
 * @property {Promise<{ json: any, version: string | undefined }>} stored the clip, with its version
 * @property {number | undefined} pointerId `undefined`: it is moved with keys
 * @property {number} grip the time from the pointer to the edge, in seconds
 * @property {boolean} isSaving
 */

/** How far the arrow keys move an edge, in seconds. */
const STEP = 0.1;
const LARGE_STEP = 1;
/** Lower bound of the length of a clip, in seconds. */
const MIN_LENGTH = 0.1;
/** How close to a time an edge snaps to it, in pixels. */
const SNAP_DISTANCE = 8;

export class ClipEdges {
  /** @type {Move | undefined} */
  #move;
  /** The clip whose edges are reached with the tab key: with those of all clips, it would take
   * hundreds of steps to the next part of the page. */
  #current = "";
  #layer = document.createElement("div");
  #label = document.createElement("div");
  #guide = document.createElement("div");

  /**
   * @param {HTMLElement} section the timeline
   * @param {Timeline} timeline
   * @param {Clips} clips
   * @param {SnapTimes} snapTimes
   * @param {Labels} labels
   * @param {{ onChange: () => Promise<void>, notify: (text: string) => void }} page
   */
  constructor(section, timeline, clips, snapTimes, labels, page) {
    this.section = section;
    this.timeline = timeline;
    this.clips = clips;
    this.snapTimes = snapTimes;
    this.labels = labels;
    this.page = page;
    // Beside the track and not in it: a slider has no parts for those who do not see it.
    this.#layer.className = "clip-edges";
    this.#label.className = "edge-times";
    this.#guide.className = "edge-guide";
    this.sizes = new ResizeObserver(() => this.#placeAll());
    this.#layer.addEventListener("pointerdown", (event) => this.#grab(event));
    this.#layer.addEventListener("pointermove", (event) => this.#drag(event));
    this.#layer.addEventListener("pointerup", (event) => this.#release(event));
    this.#layer.addEventListener("pointercancel", () => this.#giveUp());
    this.#layer.addEventListener("keydown", (event) => this.#key(event));
    this.#layer.addEventListener("focusin", (event) => this.#focus(event));
    this.#layer.addEventListener("focusout", () => {
      if (this.#move && this.#move.pointerId === undefined) void this.#save();
    });
    this.#attach();
  }

  /** Takes over the timeline of a newer page, unless an edge is being moved. @param {Element} section */
  replace(section) {
    if (this.#move) return;
    const focused = document.activeElement;
    const { clip, edge } = focused instanceof HTMLElement ? focused.dataset : {};
    const hadFocus = focused !== null && this.#layer.contains(focused);
    this.timeline.replace(section);
    this.#attach();
    const again = `.edge[data-clip="${CSS.escape(clip ?? "")}"][data-edge="${edge}"]`;
    const handle = hadFocus ? this.#layer.querySelector(again) : null;
    if (handle instanceof HTMLElement) handle.focus({ preventScroll: true });
  }

  /** Makes handles for the clips that the timeline shows. */
  #attach() {
    this.sizes.disconnect();
    const [track, bars] = [this.#track, this.#bars];
    if (!track || !bars) return;
    const clips = this.#clipBars;
    if (!clips.some(({ dataset }) => dataset.clip === this.#current)) {
      this.#current = clips[0]?.dataset.clip ?? "";
    }
    const handles = clips.flatMap((bar) =>
      EDGES.map((edge) => makeHandle(bar, edge, this.labels)));
    for (const handle of handles) handle.tabIndex = handle.dataset.clip === this.#current ? 0 : -1;
    this.#label.hidden = this.#guide.hidden = true;
    this.#layer.replaceChildren(this.#guide, ...handles, this.#label);
    track.after(this.#layer);
    track.addEventListener("scroll", () => this.#placeAll(), { passive: true });
    this.sizes.observe(track);
    this.sizes.observe(bars);
    this.#placeAll();
  }

  get #track() {
    return /** @type {HTMLElement | null} */ (this.section.querySelector("#track"));
  }

  get #bars() {
    return /** @type {SVGElement | null} */ (this.section.querySelector("#bars"));
  }

  get #clipBars() {
    return /** @type {SVGElement[]} */ ([...this.section.querySelectorAll("#bars rect.clip[data-clip]")]);
  }

  /** The length of the recording, in seconds. */
  get #seconds() {
    return Number(this.section.dataset.seconds);
  }

  #placeAll() {
    const track = this.#track;
    if (!track) return;
    Object.assign(this.#layer.style, {
      left: `${track.offsetLeft + track.clientLeft}px`,
      top: `${track.offsetTop + track.clientTop}px`,
      width: `${track.clientWidth}px`,
      height: `${track.clientHeight}px`,
    });
    const move = this.#move;
    this.#place(this.#clipBars.map((bar) =>
      [bar, move && move.handle.dataset.clip === bar.dataset.clip ? move.times : timesOf(bar)]));
  }

  /**
   * Shows clips at these times. Everything is measured before anything is changed, because each
   * measurement after a change has the browser lay out the page again.
   *
   * @param {[SVGElement, Times][]} clips
   */
  #place(clips) {
    const [bars, layer] = [this.#bars?.getBoundingClientRect(), this.#layer.getBoundingClientRect()];
    if (!bars) return;
    const measured = clips.map(([bar, times]) => {
      const handles = this.#handlesOf(bar.dataset.clip ?? "");
      const { top, height } = bar.getBoundingClientRect();
      return { bar, times, handles, top, height, handleWidth: handles[0]?.offsetWidth ?? 0 };
    });
    const share = (/** @type {number} */ seconds) => seconds / this.#seconds;
    for (const { bar, times, handles, top, height, handleWidth } of measured) {
      const length = share(times.end - times.start);
      bar.parentElement?.setAttribute("x", `${share(times.start) * 100}%`);
      bar.parentElement?.setAttribute("width", `${length * 100}%`);
      for (const handle of handles) {
        const edge = handle.dataset.edge === "start" ? "start" : "end";
        handle.classList.toggle("narrow", length * bars.width < handleWidth * 2);
        handle.style.left = `${bars.left - layer.left + share(times[edge]) * bars.width}px`;
        handle.style.top = `${top - layer.top}px`;
        handle.style.height = `${height}px`;
        setTime(handle, times[edge]);
      }
    }
  }

  /** @param {string} clip */
  #handlesOf(clip) {
    const selector = `.edge[data-clip="${CSS.escape(clip)}"]`;
    return /** @type {HTMLElement[]} */ ([...this.#layer.querySelectorAll(selector)]);
  }

  /** @param {FocusEvent} event */
  #focus({ target }) {
    if (!(target instanceof HTMLElement) || !target.dataset.clip) return;
    for (const handle of this.#handlesOf(this.#current)) handle.tabIndex = -1;
    this.#current = target.dataset.clip;
    for (const handle of this.#handlesOf(this.#current)) handle.tabIndex = 0;
    this.#scrollTo(target);
  }

  /** Scrolls the track so that a handle is in view. @param {HTMLElement} handle */
  #scrollTo(handle) {
    const track = this.#track;
    if (!track) return;
    const at = handle.offsetLeft;
    if (at < 0 || at > track.clientWidth) track.scrollLeft += at - track.clientWidth / 2;
  }

  /**
   * @param {HTMLElement} handle
   * @param {{ pointerId?: number, grip?: number }} [pointer]
   */
  #begin(handle, { pointerId, grip = 0 } = {}) {
    const bar = this.#clipBars.find(({ dataset }) => dataset.clip === handle.dataset.clip);
    if (!bar) return undefined;
    const before = timesOf(bar);
    const edge = handle.dataset.edge === "start" ? "start" : "end";
    const stored = send("GET", addressOf(handle));
    // It is awaited when the edge is let go.
    stored.catch(() => {});
    this.#move = { handle, edge, before, times: { ...before }, stored, pointerId, grip, isSaving: false };
    handle.classList.add("is-moved");
    this.snapTimes.prepare(before[edge]);
    return this.#move;
  }

  /** @param {PointerEvent} event */
  #grab(event) {
    const handle = event.target;
    if (event.button !== 0 || !(handle instanceof HTMLElement) || !handle.dataset.clip) return;
    if (this.#move?.isSaving) return;
    event.preventDefault();
    // This saves what keys have moved at another edge.
    handle.focus({ preventScroll: true });
    if (this.#move) {
      void this.#save();
      return;
    }
    const time = Number(handle.getAttribute("aria-valuenow"));
    handle.setPointerCapture(event.pointerId);
    this.#begin(handle, { pointerId: event.pointerId, grip: time - this.#timeAt(event) });
  }

  /** @param {PointerEvent} event */
  #drag(event) {
    const [move, track] = [this.#move, this.#track];
    if (!move || !track || move.pointerId !== event.pointerId || move.isSaving) return;
    const { left, right } = track.getBoundingClientRect();
    if (event.clientX < left) track.scrollLeft -= left - event.clientX;
    if (event.clientX > right) track.scrollLeft += event.clientX - right;
    const seconds = this.#timeAt(event) + move.grip;
    const distance = event.altKey ? 0 : (SNAP_DISTANCE / (this.#bars?.clientWidth || 1)) * this.#seconds;
    this.snapTimes.loadWordsAround(seconds);
    this.#moveTo(move, seconds, event.altKey ? undefined : this.snapTimes.closest(seconds, distance));
  }

  /** The time at a pointer, in seconds. @param {PointerEvent} event */
  #timeAt(event) {
    const { left, width } = this.#bars?.getBoundingClientRect() ?? { left: 0, width: 1 };
    return ((event.clientX - left) / width) * this.#seconds;
  }

  /**
   * @param {Move} move
   * @param {number} seconds
   * @param {number | undefined} snapped the time to which it snaps
   */
  #moveTo(move, seconds, snapped) {
    const { edge, times } = move;
    const least = edge === "start" ? 0 : times.start + MIN_LENGTH;
    const most = edge === "start" ? times.end - MIN_LENGTH : this.#seconds;
    const isWithin = (/** @type {number} */ time) => time >= least && time <= most;
    const isSnapped = snapped !== undefined && isWithin(snapped);
    const within = Math.min(Math.max(seconds, least), most);
    times[edge] = isSnapped ? snapped : Math.round(within * 100) / 100;
    this.#show(move, isSnapped);
  }

  /**
   * @param {Move} move
   * @param {boolean} isSnapped
   */
  #show({ handle, times }, isSnapped) {
    const bar = this.#clipBars.find(({ dataset }) => dataset.clip === handle.dataset.clip);
    if (bar) this.#place([[bar, times]]);
    const length = Math.round((times.end - times.start) * 1000) / 1000;
    this.#label.textContent = `${exactClock(times.start)} – ${exactClock(times.end)} (${exactClock(length)})`;
    this.#label.hidden = false;
    this.#label.style.top = `${handle.offsetTop + handle.offsetHeight}px`;
    const most = this.#layer.clientWidth - this.#label.offsetWidth;
    const left = handle.offsetLeft - this.#label.offsetWidth / 2;
    this.#label.style.left = `${Math.max(0, Math.min(left, most))}px`;
    this.#guide.hidden = !isSnapped;
    this.#guide.style.left = handle.style.left;
  }

  /** @param {PointerEvent} event */
  #release(event) {
    if (this.#move?.pointerId === event.pointerId) void this.#save();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const handle = event.target;
    if (!(handle instanceof HTMLElement) || !handle.dataset.clip) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const isForward = event.key === "ArrowRight" || event.key === "ArrowUp";
    if (isForward || event.key === "ArrowLeft" || event.key === "ArrowDown") {
      this.#step(handle, (event.shiftKey ? LARGE_STEP : STEP) * (isForward ? 1 : -1));
    } else if (event.key === "Enter") {
      void this.#save();
    } else if (event.key === "Escape") {
      this.#giveUp();
    } else if (event.key === "PageUp" || event.key === "PageDown") {
      this.#goToClip(handle, event.key === "PageDown" ? 1 : -1);
    } else {
      return;
    }
    event.preventDefault();
  }

  /**
   * @param {HTMLElement} handle
   * @param {number} seconds
   */
  #step(handle, seconds) {
    if (this.#move?.isSaving || this.#move?.pointerId !== undefined) return;
    const move = this.#move ?? this.#begin(handle);
    if (!move) return;
    const moved = Math.round((move.times[move.edge] + seconds) * 1000) / 1000;
    this.#moveTo(move, moved, moved);
    this.#guide.hidden = true;
  }

  /**
   * Goes to the same edge of the next or the previous clip.
   *
   * @param {HTMLElement} handle
   * @param {number} step
   */
  #goToClip(handle, step) {
    const selector = `.edge[data-edge="${handle.dataset.edge}"]`;
    const handles = /** @type {HTMLElement[]} */ ([...this.#layer.querySelectorAll(selector)]);
    handles[handles.indexOf(handle) + step]?.focus({ preventScroll: true });
  }

  #giveUp() {
    const move = this.#move;
    if (!move || move.isSaving) return;
    move.times = move.before;
    this.#end(move);
  }

  async #save() {
    const move = this.#move;
    if (!move || move.isSaving) return;
    const { edge, before, times, handle } = move;
    // A form of the clip is saved as a whole.
    if (times[edge] === before[edge] || this.clips.takeTime(handle.dataset.clip ?? "", `${edge}_time`, times[edge])) {
      this.#end(move);
      return;
    }
    move.isSaving = true;
    await once(`edge ${handle.dataset.clip} ${edge}`, handle, () => this.#store(move));
  }

  /** @param {Move} move */
  async #store(move) {
    const { edge, before, times, handle } = move;
    try {
      const { json, version } = await move.stored;
      // The page may be older than the clip.
      const isShown = json.start_time === before.start && json.end_time === before.end;
      if (!isShown) throw new Refusal(412, "");
      await send("PATCH", addressOf(handle), { body: { [`${edge}_time`]: times[edge] }, version });
      this.page.notify("");
    } catch (error) {
      move.times = before;
      this.page.notify(explain(error, this.labels));
    }
    this.#end(move);
    void this.page.onChange();
  }

  /** @param {Move} move */
  #end(move) {
    const bar = this.#clipBars.find(({ dataset }) => dataset.clip === move.handle.dataset.clip);
    if (bar) {
      bar.dataset.start = String(move.times.start);
      bar.dataset.end = String(move.times.end);
      this.#place([[bar, move.times]]);
    }
    move.handle.classList.remove("is-moved");
    this.#label.hidden = this.#guide.hidden = true;
    this.#move = undefined;
  }
}
