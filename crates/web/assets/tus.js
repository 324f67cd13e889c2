// @ts-check
// The requests of a resumable upload, in the protocol tus 1.0.0. Each throws a Refusal: with the
// status of the response, or with status 0 if the server cannot be reached.
import { Refusal, refusalOf } from "./api.js";

const VERSION = { "Tus-Resumable": "1.0.0" };

/**
 * @typedef {object} Progress
 * @property {number} offset bytes that have arrived
 * @property {number} expires when the upload can no longer be resumed, in milliseconds since 1970
 */

/**
 * Creates an upload. It cannot be aborted, because its address would be lost.
 *
 * @param {string} endpoint
 * @param {File} file
 * @param {string} key makes a repeated request return the upload of the first one
 * @returns {Promise<Progress & { url: string }>}
 */
export async function create(endpoint, file, key) {
  // Without a type, the server takes that of the extension, which it checks a type against.
  const headers = {
    "Upload-Length": String(file.size),
    "Upload-Metadata": `filename ${base64(file.name)}`,
    "Idempotency-Key": key,
  };
  const response = await request("POST", endpoint, { headers });
  const location = response.headers.get("Location") ?? "";
  return { url: new URL(location, response.url).href, ...progressOf(response.headers) };
}

/**
 * Asks how much of an upload has arrived.
 *
 * @param {string} url
 * @param {AbortSignal} [signal]
 * @returns {Promise<Progress & { size: number }>}
 */
export async function find(url, signal) {
  const response = await request("HEAD", url, { signal });
  return { size: Number(response.headers.get("Upload-Length")), ...progressOf(response.headers) };
}

/**
 * Appends bytes to an upload. What has arrived is kept if this breaks off.
 *
 * @param {string} url
 * @param {number} offset where the bytes belong
 * @param {Blob} bytes
 * @param {AbortSignal} signal
 * @param {(sent: number) => void} onProgress called with the bytes of this request that were sent
 * @returns {Promise<Progress>}
 */
export function append(url, offset, bytes, signal, onProgress) {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    // A request of `fetch` does not tell how much of its body was sent.
    const xhr = new XMLHttpRequest();
    const abort = () => xhr.abort();
    signal.addEventListener("abort", abort);
    xhr.upload.addEventListener("progress", (event) => onProgress(event.loaded));
    xhr.addEventListener("loadend", () => {
      signal.removeEventListener("abort", abort);
      const header = (/** @type {string} */ name) => xhr.getResponseHeader(name);
      if (signal.aborted) reject(signal.reason);
      else if (xhr.status === 0) reject(new Refusal(0, ""));
      else if (xhr.status < 300) resolve(progressOf({ get: header }));
      else {
        const { status, statusText } = xhr;
        void refusalOf(new Response(xhr.responseText, { status, statusText })).then(reject);
      }
    });
    xhr.open("PATCH", url);
    const type = "application/offset+octet-stream";
    const headers = { ...VERSION, "Upload-Offset": String(offset), "Content-Type": type };
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    xhr.send(bytes);
  });
}

/**
 * Deletes an upload, and its job unless all bytes have arrived.
 *
 * @param {string} url
 */
export async function remove(url) {
  await request("DELETE", url, {});
}

/**
 * @param {string} method
 * @param {string} url
 * @param {{ headers?: Record<string, string>, signal?: AbortSignal }} options
 */
async function request(method, url, { headers, signal }) {
  let response;
  try {
    response = await fetch(url, { method, headers: { ...VERSION, ...headers }, signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw new Refusal(0, String(error));
  }
  if (!response.ok) throw await refusalOf(response);
  return response;
}

/**
 * @param {{ get(name: string): string | null }} headers
 * @returns {Progress}
 */
function progressOf(headers) {
  const offset = Number(headers.get("Upload-Offset"));
  return { offset, expires: Date.parse(headers.get("Upload-Expires") ?? "") };
}

/**
 * Base64 of a text in UTF-8.
 *
 * @param {string} text
 */
function base64(text) {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
