// @ts-check
// The uploads of this browser that have not been finished. A page cannot keep a file when it is
// loaded again, but the address of its upload: the same file then continues it.

/**
 * @typedef {object} Entry
 * @property {string} fingerprint
 * @property {string} name of the file
 * @property {number} size of the file, in bytes
 * @property {string} url of the upload
 * @property {number} expires when it can no longer be resumed, in milliseconds since 1970
 */

const PREFIX = "lectern upload ";

/**
 * What tells a file from others, also after the page was loaded again.
 *
 * @param {File} file
 */
export function fingerprintOf({ name, size, type, lastModified }) {
  return JSON.stringify([name, size, type, lastModified]);
}

/**
 * The uploads of one caller to one server: those of other people at this browser, and of other
 * servers of the same host, are left alone. Without storage, uploads are not kept.
 */
export class Unfinished {
  /**
   * @param {string} endpoint at which uploads are created
   * @param {string} caller
   */
  constructor(endpoint, caller) {
    this.prefix = `${PREFIX}${new URL(endpoint, location.href).pathname} ${caller} `;
  }

  /**
   * @param {string} fingerprint
   * @returns {Entry | undefined}
   */
  find(fingerprint) {
    try {
      const entry = JSON.parse(localStorage.getItem(this.prefix + fingerprint) ?? "null");
      return entry?.expires > Date.now() ? entry : undefined;
    } catch {
      return undefined;
    }
  }

  /** The name of the lock that a tab has while it sends a file. @param {string} fingerprint */
  lockName(fingerprint) {
    return this.prefix + fingerprint;
  }

  /** Whether a tab is sending a file. @param {string} fingerprint */
  async isSent(fingerprint) {
    const locks = await navigator.locks?.query();
    return locks?.held?.some(({ name }) => name === this.lockName(fingerprint)) ?? false;
  }

  /** @param {Entry} entry */
  keep(entry) {
    try {
      localStorage.setItem(this.prefix + entry.fingerprint, JSON.stringify(entry));
    } catch {
      // The storage is full, or not allowed.
    }
  }

  /** @param {string} fingerprint */
  forget(fingerprint) {
    try {
      localStorage.removeItem(this.prefix + fingerprint);
    } catch {
      // As above.
    }
  }

  /**
   * Calls a function when another tab has finished or cancelled an upload of this caller.
   *
   * @param {(fingerprint: string) => void} onEnd
   */
  watch(onEnd) {
    window.addEventListener("storage", ({ key, newValue }) => {
      if (newValue === null && key?.startsWith(this.prefix)) onEnd(key.slice(this.prefix.length));
    });
  }

  /**
   * All of this caller. Removes those that have expired, also of others.
   *
   * @returns {Entry[]}
   */
  all() {
    const found = [];
    try {
      for (const key of Object.keys(localStorage).filter((key) => key.startsWith(PREFIX))) {
        const entry = parse(localStorage.getItem(key));
        if (!entry || !(entry.expires > Date.now())) localStorage.removeItem(key);
        else if (key.startsWith(this.prefix)) found.push(entry);
      }
    } catch {
      // As above.
    }
    return found;
  }
}

/**
 * @param {string | null} text
 * @returns {Entry | undefined}
 */
function parse(text) {
  try {
    return JSON.parse(text ?? "null") ?? undefined;
  } catch {
    return undefined;
  }
}
