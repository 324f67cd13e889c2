// @ts-check
// One file on its way to the server.
import { Refusal } from "./api.js";
import * as tus from "./tus.js";
import { fingerprintOf } from "./unfinished.js";

/** @typedef {import("./unfinished.js").Unfinished} Unfinished */
/** @typedef {"waiting" | "running" | "retrying" | "paused" | "failed" | "complete"} State */

/** The body of a request has at most so many bytes: a proxy may keep it until it is complete. */
const PART_BYTES = 16 << 20;
/** Proxies refuse large bodies: nginx, by default, of more than a mebibyte. */
const MIN_PART_BYTES = 256 << 10;
/** The time until the second attempt; each further one takes twice as long. In milliseconds. */
const FIRST_DELAY = 1000;
/** The longest time between two attempts, in milliseconds. */
const MAX_DELAY = 30_000;

export class Upload {
  /** @type {State} */
  state = "waiting";
  /** Why the upload has failed: a key of the words for errors. */
  error = "";
  /** What the server says about it. */
  detail = "";
  /** Bytes that were sent. Not all have arrived if they were interrupted. */
  sent = 0;
  /** Milliseconds until the next attempt. */
  delay = 0;
  /** @type {string | undefined} The job of the recording, once the upload was created. */
  jobId;
  /** @type {string | undefined} */
  #url;
  #partBytes = PART_BYTES;
  #stop = new AbortController();
  #running = Promise.resolve();
  // Of the request that creates the upload: a repeated one creates no other.
  #key = randomKey();

  /**
   * @param {File} file
   * @param {string} endpoint at which uploads are created
   * @param {Unfinished} unfinished
   * @param {() => void} onChange called when the state or the progress has changed
   */
  constructor(file, endpoint, unfinished, onChange) {
    this.file = file;
    this.endpoint = endpoint;
    this.unfinished = unfinished;
    this.onChange = onChange;
    this.fingerprint = fingerprintOf(file);
    this.#url = unfinished.find(this.fingerprint)?.url;
  }

  /** Sends the file until all bytes have arrived, or it is paused or refused. */
  start() {
    const stop = new AbortController();
    this.#stop = stop;
    this.#change("running");
    this.#running = this.#running.then(() => this.#sendAlone(stop.signal));
    return this.#running;
  }

  /** Is to be started later. */
  wait() {
    if (this.state !== "waiting") this.#stop.abort();
    this.#change("waiting");
  }

  /** Stops sending. What has arrived stays at the server. */
  pause() {
    this.#stop.abort();
    this.#change("paused");
  }

  /**
   * Stops sending, and deletes what has arrived.
   *
   * @throws {Refusal} if the server refuses that
   */
  async cancel() {
    this.pause();
    await this.#running;
    if (this.#url) await removeUpload(this.#url);
    this.#forget();
  }

  /**
   * Sends the file, unless another tab does: the two would interrupt each other.
   *
   * @param {AbortSignal} signal
   */
  async #sendAlone(signal) {
    if (signal.aborted) return;
    // Browsers have no locks where the page has no TLS.
    if (!navigator.locks) return this.#send(signal);
    await navigator.locks.request(this.unfinished.lockName(this.fingerprint), { ifAvailable: true }, async (lock) => {
      if (lock) await this.#send(signal);
      else this.#fail("other_tab");
    });
  }

