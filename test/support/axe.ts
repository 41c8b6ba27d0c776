import { type AxeResults, type NodeResult, type Result, source } from "axe-core";
import type { Page } from "playwright-core";

/**
 * Throws what people with a screen reader, a keyboard alone or weak eyes could not use on the page as it is now. Not in
 * a browser without JavaScript: axe-core is a script that waits.
 */
export async function expectAccessible(page: Page): Promise<void> {
  // By the debugger, whose scripts the page's security policy does not hold back.
  await page.evaluate(source);
  const run = "axe.run(document, { resultTypes: ['violations'] })";
  const { violations } = await page.evaluate<AxeResults>(run);
  const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  if (grave.length === 0) return;
  throw new Error([`axe-core finds on "${await page.title()}":`, ...grave.map(inWords)].join("\n\n"));
}

function inWords({ id, impact, help, helpUrl, nodes }: Result): string {
  return [`${id} (${impact}): ${help}; ${helpUrl}`, ...nodes.map(elementInWords)].join("\n");
}

function elementInWords({ target, failureSummary, html }: NodeResult): string {
  const summary = (failureSummary ?? "").replaceAll(/\s*\n\s*/g, " ");
  return `  ${target.join(" ")}: ${summary}\n    ${html.slice(0, 200)}`;
}
