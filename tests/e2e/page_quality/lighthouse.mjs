// Lighthouse on pages of a server, with both of its presets.
//
//     node lighthouse.mjs NODE_PACKAGES CHROMIUM
//
// Reads { urls, headers, categories, runs } as JSON from the standard input, and prints a list of
// { url, preset, scores, failures }: scores from 0 to 1, each the median of the runs, and what the
// audits found that count and are not passed.
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";

const [packages, chromePath] = process.argv.slice(2);
const installed = createRequire(pathToFileURL(`${resolve(packages)}/package.json`));
const load = async (name) => import(pathToFileURL(installed.resolve(name)));
const { default: lighthouse, desktopConfig } = await load("lighthouse");
const { launch } = await load("chrome-launcher");
const { urls, headers, categories, runs } = JSON.parse(await text(process.stdin));

// The pages follow events over a connection that does not end, and are quiet otherwise.
const settings = {
  onlyCategories: categories,
  extraHeaders: headers,
  locale: "en-US",
  ...(categories.includes("performance") ? {} : { networkQuietThresholdMs: 500, cpuQuietThresholdMs: 500 }),
};
const chromeFlags = ["--headless=new", ...(process.getuid() === 0 ? ["--no-sandbox"] : [])];

async function measure(url, preset) {
  // Each run has a new profile, as a first visit has.
  const chrome = await launch({ chromePath, chromeFlags });
  try {
    const config = preset === "desktop" ? desktopConfig : { extends: "lighthouse:default" };
    const flags = { port: chrome.port, output: "json", logLevel: "error", ...settings };
    const { lhr } = await lighthouse(url, flags, config);
    if (lhr.runtimeError) throw new Error(`${url}: ${lhr.runtimeError.message}`);
    return lhr;
  } finally {
    await chrome.kill();
  }
}

const median = (numbers) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

const found = [];
for (const url of urls) {
  for (const preset of ["desktop", "mobile"]) {
    const reports = [];
    for (let i = 0; i < runs; i++) reports.push(await measure(url, preset));
    const scores = {};
    const failures = [];
    for (const category of categories) {
      scores[category] = median(reports.map((report) => report.categories[category].score));
      for (const { id, weight } of reports[0].categories[category].auditRefs) {
        const { score, title, displayValue, details } = reports[0].audits[id];
        if (weight === 0 || score === null || score === 1) continue;
        const items = JSON.stringify(details?.items ?? []).slice(0, 1500);
        failures.push(`${category}: ${id}: ${title} ${displayValue ?? ""} ${score} ${items}`);
      }
    }
    found.push({ url, preset, scores, failures });
  }
}
console.log(JSON.stringify(found));
