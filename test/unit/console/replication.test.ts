import { describe, expect, it } from "vitest";
import { html } from "../../../provider/console/html";
import { fieldsFrom, wishFrom } from "../../../provider/console/pages/replication/follow-fields";
import { pendingFollows } from "../../../provider/console/pages/replication/pending-follows";
import { replicationCard } from "../../../provider/console/pages/replication/replication-card";
import { followerProgram } from "../../../provider/console/snippets/follower-program";
import type { ReplicationWish } from "../../../provider/core/facets";
import type { ReplicationState, SyncStatus } from "../../../provider/core/status";
import { makeAuthority } from "../../support/certificates";
import { movedClock } from "../../support/moved-clock";
import { NOW, shownAddon, stillContext } from "../../support/shown-addon";

describe("the replication of an add-on", () => {
  it("is shown with a bar while it syncs: how far it is, a guess as such, or that nobody knows", async () => {
    const progress = async (sync: SyncStatus) => /<progress[^>]*>/.exec(await follower(sync))?.[0];
    const syncing = { state: "syncing", catchingUp: false, doneBytes: 1024 ** 2, percent: 42 } as const;
    expect(await progress(syncing)).toContain(`value="42"`);
    expect(await follower({ ...syncing, estimated: true })).toContain("1.0 MiB (~42 %)");
    expect(await progress({ state: "waiting" })).not.toContain("value");
    expect(await progress({ state: "loading", percent: 7 })).toContain(`value="7"`);
    expect(await progress({ state: "synced", durable: true })).toBeUndefined();
    expect(await progress({ state: "connecting", why: "it is away" })).toBeUndefined();
    expect(await progress({ state: "broken", why: "it is too small" })).toBeUndefined();
  });

  it("says why it is broken, since when it follows nobody, and that its leader is gone", async () => {
    const page = await shown({
      ...{ role: "follower", leader: { addon: "lead" }, link: "down", lastSyncedAt: iso(-60_000) },
      sync: { state: "broken", why: `its snapshot is <too> large` },
      halted: { why: "its snapshot is too large", since: iso(-30_000) },
      switchover: { to: "copy", since: iso(-10_000) },
    });
    expect(page).toContain("broken: its snapshot is &lt;too&gt; large");
    expect(page).toContain("lead, which is gone");
    expect(page).toMatch(/Last in sync[\s\S]*60 s ago|Last in sync[\s\S]*1 min ago/);
    expect(page).toContain("Follows nobody since");
    expect(page).toContain("Switchover");
  });

  it("tells of a leader who follows it, and how far behind each is", async () => {
    const page = await shown({
      role: "leader",
      position: "promoted",
      followers: [
        { addon: "copy", host: "127.0.0.1", port: 7001, state: "online", lagBytes: 2048, lagSeconds: 1 },
        { host: "::1", port: 7002, state: "syncing" },
      ],
    });
    expect(page).toContain("leader (promoted)");
    expect(page).toContain(`<a href="/addons/copy">copy</a> <code>127.0.0.1:7001</code>`);
    expect(page).toContain("2.0 KiB, 1 s");
    expect(page).toContain("<code>[::1]:7002</code>");
    expect(await shown({ role: "leader", followers: [] })).toContain("Nobody follows it");
  });
});

describe("what was typed and not confirmed yet", () => {
  const following = (name: string) => ({ name, wish: { kind: "addon", addon: "lead" } as ReplicationWish });

  it("is kept for ten minutes, for one use, and for so many forms", async () => {
    const clock = movedClock(NOW);
    const pending = pendingFollows(clock);
    const [first, second] = [pending.keep("me", following("a")), pending.keep("me", following("a"))];
    expect(pending.take(first, "you", "a")).toBeUndefined();
    expect(pending.take(first, "me", "b")).toBeUndefined();
    expect(pending.take(first, "me", "a")).toEqual(following("a"));
    expect(pending.take(first, "me", "a")).toBeUndefined();
    await clock.advance(10 * 60_000);
    expect(pending.take(second, "me", "a")).toBeUndefined();
    const ids = Array.from({ length: 60 }, () => pending.keep("me", following("a")));
    expect(ids.filter((id) => pending.take(id, "me", "a") !== undefined)).toEqual(ids.slice(10));
  });
});

