// Draws a page after its recording has been played for a moment.
//
//     node picture.mjs CHROMIUM URL FILE.png
import { chromium } from "playwright-core";

const [executablePath, url, path] = process.argv.slice(2);

const browser = await chromium.launch({
  executablePath,
  // Chromium has no sandbox for root.
  args: process.getuid() === 0 ? ["--no-sandbox"] : [],
});
const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, colorScheme: "light", locale: "en-GB" });
await page.goto(url);
await page.evaluate(async () => {
  const player = document.querySelector("video");
  const shown = new Promise((resolve) => player.addEventListener("seeked", resolve, { once: true }));
  player.muted = true;
  player.currentTime = 32;
  await shown;
});
await page.screenshot({ path });
await browser.close();
