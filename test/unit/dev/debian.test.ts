import { describe, expect, it } from "vitest";
import { librariesOf, sourceLine } from "../../../.dev/setup/debian.mjs";

const debian12 = `Types: deb
# http://snapshot.debian.org/archive/debian/20250520T000000Z
URIs: http://deb.example.org/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://deb.example.org/debian-security
Suites: bookworm-security
Components: main
`;

describe("a source of Debian packages", () => {
  it("is the machine's own, of its first suite", () => {
    expect(sourceLine(["", debian12])).toBe(
      "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.example.org/debian bookworm main",
    );
  });

  it("is another release from the same server where one is asked for", () => {
    expect(sourceLine([debian12], "bullseye")).toContain("http://deb.example.org/debian bullseye main");
  });

  it("is read from lines too, without what can't be needed", () => {
    const lines = `# deb http://archive.example.org/ubuntu plucky main
deb https://packages.example.com/apt cloud-sdk main
deb-src http://archive.example.org/ubuntu jammy main
deb [arch=amd64 signed-by=/keys/ubuntu.gpg] http://archive.example.org/ubuntu/ jammy main restricted universe
`;
    expect(sourceLine([lines])).toBe(
      "deb [signed-by=/keys/ubuntu.gpg] http://archive.example.org/ubuntu/ jammy main universe",
    );
  });

  it("does not take a key that stands in the file for the name of one", () => {
    const inline = `Types: deb
URIs: http://deb.example.org/debian
Suites: trixie
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
`;
    expect(sourceLine([inline])).toBe("deb http://deb.example.org/debian trixie main");
  });

  it("is none where only others' sources are", () => {
    expect(sourceLine(["deb https://packages.example.com/apt stable main\n"])).toBeUndefined();
  });
});

it("the libraries of a package are all it depends on, but for the C library and what is no real package", () => {
  const tree = `libarchive-tools
  Depends: libarchive13
  Depends: libc6
libarchive13
  Depends: libacl1
  Depends: <libfoo>
libc6
  Depends: libgcc-s1
libgcc-s1
gcc-12-base
libacl1
<libfoo>
libacl1
`;
  expect(librariesOf(tree, ["libarchive-tools"])).toEqual(["libarchive-tools", "libarchive13", "libacl1"]);
});
