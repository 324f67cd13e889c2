// @ts-check
// The list of files on their way to the server, and of those that were interrupted.
import { Refusal } from "./api.js";
import { once } from "./busy.js";
import { filled, required } from "./page.js";
import * as tus from "./tus.js";
import { Unfinished, fingerprintOf } from "./unfinished.js";
import { Upload, isGone, removeUpload } from "./upload.js";

/** @typedef {import("./unfinished.js").Entry} Entry */

/** So many files are sent at once; others wait. */
const MAX_RUNNING = 2;
const ENDPOINT = "api/v1/uploads/tus";

/** The buttons of an upload in each state. */
const BUTTONS = {
  waiting: ["cancel"],
  running: ["pause", "cancel"],
  retrying: ["resume", "pause", "cancel"],
  paused: ["resume", "cancel"],
  failed: ["resume", "cancel"],
  complete: ["hide"],
  unfinished: ["choose", "cancel"],
};
/**
 * The buttons of an upload that has failed for a reason that lasts.
 *
 * @type {Record<string, string[]>}
 */
const BUTTONS_OF_ERRORS = {
  too_large: ["hide"],
  empty: ["hide"],
  wrong_type: ["hide"],
  forbidden: ["hide"],
  // What the other tab has sent is not deleted from here.
  other_tab: ["resume", "hide"],
  unreadable: ["choose", "cancel"],
};

/**
 * An upload as it is shown.
 *
 * @typedef {object} Item
 * @property {HTMLElement} element
 * @property {string} name
 * @property {number} size
 * @property {Upload} [upload] of a file that was chosen since the page was loaded
 * @property {Entry} [entry] otherwise
 * @property {number} arrived bytes that have arrived, of an entry
 * @property {boolean} isElsewhere whether another tab was sending it when it was listed
 * @property {boolean} hasJob whether the list of recordings was told of its job
 */

export class Uploads {
  /** @type {Map<string, Item>} by fingerprint */
  #items = new Map();

  /**
   * @param {HTMLElement} section
   * @param {() => void} onJobs called when jobs were created, queued or deleted
   */
  constructor(section, onJobs) {
    this.labels = JSON.parse(section.dataset.labels ?? "{}");
    this.onJobs = onJobs;
    this.unfinished = new Unfinished(ENDPOINT, section.dataset.caller ?? "");
    this.input = /** @type {HTMLInputElement} */ (section.querySelector("input[type=file]"));
    this.list = /** @type {HTMLElement} */ (section.querySelector(".upload-list"));
    this.template = /** @type {HTMLTemplateElement} */ (section.querySelector("template"));
    this.input.addEventListener("change", () => {
      this.add(this.input.files ?? []);
      // The same file can be chosen again.
      this.input.value = "";
    });
    this.list.addEventListener("click", (event) => {
      const button = event.target instanceof Element ? event.target.closest("button") : undefined;
      const fingerprint = button?.closest("li")?.dataset.fingerprint ?? "";
      const item = this.#items.get(fingerprint);
      if (button && item) void this.#act(button.dataset.action ?? "", fingerprint, item);
    });
    takeDroppedFiles(section, (files) => this.add(files));
    window.addEventListener("beforeunload", (event) => {
      if (this.#running().length > 0) event.preventDefault();
    });
    for (const entry of this.unfinished.all()) void this.#listUnfinished(entry);
    this.unfinished.watch((fingerprint) => {
      const item = this.#items.get(fingerprint);
      if (item && (!item.upload || isOfOtherTab(item))) this.#takeOff(fingerprint, item);
    });
  }

  /**
   * Uploads files, or continues their uploads.
   *
   * @param {Iterable<File>} files
   */
  add(files) {
    for (const file of files) {
      const fingerprint = fingerprintOf(file);
      const found = this.#items.get(fingerprint);
      if (found?.upload && found.upload.state !== "complete") {
        // It is here already: choosing it again continues it.
        found.upload.file = file;
        if (["paused", "failed"].includes(found.upload.state)) this.#queue(found.upload);
        continue;
      }
      found?.element.remove();
      const item = this.#show(fingerprint, file.name, file.size);
      item.upload = new Upload(file, ENDPOINT, this.unfinished, () => this.#update(item));
      this.#update(item);
    }
    this.#startNext();
  }

  /** @returns {Upload[]} */
  #running() {
    const uploads = Array.from(this.#items.values(), ({ upload }) => upload);
    return uploads.filter((upload) => upload !== undefined)
      .filter(({ state }) => state === "running" || state === "retrying");
  }

  /** Starts uploads that wait, in their order. */
  #startNext() {
    for (const { upload } of this.#items.values()) {
      if (this.#running().length >= MAX_RUNNING) return;
      if (upload?.state === "waiting") void this.#run(upload);
    }
  }

  /** @param {Upload} upload */
  #queue(upload) {
    upload.wait();
    this.#startNext();
  }

  /** @param {Upload} upload */
  async #run(upload) {
    const { name } = upload.file;
    await upload.start();
    if (upload.state === "complete") this.#announce(this.labels.announce_complete, name);
    if (upload.state === "failed") this.#announce(this.labels.announce_failed, name);
    this.onJobs();
    this.#startNext();
  }

