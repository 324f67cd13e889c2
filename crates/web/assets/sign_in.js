// @ts-check
// Begins a session with a key, and shows the page that was asked for.
import { required } from "./page.js";

const form = required("#sign-in");
const key = /** @type {HTMLInputElement} */ (required("#key"));
const problem = required("#problem");
const { api = "", notAccepted, mayNotRead, failure } = form.dataset;

/**
 * Begins a session; ends it again if it may not read what the pages show.
 *
 * @returns {Promise<string | undefined>} why there is none
 */
async function signIn() {
  const entered = key.value.trim();
  // Other characters cannot be in a header.
  if (!/^[\x21-\x7e]+$/.test(entered)) return notAccepted;
  const headers = { Authorization: `Bearer ${entered}` };
  const response = await fetch(api, { method: "POST", headers });
  if (response.status === 401) return notAccepted;
  if (!response.ok) return failure;
  /** @type {{ scopes: string[] }} */
  const session = await response.json();
  if (session.scopes.includes("jobs:read")) return undefined;
  await fetch(api, { method: "DELETE" });
  return mayNotRead;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  problem.textContent = "";
  const reason = await signIn().catch(() => failure);
  if (reason === undefined) {
    location.reload();
    return;
  }
  problem.textContent = reason;
  key.select();
});
key.focus();
