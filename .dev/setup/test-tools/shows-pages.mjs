// Whether a browser does what tests want of it: one that only says its version may still lack a library.

/** @param {string} executablePath @throws {Error} why it doesn't show a page */
export async function showsPages(executablePath) {
  // Set-up installs this package: where a script is only loaded, it may not be there yet.
  const { chromium } = await import("playwright-core");
  const browser = await chromium.launch({ executablePath });
  try {
    const page = await browser.newPage();
    await page.setContent("<p>shown</p>");
    if ((await page.innerText("p")) !== "shown") throw new Error(`${executablePath} shows no pages`);
  } finally {
    await browser.close();
  }
}