  /**
   * Says what has happened to those who do not see it.
   *
   * @param {string} text
   * @param {string} name
   */
  #announce(text, name) {
    required("#upload-announcement").textContent = filled(text, { name });
  }

  /**
   * Lists an upload whose file has to be chosen again, unless it has ended meanwhile.
   *
   * @param {Entry} entry
   */
  async #listUnfinished(entry) {
    const item = this.#show(entry.fingerprint, entry.name, entry.size);
    item.entry = entry;
    this.#update(item);
    item.isElsewhere = await this.unfinished.isSent(entry.fingerprint);
    try {
      const { offset, size } = await tus.find(entry.url);
      item.arrived = offset;
      // The last response was lost.
      if (offset === size) this.#remove(entry.fingerprint, item);
    } catch (error) {
      // If the server cannot be reached, the upload may still be there.
      if (isGone(error)) this.#remove(entry.fingerprint, item);
    }
    this.#update(item);
  }

  /**
   * @param {string} action
   * @param {string} fingerprint
   * @param {Item} item
   */
  async #act(action, fingerprint, item) {
    const { upload } = item;
    if (action === "choose") this.input.click();
    if (action === "pause") upload?.pause();
    if (action === "resume" && upload) this.#queue(upload);
    if (action === "hide" && isOfOtherTab(item)) this.#takeOff(fingerprint, item);
    else if (action === "hide") this.#remove(fingerprint, item);
    if (action === "cancel") {
      await once(`cancel ${fingerprint}`, item.element, () => this.#cancel(fingerprint, item));
    }
    this.#startNext();
  }

  /**
   * @param {string} fingerprint
   * @param {Item} item
   */
  async #cancel(fingerprint, item) {
    const { upload, entry } = item;
    const hasBegun = entry !== undefined || upload?.jobId !== undefined;
    if (hasBegun && !window.confirm(filled(this.labels.confirm_cancel, item))) return;
    try {
      await (upload ? upload.cancel() : removeUpload(entry?.url ?? ""));
      this.#remove(fingerprint, item);
      this.onJobs();
    } catch (error) {
      const reason = error instanceof Refusal ? error.message : String(error);
      const state = item.element.querySelector(".upload-state");
      if (state) state.textContent = filled(this.labels.errors.refused, { reason });
    }
  }

  /**
   * Takes an upload off the list, and no longer remembers it.
   *
   * @param {string} fingerprint
   * @param {Item} item
   */
  #remove(fingerprint, item) {
    if (this.#takeOff(fingerprint, item)) this.unfinished.forget(fingerprint);
  }

  /**
   * Takes an upload off the list, and leaves what is remembered to another tab.
   *
   * @param {string} fingerprint
   * @param {Item} item
   * @returns {boolean} whether it was on the list
   */
  #takeOff(fingerprint, item) {
    item.element.remove();
    return this.#items.get(fingerprint) === item && this.#items.delete(fingerprint);
  }

  /**
   * @param {string} fingerprint
   * @param {string} name
   * @param {number} size
   * @returns {Item}
   */
  #show(fingerprint, name, size) {
    const copy = /** @type {DocumentFragment} */ (this.template.content.cloneNode(true));
    const element = /** @type {HTMLElement} */ (copy.querySelector("li"));
    element.dataset.fingerprint = fingerprint;
    const shownName = /** @type {HTMLElement} */ (element.querySelector(".upload-name"));
    shownName.textContent = name;
    element.querySelector("progress")?.setAttribute("aria-label", name);
    for (const button of element.querySelectorAll("button")) {
      button.setAttribute("aria-label", `${button.textContent}: ${name}`);
    }
    this.list.append(element);
    const item = { element, name, size, arrived: 0, isElsewhere: false, hasJob: false };
    this.#items.set(fingerprint, item);
    return item;
  }

  /** @param {Item} item */
  #update(item) {
    const { element, upload, size } = item;
    if (upload?.jobId && !item.hasJob) {
      item.hasJob = true;
      this.onJobs();
    }
    const state = upload?.state ?? "unfinished";
    element.dataset.state = state;
    const bar = /** @type {HTMLProgressElement} */ (element.querySelector("progress"));
    const sent = state === "complete" ? size : upload?.sent ?? item.arrived;
    bar.value = size > 0 ? sent / size : 0;
    const text = /** @type {HTMLElement} */ (element.querySelector(".upload-state"));
    text.textContent = this.#text(state, sent, item);
    const ofError = state === "failed" ? BUTTONS_OF_ERRORS[upload?.error ?? ""] : undefined;
    const buttons = ofError ?? (item.isElsewhere && !upload ? ["choose", "hide"] : BUTTONS[state]);
    for (const button of element.querySelectorAll("button")) {
      button.hidden = !buttons.includes(button.dataset.action ?? "");
    }
    const link = /** @type {HTMLAnchorElement} */ (element.querySelector("a"));
    link.hidden = state !== "complete";
    if (!link.hidden) link.href = `jobs/${upload?.jobId}`;
  }

  /**
   * @param {keyof typeof BUTTONS} state
   * @param {number} sent
   * @param {Item} item
   */
  #text(state, sent, { upload, size, isElsewhere }) {
    const { labels } = this;
    if (isElsewhere && !upload) return labels.errors.other_tab;
    const values = { sent: fileSize(sent), size: fileSize(size), seconds: "", reason: "" };
    if (state === "failed") {
      return filled(labels.errors[upload?.error ?? ""] ?? "", { ...values, reason: upload?.detail ?? "" });
    }
    if (state === "retrying") values.seconds = String(Math.round((upload?.delay ?? 0) / 1000));
    if (state === "running") return filled(upload?.jobId ? labels.sent : labels.starting, values);
    return filled(labels[state], values);
  }
}

/** Whether another tab sends a file, so that this one must not forget or delete it. @param {Item} item */
function isOfOtherTab({ upload, isElsewhere }) {
  return upload ? upload.state === "failed" && upload.error === "other_tab" : isElsewhere;
}

/**
 * Takes the files that are dropped anywhere on the page. The browser would open them.
 *
 * @param {HTMLElement} section is marked while files are above the page
 * @param {(files: Iterable<File>) => void} onFiles
 */
function takeDroppedFiles(section, onFiles) {
  const hasFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    section.classList.add("dragged");
  });
  document.addEventListener("dragleave", (event) => {
    // Out of the window.
    if (!event.relatedTarget) section.classList.remove("dragged");
  });
  document.addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    section.classList.remove("dragged");
    onFiles(event.dataTransfer?.files ?? []);
  });
}

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];

/**
 * A size in the largest decimal unit that leaves at least 1.
 *
 * @param {number} bytes
 */
function fileSize(bytes) {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const size = bytes / 1000 ** power;
  const format = new Intl.NumberFormat(document.documentElement.lang, {
    style: "unit",
    unit: UNITS[power],
    maximumFractionDigits: power > 0 && size < 10 ? 1 : 0,
  });
  return format.format(size);
}
