import { describe, expect, it } from "vitest";
import { openingWords } from "../../provider/cli/opening-words";
import { tableLines } from "../../provider/cli/table";

const SLOT = "20260501T030000000Z";

describe("how a backup is opened", () => {
  const plain = { slot: SLOT, archive: `s3://b/redis/shop/${SLOT}-a.tar.gz` };
  const encrypted = { slot: SLOT, archive: `s3://b/redis/shop/${SLOT}-a.tar.gz.age` };

  it("is said without a word of encryption where there is none", () => {
    expect(openingWords(plain, { name: "cache" })).toMatch(/^Open it: extract it into an empty folder/);
    expect(openingWords(plain, { name: "cache" })).not.toMatch(/age|crypt/);
  });

  it("begins with its decryption where it is encrypted, with a command that can be pasted", () => {
    const own = openingWords(encrypted, { name: "cache" });
    expect(own).toContain("decrypted first, by age --decrypt");
    expect(own).toContain(`  redis-addon backup download cache ${SLOT} --extract ./copy && cd copy`);
    const store = "s3://b/redis?region=x&endpoint=https://y";
    expect(openingWords(encrypted, { store })).toContain(
      `download shop ${SLOT} --store '${store}' --extract ./copy`,
    );
  });
});

describe("a table", () => {
  const header = ["A", "LONG", "B"];
  const rows = [["1", "x".repeat(20), "2"]];
  const lines = (room: number) => tableLines(header, rows, { room, expendable: ["LONG", "A"] });

  it("has all its columns where there is room for them", () => {
    expect(lines(26)).toEqual([`A  LONG${" ".repeat(16)}  B`, `1  ${"x".repeat(20)}  2`]);
  });

  it("goes without what may be left out where there is none, one column after the other until it fits", () => {
    expect(lines(25)).toEqual(["A  B", "1  2"]);
    expect(lines(3)).toEqual(["B", "2"]);
    expect(lines(0)).toEqual(["B", "2"]);
  });
});