describe("a leader that is typed", () => {
  it("is any Redis, with TLS and a user name only where they are given", () => {
    const typed = { kind: "address", host: " db.example ", port: "6380", password: " p " };
    expect(wishFrom(fieldsFrom(typed))).toEqual({
      wish: { kind: "external", host: "db.example", port: 6380, password: " p " },
    });
    expect(wishFrom(fieldsFrom({ ...typed, username: "copy", tls: "on" }))).toEqual({
      wish: { kind: "external", host: "db.example", port: 6380, username: "copy", password: " p ", tls: {} },
    });
    expect(fieldsFrom({ kind: "addon", addon: "lead" })).toMatchObject({ addon: "lead", port: "6379" });
    for (const port of ["", "0", "65536", "1e3", "-1", "6379x"])
      expect(wishFrom(fieldsFrom({ ...typed, port }))).toHaveProperty("problems.port");
  });

  it("is shown a certificate with its key, both or neither, and only with TLS", () => {
    const { certificate, key } = makeAuthority();
    const typed = { kind: "address", host: "db.example", port: "6380", password: "p" };
    expect(
      wishFrom(fieldsFrom({ ...typed, tls: "on", ca: certificate, serverName: "redis", certificate, key })),
    ).toMatchObject({
      wish: {
        tls: {
          ca: certificate.trim(),
          serverName: "redis",
          certificate: certificate.trim(),
          key: key.trim(),
        },
      },
    });
    const problems = (more: Record<string, string>) => wishFrom(fieldsFrom({ ...typed, ...more }));
    expect(problems({ tls: "on", certificate })).toHaveProperty("problems.key");
    expect(problems({ tls: "on", key })).toHaveProperty("problems.certificate");
    expect(problems({ tls: "on", certificate, key: certificate })).toHaveProperty("problems.key");
    expect(problems({ certificate, key })).toHaveProperty("problems.tls");
    expect(problems({ serverName: "redis" })).toHaveProperty("problems.tls");
    expect(JSON.stringify(problems({ tls: "on", key: "hunter2" }))).not.toContain("hunter2");
  });

  it("stands in a program that takes its certificate's key from its config", () => {
    const { home } = shownAddon({ name: "cache" });
    const tls = { serverName: "redis", certificate: "C", key: "secret-key" };
    const wish = { kind: "external", host: "db", port: 1, password: "secret-pw", tls } as const;
    const program = followerProgram({ name: "cache", wish, home, replaceData: false });
    expect(program).not.toContain("secret-");
    expect(program).toContain('key: config.requireSecret("leaderKey")');
    expect(program).toContain("pulumi config set --secret leaderKey < key.pem");
    expect(program).toContain('serverName: "redis"');
  });

  it("stands in a program whose password comes from its config", () => {
    const { home } = shownAddon({ name: "cache" });
    const wish = { kind: "external", host: "db", port: 1, password: "secret-pw", tls: {} } as const;
    const program = followerProgram({ name: "cache", wish, home, replaceData: true });
    expect(program).not.toContain("secret-pw");
    expect(program).toContain(`password: config.requireSecret("leaderPassword"), tls: true`);
    expect(program).toContain("replaceData: true");
    const plain = { kind: "addon", addon: "lead" } as const;
    expect(followerProgram({ name: "cache", wish: plain, home, replaceData: false })).toBe(
      `import { RedisFollower } from "pulumi-redis-addon";\n\nnew RedisFollower("cache-follows", { addon: "cache", leader: "lead" });\n`,
    );
  });
});

function follower(sync: SyncStatus): Promise<string> {
  return shown({ role: "follower", leader: { addon: "lead", host: "127.0.0.1", port: 1 }, link: "up", sync });
}

async function shown(replication: ReplicationState): Promise<string> {
  const status = shownAddon({ name: "cache", replication });
  return String(await html`${replicationCard(stillContext([status]), status)}`);
}

function iso(ms: number): string {
  return new Date(NOW + ms).toISOString();
}
