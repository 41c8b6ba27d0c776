import { expect, it, vi } from "vitest";
import { severalAtOnce } from "../../provider/operations/several-at-once";
import { expectNotSideways } from "../browser/in-page";
import { openConsole } from "../browser/stack";
import { make } from "../contract/agent-support";
import { expectAccessible } from "../support/axe";
import { chromium } from "../support/browser";
import { makeTestHome } from "../support/data-home";
import { describeWith } from "../support/tools";

const COUNT = 200;
const NAMES = Array.from({ length: COUNT }, (_, i) => `shop-${String(i).padStart(3, "0")}`);
const STOPPED = "shop-123";

describeWith([chromium], `the console of ${COUNT} add-ons`, () => {
  it("lists them all, the one that is in trouble first, finds one, and can be read by everybody", async () => {
    vi.stubEnv("REDIS_ADDON_CONSOLE", "");
    await using home = await makeTestHome();
    await severalAtOnce(NAMES, (name) => make(home, name));
    // Nobody starts it again while it is so: it hangs, as a server does that the system doesn't let run.
    const pid = await home.serverPid(STOPPED);
    process.kill(pid, "SIGSTOP");
    try {
      await using browser = await openConsole(home, { width: "narrow" });
      const { page } = browser;
      const names = page.getByRole("table").getByRole("link");
      await expect.poll(() => names.allInnerTexts(), { timeout: 60_000 }).toHaveLength(COUNT);
      await expect.poll(() => names.first().innerText(), { timeout: 60_000 }).toBe(STOPPED);
      expect((await names.allInnerTexts()).toSorted()).toEqual(NAMES);
      await expectAccessible(page);
      await expectNotSideways(page);
      await browser.screenshot("crowd");

      await page.getByRole("searchbox").fill("199");
      await page.keyboard.press("Enter");
      await page.waitForURL(/q=199/);
      expect(await names.allInnerTexts()).toEqual(["shop-199"]);
      await names.first().click();
      await page.waitForURL(/\/addons\/shop-199$/);
      expect(await page.getByRole("heading", { level: 1 }).innerText()).toContain("shop-199");
    } finally {
      process.kill(pid, "SIGCONT");
    }
  });
});