  /** @param {AbortSignal} signal */
  async #send(signal) {
    for (let failures = 0; ; ) {
      const before = this.sent;
      try {
        await this.#sendRest(signal);
        this.#forget();
        this.#change("complete");
        return;
      } catch (error) {
        if (signal.aborted) return;
        const reason = reasonOf(error);
        if (reason === "gone") this.#forget();
        if (reason) {
          this.#fail(reason, error);
          return;
        }
      }
      failures = this.sent > before ? 1 : failures + 1;
      this.delay = Math.min(MAX_DELAY, FIRST_DELAY * 2 ** (failures - 1));
      this.#change("retrying");
      await pauseFor(this.delay, signal);
      if (signal.aborted) return;
      this.#change("running");
    }
  }

  /**
   * Sends what has not arrived yet.
   *
   * @param {AbortSignal} signal
   */
  async #sendRest(signal) {
    let { url, offset } = await this.#begin(signal);
    this.#progress(offset);
    while (offset < this.file.size) {
      const part = this.file.slice(offset, offset + this.#partBytes);
      await checkReadable(part);
      try {
        const progress = await tus.append(url, offset, part, signal, (sent) => {
          this.#progress(offset + Math.min(sent, part.size));
        });
        offset = progress.offset;
        this.#keep(url, progress.expires);
        this.#progress(offset);
      } catch (error) {
        if (!this.#takesSmallerParts(error)) throw error;
      }
    }
  }

  /**
   * Creates the upload, or finds how much of it has arrived.
   *
   * @param {AbortSignal} signal
   * @returns {Promise<{ url: string, offset: number }>}
   */
  async #begin(signal) {
    // Another tab may have begun it since.
    this.#url ??= this.unfinished.find(this.fingerprint)?.url;
    if (this.#url) {
      const { offset, size, expires } = await tus.find(this.#url, signal);
      if (size !== this.file.size) throw new Refusal(404, "");
      this.#keep(this.#url, expires);
      return { url: this.#url, offset };
    }
    const { url, offset, expires } = await tus.create(this.endpoint, this.file, this.#key);
    this.#keep(url, expires);
    signal.throwIfAborted();
    return { url, offset };
  }

  /**
   * Whether a proxy has refused a body for its size, and smaller ones are sent from now on.
   *
   * @param {unknown} error
   */
  #takesSmallerParts(error) {
    // The service itself names the problem.
    const isOfProxy = error instanceof Refusal && error.status === 413 && error.code === "";
    if (!isOfProxy || this.#partBytes <= MIN_PART_BYTES) return false;
    const half = Math.floor(Math.min(this.#partBytes, this.file.size) / 2);
    this.#partBytes = Math.max(MIN_PART_BYTES, half);
    return true;
  }

  /**
   * @param {string} url
   * @param {number} expires
   */
  #keep(url, expires) {
    this.#url = url;
    this.jobId = url.split("/").at(-1);
    const { name, size } = this.file;
    this.unfinished.keep({ fingerprint: this.fingerprint, name, size, url, expires });
  }

  #forget() {
    this.#key = randomKey();
    this.#url = undefined;
    this.unfinished.forget(this.fingerprint);
  }

  /** @param {number} sent */
  #progress(sent) {
    this.sent = sent;
    this.onChange();
  }

  /** @param {State} state */
  #change(state) {
    this.state = state;
    this.onChange();
  }

  /**
   * @param {string} reason
   * @param {unknown} [error]
   */
  #fail(reason, error) {
    this.error = reason;
    this.detail = error instanceof Error ? error.message : "";
    this.#change("failed");
  }
}

/**
 * Deletes an upload, unless it is gone already.
 *
 * @param {string} url
 * @throws {Refusal}
 */
export async function removeUpload(url) {
  try {
    await tus.remove(url);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

/**
 * Whether an upload does not exist any more, or takes no more bytes.
 *
 * @param {unknown} error
 */
export function isGone(error) {
  if (!(error instanceof Refusal)) return false;
  return [404, 410].includes(error.status) || (error.status === 409 && !isOffset(error));
}

/**
 * Whether the bytes belong elsewhere, which the server says when asked. A response to HEAD has
 * no code.
 *
 * @param {Refusal} error
 */
function isOffset(error) {
  return error.code === "upload_offset_mismatch";
}

/**
 * Why an upload cannot go on; `undefined` if it can later.
 *
 * @param {unknown} error
 * @returns {string | undefined}
 */
function reasonOf(error) {
  if (error instanceof DOMException) return "unreadable";
  if (!(error instanceof Refusal)) return "refused";
  if (isGone(error)) return "gone";
  const { status, code, message } = error;
  if (status === 401) return "signed_out";
  if (status === 403) return "forbidden";
  if (status === 413) return "too_large";
  if (code === "quota_exceeded") return "quota";
  if (status === 507) return "disk_full";
  if (code === "validation_failed") {
    if (message.startsWith("Upload-Length")) return "empty";
    if (message.startsWith("Upload-Metadata.filename must end in")) return "wrong_type";
  }
  // Those of proxies, of a rate limit, and of another request that still appends.
  const isTemporary = status === 0 || status >= 500 || [408, 423, 425, 429].includes(status);
  return isTemporary || isOffset(error) ? undefined : "refused";
}

/**
 * Fails if a file was removed or changed, which a request reports like a broken connection.
 *
 * @param {Blob} part
 * @throws {DOMException}
 */
async function checkReadable(part) {
  await part.slice(0, 1).arrayBuffer();
}

/**
 * Waits, but no longer than until the connection is back.
 *
 * @param {number} milliseconds
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function pauseFor(milliseconds, signal) {
  return new Promise((resolve) => {
    const end = () => {
      window.clearTimeout(timer);
      window.removeEventListener("online", end);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = window.setTimeout(end, milliseconds);
    window.addEventListener("online", end);
    signal.addEventListener("abort", end);
  });
}

/** A key for `Idempotency-Key`. `crypto.randomUUID` is missing where the page has no TLS. */
function randomKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
