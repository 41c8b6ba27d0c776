import { describe, expect, it } from "vitest";
import { activities, type Activity, type NewActivity } from "../../../provider/console/activities/activities";
import { activitiesSection } from "../../../provider/console/activities/section";
import type { ConsoleContext } from "../../../provider/console/context";
import { Failure } from "../../../provider/core/errors";
import type { Clock, Task } from "../../../provider/core/task";

/** Moves when a test says so. */
function movedClock(): Clock & { at: number } {
  const clock = {
    at: Date.parse("2026-05-01T00:00:00Z"),
    now: () => clock.at,
    sleep: () => Promise.resolve(),
  };
  return clock;
}

const about = (more: Partial<NewActivity> = {}): NewActivity => ({
  ...{ addon: "cache", tab: "backups", title: "back up", ifConsoleEnds: "nothing happens" },
  ...more,
});
const done = { words: ["it is done"] };

/** Everything that waits for nothing has happened. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

function known(signal = new AbortController().signal) {
  const clock = movedClock();
  return { clock, all: activities(clock, signal) };
}

describe("an activity", () => {
  it("returns at once, tells how far it is, and keeps what came of it", async () => {
    const { clock, all } = known();
    const end = Promise.withResolvers<void>();
    let task: Task | undefined;
    const { id } = all.start(about(), async (given) => {
      task = given;
      await end.promise;
      return done;
    });
    task?.progress({ message: "copying", doneBytes: 1, totalBytes: 2 });
    expect(all.one(id)).toMatchObject({ state: { kind: "running" }, progress: { doneBytes: 1 } });
    clock.at += 5_000;
    end.resolve();
    await settled();
    expect(all.one(id)).toMatchObject({
      state: { kind: "done", ...done },
      startedAt: "2026-05-01T00:00:00.000Z",
      endedAt: "2026-05-01T00:00:05.000Z",
    });
  });

  it("is joined by another of the same kind while it runs, and not afterwards", async () => {
    const { all } = known();
    const end = Promise.withResolvers<typeof done>();
    let begun = 0;
    const work = () => {
      begun++;
      return end.promise;
    };
    const first = all.start(about(), work);
    expect(all.start(about(), work).id).toBe(first.id);
    expect(all.start(about({ addon: "other" }), work).id).not.toBe(first.id);
    expect(begun).toBe(2);
    end.resolve(done);
    await settled();
    expect(all.start(about(), work).id).not.toBe(first.id);
  });

  it("that fails keeps what failed, why, and what to do", async () => {
    const { all } = known();
    const failed = all.start(about(), () =>
      Promise.reject(
        new Failure({ code: "full", operation: "store", subject: "x", cause: "no room", hint: "Make some" }),
      ),
    );
    const broken = all.start(about({ title: "verify" }), () => {
      throw new Error("a bug");
    });
    await settled();
    expect(all.one(failed.id)?.state).toMatchObject({
      kind: "failed",
      report: { code: "full", hint: "Make some" },
    });
    expect(all.one(broken.id)?.state).toMatchObject({
      report: { code: "unexpected", operation: "verify", subject: "cache", cause: "a bug" },
    });
  });

  it("waits for others of its lane, whatever became of them", async () => {
    const { all } = known();
    const ends = [Promise.withResolvers<typeof done>(), Promise.withResolvers<typeof done>()];
    const begun: number[] = [];
    const started = ends.map((end, index) =>
      all.start(about({ title: `${index}`, lane: "verify" }), () => {
        begun.push(index);
        return end.promise;
      }),
    );
    await settled();
    expect(begun).toEqual([0]);
    expect(all.one(started[1]?.id ?? "")?.progress?.message).toMatch(/^waiting/);
    ends[0]?.reject(new Error("no"));
    await settled();
    expect(begun).toEqual([0, 1]);
  });

  it("ends with the console, and one that waited does not begin", async () => {
    const console = new AbortController();
    const { all } = known(console.signal);
    const first = all.start(about({ lane: "verify" }), ({ signal }) => {
      const aborted = Promise.withResolvers<typeof done>();
      signal.addEventListener("abort", () => aborted.reject(signal.reason));
      return aborted.promise;
    });
    let begun = false;
    all.start(about({ title: "Another", lane: "verify" }), () => {
      begun = true;
      return Promise.resolve(done);
    });
    console.abort(new Error("the console ended"));
    await settled();
    expect(all.one(first.id)?.state).toMatchObject({
      kind: "failed",
      report: { cause: "the console ended" },
    });
    expect(begun).toBe(false);
  });

  it("is forgotten once two hundred have ended after it, and a fifty-first at once is refused", async () => {
    const { clock, all } = known();
    const first = all.start(about(), () => Promise.resolve(done));
    await settled();
    for (let count = 0; count < 200; count++) {
      clock.at += 1;
      all.start(about({ title: `${count}` }), () => Promise.resolve(done));
      await settled();
    }
    expect(all.one(first.id)).toBeUndefined();
    expect(all.of("cache")).toHaveLength(200);
    expect(all.of("cache")[0]?.title).toBe("199");

    const never = () => new Promise<typeof done>(() => undefined);
    for (let count = 0; count < 50; count++) all.start(about({ title: `long ${count}` }), never);
    expect(() => all.start(about({ title: "one more" }), never)).toThrow(/50 things under way/);
    expect(all.start(about({ title: "long 7" }), never).title).toBe("long 7");
  });
});

describe("the section of activities", () => {
  const section = async (all: readonly Partial<Activity>[]) => {
    const clock = movedClock();
    const activities = { of: () => all.map((one) => ({ ...shown, ...one })) };
    return String(
      await activitiesSection({ activities, clock } as unknown as ConsoleContext, "cache", "backups"),
    );
  };
  const shown: Activity = {
    ...{
      id: "1",
      addon: "cache",
      tab: "backups",
      title: "back up",
      ifConsoleEnds: "",
      startedAt: "2026-04-30T23:59:00Z",
    },
    state: { kind: "running" },
  };

  it("is a live part of its page, also while there is nothing to show", async () => {
    expect(await section([])).toBe('<div id="activities" data-live></div>');
  });

  it("leaves out what was begun elsewhere", async () => {
    const html = await section([{ tab: "information" }, {}]);
    expect(html.match(/<li>/g)).toHaveLength(1);
  });

  it("shows what runs with its bytes and its share, and escapes what others have written", async () => {
    const progress = { message: "<i>", doneBytes: 1024, totalBytes: 4096 };
    const html = await section([{ progress }]);
    expect(html).toContain("&lt;i&gt; · 25 % · 1.0 KiB of 4.0 KiB · for 60 s".replace("60 s", "1 min"));
    expect(html).toMatch(/<progress[^>]* max="1" value="0.25">/);
    expect(html).toContain('href="/addons/cache/activities/1"');
  });

  it("shows all that run, and five of those that ended", async () => {
    const ended = { state: { kind: "done", words: [] }, endedAt: "2026-04-30T23:59:30Z" } as const;
    const html = await section([...Array.from({ length: 9 }, () => ended), {}, {}]);
    expect(html.match(/<li>/g)).toHaveLength(7);
    expect(html.match(/under way/g)).toHaveLength(2);
  });
});
