// Runs an identity provider, and a browser in which a person signs in there, works and signs out.
// Prints tokens of programs as JSON.
//
//     node browser.mjs NODE_PACKAGES ISSUER LECTERN CLIENT_SECRET
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [packages, issuer, lectern, secret] = process.argv.slice(2);
const installed = createRequire(pathToFileURL(`${resolve(packages)}/package.json`));
const load = async (name) => import(pathToFileURL(installed.resolve(name)));
const { default: Provider } = await load("oidc-provider");
const { default: playwright } = await load("playwright-core");

const ROLES = "https://lectern.example/roles";
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const key = { ...privateKey.export({ format: "jwk" }), use: "sig", alg: "RS256" };

const program = (client_id) => ({
  client_id,
  client_secret: secret,
  grant_types: ["client_credentials"],
  response_types: [],
  redirect_uris: [],
});

const provider = new Provider(issuer, {
  jwks: { keys: [key] },
  cookies: { keys: ["a key of a test"] },
  clients: [
    { client_id: "lectern", client_secret: secret, redirect_uris: [`${lectern}/login/callback`] },
    program("owned"),
    program("without owner"),
  ],
  // Claims are in the ID token, and not only at the endpoint for them.
  conformIdTokenClaims: false,
  claims: { openid: ["sub", ROLES, "org"], email: ["email", "email_verified"], profile: ["preferred_username"] },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({
      sub: id,
      email: `${id}@example.org`,
      email_verified: true,
      preferred_username: id,
      [ROLES]: ["staff", "lecturers"],
      org: { team: "exams" },
    }),
  }),
  extraTokenClaims: (_, token) => (token.clientId === "owned" ? { org: { team: "exams" } } : {}),
  pkce: { required: () => true },
  features: {
    devInteractions: { enabled: true },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => undefined,
      getResourceServerInfo: (_, audience) => ({
        audience,
        scope: "",
        accessTokenFormat: "jwt",
        accessTokenTTL: 600,
        jwt: { sign: { alg: "RS256" } },
      }),
    },
  },
});
const server = provider.listen(Number(new URL(issuer).port), "127.0.0.1");

async function tokenOf(client, resource) {
  const credentials = [client, secret].map((text) => encodeURIComponent(text)).join(":");
  const response = await fetch(`${issuer}/token`, {
    method: "POST",
    headers: { Authorization: `Basic ${Buffer.from(credentials).toString("base64")}` },
    body: new URLSearchParams({ grant_type: "client_credentials", resource }),
  });
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()).access_token;
}

const browser = await playwright.chromium.launch({
  executablePath: "/usr/bin/chromium",
  // Chromium has no sandbox for root.
  args: process.getuid() === 0 ? ["--no-sandbox"] : [],
});
const context = await browser.newContext();
const page = await context.newPage();

// What a page gets of the service.
const call = (method, path, body) =>
  page.evaluate(
    async ([method, path, body]) => {
      const headers = body ? { "Content-Type": "application/json" } : {};
      const response = await fetch(path, { method, headers, body });
      const text = await response.text();
      return { status: response.status, json: text ? JSON.parse(text) : null };
    },
    [method, path, body && JSON.stringify(body)],
  );

await page.goto(`${lectern}/docs`);
assert.equal((await call("GET", "/api/v1/session")).status, 401);

await page.goto(`${lectern}/login?return_to=/docs`);
await page.fill("input[name=login]", "ada");
await page.fill("input[name=password]", "any");
await page.click("[type=submit]");
await page.waitForSelector("text=Authorize");
await page.click("[type=submit]");
await page.waitForURL(`${lectern}/docs`);

const session = await call("GET", "/api/v1/session");
assert.equal(session.status, 200);
assert.deepEqual(
  [session.json.person, session.json.role, session.json.owner],
  ["ada@example.org (ada)", "client", "exams"],
);
const cookies = await context.cookies(lectern);
const cookie = cookies.find(({ name }) => name === "lectern_session");
assert.deepEqual([cookie.httpOnly, cookie.sameSite], [true, "Strict"]);
assert.equal(await page.evaluate(() => document.cookie), "");
assert.ok(!cookies.some(({ name }) => name === "lectern_sign_in"));

const recording = { filename: "talk.mp4", file_size: 1, s3_key: "owners/exams/talk.mp4" };
const created = await call("POST", "/api/v1/jobs", recording);
assert.equal(created.status, 201, JSON.stringify(created));
assert.equal(created.json.owner_id, "exams");
const seen = await page.evaluate(
  (path) =>
    new Promise((resolve, reject) => {
      const events = new EventSource(path);
      events.addEventListener("snapshot", () => (events.close(), resolve("snapshot")));
      events.onerror = reject;
    }),
  `/api/v1/jobs/${created.json.job_id}/events`,
);
assert.equal(seen, "snapshot");

// A page of another port is of the same site for a browser, which sends it the cookie.
const foreign = await context.newPage();
await foreign.goto(`${issuer}/.well-known/openid-configuration`);
await foreign.evaluate(
  ([address, body]) =>
    fetch(address, { method: "POST", mode: "no-cors", credentials: "include", body: JSON.stringify(body) }),
  [`${lectern}/api/v1/jobs/${created.json.job_id}/cancel`, {}],
);
const job = await call("GET", `/api/v1/jobs/${created.json.job_id}`);
assert.notEqual(job.json.status, "cancelled");
const read = await foreign
  .evaluate((address) => fetch(address, { credentials: "include" }).then(() => "read"), `${lectern}/api/v1/jobs`)
  .catch(() => "refused");
assert.equal(read, "refused");

assert.equal((await call("DELETE", "/api/v1/session")).status, 204);
assert.equal((await call("GET", "/api/v1/session")).status, 401);
assert.ok(!(await context.cookies(lectern)).some(({ name }) => name === "lectern_session"));
await browser.close();

const resource = "https://lectern.example/api";
const tokens = {
  owned: await tokenOf("owned", resource),
  without_owner: await tokenOf("without owner", resource),
  other_audience: await tokenOf("owned", "https://other.example"),
};
console.log(JSON.stringify(tokens));

server.close();
process.exit(0);
