// @ts-check
// Requests to the API of this server, with the session of the page.

/** What the API says about a request that it refuses. */
export class Refusal extends Error {
  /**
   * @param {number} status
   * @param {string} message
   * @param {string} [code] of the problem document, if there is one
   */
  constructor(status, message, code = "") {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/**
 * Sends a request and returns the JSON of the response, with its version.
 *
 * @param {string} method
 * @param {string} path relative to the page, such as `../api/v1/clips/…`
 * @param {{ body?: unknown, version?: string }} [options] `version`: the ETag of what is changed;
 *   a change of another version is refused with 412
 * @returns {Promise<{ json: any, version: string | undefined }>}
 * @throws {Refusal} if the API refuses it, and with status 0 if it cannot be reached
 */
export async function send(method, path, { body, version } = {}) {
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (version !== undefined) headers["If-Match"] = version;
  let response;
  try {
    response = await fetch(path, { method, headers, body: JSON.stringify(body) });
  } catch (error) {
    throw new Refusal(0, String(error));
  }
  if (!response.ok) throw await refusalOf(response);
  const json = response.status === 204 ? undefined : await response.json();
  return { json, version: response.headers.get("ETag") ?? undefined };
}

/**
 * What to say about a failed request.
 *
 * @param {unknown} error
 * @param {Record<string, string>} labels
 */
export function explain(error, labels) {
  const { status, message } = error instanceof Refusal ? error : { status: 0, message: "" };
  if (status === 412) return labels.changed_meanwhile ?? "";
  return status === 0 ? labels.failure ?? "" : message;
}

/**
 * The refusal that a response says, with its problem document if it has one.
 *
 * @param {Response} response
 * @returns {Promise<Refusal>}
 */
export async function refusalOf(response) {
  const { status, statusText } = response;
  try {
    const problem = await response.json();
    /** @type {{ field: string, message: string }[]} */
    const errors = problem.errors ?? [];
    const fields = errors.map(({ field, message }) => `${field} ${message}`).join("; ");
    const detail = fields || String(problem.detail ?? problem.title ?? statusText);
    return new Refusal(status, detail, String(problem.code ?? ""));
  } catch {
    return new Refusal(status, statusText || String(status));
  }
}
