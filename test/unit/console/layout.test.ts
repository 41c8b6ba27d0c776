import { describe, expect, it } from "vitest";
import { html, type Html } from "../../../provider/console/html";
import { page, TABS } from "../../../provider/console/pages/layout";
import { asSentence } from "../../../provider/console/pages/parts/sentence";
import { ago, momentAndAge } from "../../../provider/console/pages/parts/time";
import { NOW, shownAddon } from "../../support/shown-addon";

const HTML = `"'><script>alert(1)</script>`;

const { home } = shownAddon({ name: "cache" });

describe("a page", () => {
  it("leads to the tabs of its add-on, and says which one it is", async () => {
    const text = await shown(
      page({ title: "cache", addon: { name: "cache", tab: "backups" }, body: html`` }),
    );
    for (const { title, path } of Object.values(TABS))
      expect(text).toMatch(new RegExp(`<a href="/addons/cache${path}"[^>]*>${title}</a>`));
    expect(text.match(/<a [^>]*aria-current="page"[^>]*>/g)).toEqual([
      `<a href="/addons/cache/backups" aria-current="page">`,
    ]);
    expect(text).toContain("<title>cache · Backups · Redis add-ons</title>");
  });

  it("below a tab has a title of its own, and leads back to the tab", async () => {
    const addon = { name: "cache", tab: "backups", subpage: "Delete one" } as const;
    const text = await shown(page({ title: "cache", addon, body: html`` }));
    expect(text).toContain("<title>Delete one · cache · Backups · Redis add-ons</title>");
    expect(text).toContain(`<li><a href="/addons/cache/backups">Backups</a></li>`);
    expect(text).toContain(`<li aria-current="page">Delete one</li>`);
  });

  it("names the machine and the data home, and lets whoever is logged in log out", async () => {
    const text = await shown(page({ title: "Add-ons", home, body: html`` }));
    expect(text).toContain("<b>machine-1</b> <span>/home/ada/.local/share/redis-addon</span>");
    expect(text).toContain(`<form method="post" action="/logout">`);
    expect(await shown(page({ title: "Log in", body: html`` }))).not.toContain("/logout");
  });

  it("holds no script and no style of its own", async () => {
    const text = await shown(page({ title: "x", home, addon: { name: "cache", tab: "log" }, body: html`` }));
    expect(text).not.toMatch(/<script(?![^>]* src=)|<style| style=| on[a-z]+=/);
  });

  it("takes scripts and styles of its own by their file's name", async () => {
    const text = await shown(
      page({ title: "x", scripts: ["charts.js"], styles: ["charts.css"], body: html`` }),
    );
    expect(text).toContain(`<script type="module" src="/assets/charts.js"></script>`);
    expect(text).toContain(`<link rel="stylesheet" href="/assets/charts.css" />`);
  });

  it("lets nothing that it is given be more than text", async () => {
    const addon = { name: HTML, tab: "log" } as const;
    const text = await shown(
      page({
        title: HTML,
        addon,
        home: { id: HTML, host: HTML, path: HTML },
        liveFrom: HTML,
        body: html`${HTML}`,
      }),
    );
    expect(text).not.toContain("<script>alert");
    expect(text).not.toContain(`"'`);
  });
});

describe("a moment", () => {
  it("is told by its age, and exactly to machines and to who asks", async () => {
    expect(await shown(ago("2026-05-01T11:57:00.000Z", NOW))).toBe(
      `<time datetime="2026-05-01T11:57:00.000Z" title="2026-05-01 11:57:00 UTC">3 min ago</time>`,
    );
    expect(await shown(momentAndAge("2026-05-01T11:57:00.000Z", NOW))).toBe(
      `<time datetime="2026-05-01T11:57:00.000Z">2026-05-01 11:57:00 UTC</time>, 3 min ago`,
    );
  });
});

describe("a sentence that stands alone", () => {
  it.each([
    ["its server does not run", "Its server does not run."],
    ["lead was promoted", "lead was promoted."],
    ["they lie elsewhere", "They lie elsewhere."],
    ["cannot back up cache: no room", "Cannot back up cache: no room."],
    ["redis-addon list shows them", "redis-addon list shows them."],
    ["there-is one of that name", "there-is one of that name."],
    ["none since 2026-05-01T11:57:00.000Z", "None since 2026-05-01 11:57:00 UTC."],
    ["What is it?", "What is it?"],
    ["/srv is full", "/srv is full."],
  ])("%s", (text, sentence) => {
    expect(asSentence(text)).toBe(sentence);
  });
});

async function shown(content: Html): Promise<string> {
  return (await content).toString();
}
