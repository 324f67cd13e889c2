// @ts-check
// What is done with recordings in the list: with one, or with all that are selected.
import { Refusal, send } from "./api.js";
import { once } from "./busy.js";
import { filled, required } from "./page.js";

/** @typedef {"cancel" | "retry" | "delete"} Action */

/** So many requests are sent at once. */
const MAX_REQUESTS = 4;
/** The greatest number of recordings whose refusal is explained. */
const MAX_REASONS = 5;

export class Selection {
  /** @type {Set<string>} the jobs that are selected; all are on the page */
  #selected = new Set();
  #isBusy = false;

  /**
   * @param {HTMLElement} list whose rows are replaced while it is shown
   * @param {any} labels
   * @param {() => void} onChange called when recordings were changed
   */
  constructor(list, labels, onChange) {
    this.list = list;
    this.labels = labels;
    this.onChange = onChange;
    this.bar = required("#selection");
    this.notice = required("#notice");
    list.addEventListener("change", (event) => {
      if (event.target instanceof HTMLInputElement) this.#select(event.target);
    });
    list.addEventListener("click", (event) => {
      const button = buttonOf(event);
      const row = button?.closest("tr");
      if (button && row) void this.#act(/** @type {Action} */ (button.dataset.action), [row]);
    });
    this.bar.addEventListener("click", (event) => {
      const action = buttonOf(event)?.dataset.action;
      if (action === "clear") {
        this.#selected.clear();
        this.restore();
      } else if (action) {
        const possible = /** @type {Action} */ (action);
        void this.#act(possible, this.#allowing(possible));
      }
    });
    this.restore();
  }

  /** Shows what is selected. To be called when the rows were replaced. */
  restore() {
    const rows = this.#rows();
    const shown = new Set(rows.map(({ dataset }) => dataset.jobId ?? ""));
    for (const jobId of this.#selected) {
      // A recording that is not on the page any more is not changed unseen.
      if (!shown.has(jobId)) this.#selected.delete(jobId);
    }
    for (const row of rows) {
      const box = row.querySelector("input");
      if (box) box.checked = this.#selected.has(row.dataset.jobId ?? "");
    }
    const all = this.list.querySelector("input[data-action=select-all]");
    if (all instanceof HTMLInputElement) {
      all.checked = rows.length > 0 && this.#selected.size === rows.length;
      all.indeterminate = this.#selected.size > 0 && !all.checked;
    }
    this.#showBar();
  }

  /** @param {HTMLInputElement} box */
  #select(box) {
    const row = box.closest("tr");
    const rows = box.dataset.action === "select-all" ? this.#rows() : row ? [row] : [];
    for (const { dataset } of rows) {
      const jobId = dataset.jobId ?? "";
      if (box.checked) this.#selected.add(jobId);
      else this.#selected.delete(jobId);
    }
    this.restore();
  }

  #showBar() {
    const count = this.#selected.size;
    this.bar.hidden = count === 0;
    required("#selected").textContent = count > 0 ? filled(this.labels.selected, { count }) : "";
    for (const button of this.bar.querySelectorAll("button")) {
      const { action, label } = button.dataset;
      if (!label) continue;
      const possible = this.#allowing(/** @type {Action} */ (action)).length;
      button.textContent = `${label} (${possible})`;
      button.disabled = this.#isBusy || possible === 0;
    }
  }

  /** @returns {HTMLTableRowElement[]} */
  #rows() {
    return Array.from(this.list.querySelectorAll("tr[data-job-id]"));
  }

  /**
   * The selected rows whose status allows an action: they have its button.
   *
   * @param {Action} action
   */
  #allowing(action) {
    return this.#rows().filter((row) => this.#selected.has(row.dataset.jobId ?? "")
      && row.querySelector(`button[data-action="${action}"]`) !== null);
  }

  /**
   * @param {Action} action
   * @param {HTMLTableRowElement[]} rows
   */
  async #act(action, rows) {
    const jobs = rows.map((row) => ({
      jobId: row.dataset.jobId ?? "",
      name: row.querySelector(".filename")?.textContent ?? "",
    }));
    const { confirm_one, confirm_many } = this.labels[action];
    const question = jobs.length === 1 ? confirm_one : confirm_many;
    if (this.#isBusy || jobs.length === 0) return;
    if (question && !window.confirm(filled(question, { count: jobs.length, name: jobs[0].name }))) return;
    // A button loses the focus when it is disabled.
    const pressed = document.activeElement;
    this.#isBusy = true;
    this.#showBar();
    /** @type {string[]} */
    const reasons = [];
    await once("change recordings", pressed, () => forEach(jobs, MAX_REQUESTS, async ({ jobId, name }) => {
      const reason = await this.#send(action, jobId);
      if (reason === undefined) this.#selected.delete(jobId);
      else reasons.push(`${name}: ${reason}`);
    }));
    this.#isBusy = false;
    this.#tell(action, jobs.length - reasons.length, reasons);
    this.restore();
    // The button that was pressed may go with its row or with the selection.
    const mayGo = action === "delete" || (pressed !== null && this.bar.contains(pressed));
    if (mayGo && [pressed, document.body].includes(document.activeElement)) this.notice.focus();
    this.onChange();
  }

  /**
   * @param {Action} action
   * @param {string} jobId
   * @returns {Promise<string | undefined>} why it was refused
   */
  async #send(action, jobId) {
    const job = `api/v1/jobs/${jobId}`;
    try {
      if (action === "delete") await send("DELETE", job);
      else await send("POST", `${job}/${action}`);
      return undefined;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      // Somebody else has deleted it.
      if (action === "delete" && error.status === 404) return undefined;
      return error.status === 0 ? this.labels.no_connection : error.message;
    }
  }

  /**
   * @param {Action} action
   * @param {number} done
   * @param {string[]} reasons
   */
  #tell(action, done, reasons) {
    const parts = done > 0 ? [filled(this.labels[action].done, { count: done })] : [];
    if (reasons.length > 0) {
      const more = reasons.length > MAX_REASONS ? "; …" : "";
      const text = reasons.slice(0, MAX_REASONS).join("; ") + more;
      parts.push(filled(this.labels.not_done, { count: reasons.length, reasons: text }));
    }
    this.notice.textContent = parts.join(", ");
    this.notice.classList.toggle("bad", reasons.length > 0);
    this.notice.hidden = false;
  }
}

/** @param {Event} event */
function buttonOf({ target }) {
  return target instanceof Element ? target.closest("button") ?? undefined : undefined;
}

/**
 * Calls a function for each item, a few at a time.
 *
 * @template T
 * @param {T[]} items
 * @param {number} limit
 * @param {(item: T) => Promise<void>} run
 */
async function forEach(items, limit, run) {
  const rest = items.values();
  const worker = async () => {
    for (const item of rest) await run(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
}
