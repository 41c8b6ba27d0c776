import { mkdir } from "node:fs/promises";
import { Failure } from "../../core/errors";
import type { AddonLayout, HomeLayout } from "../../platforms/local/home";
import { removeDataNote } from "../server/data-files";
import { discardFolder, moveFolder, restoreFolders } from "./folders";
import { packDataNote, unpackDataNote } from "./moved-data-note";
import { nextStep, nextStepBack } from "./next-step";

/** An add-on's folders, and what ends whatever server runs on its data. */
export interface Exchange {
  readonly layout: HomeLayout;
  readonly name: string;
  readonly endServer: () => Promise<void>;
}

/**
 * Puts the staged data in the place of the add-on's own, which are put aside, while no server runs; done already is
 * success. `lost`: there are none to put there. Durable, and may be repeated after a crash at any point.
 */
export async function putInPlace({ layout, name, endServer }: Exchange): Promise<"in-place" | "lost"> {
  const files = layout.addon(name);
  for (;;) {
    const step = nextStep(await restoreFolders(files));
    switch (step) {
      case "set-aside":
        await endServer();
        await setAside(name, files);
        break;
      case "put-in-place":
        await endServer();
        await removeDataNote(files);
        await moveFolder(files.staged, files.data);
        break;
      case "in-place":
      case "lost":
        return step;
      case "unclear":
        throw unclear(name, files);
    }
  }
}

/** Puts back what was put aside. As durable, and as often as you like. */
export async function putBack({ layout, name, endServer }: Exchange): Promise<void> {
  const files = layout.addon(name);
  for (;;) {
    const step = nextStepBack(await restoreFolders(files));
    switch (step) {
      case "drop-staged":
        await discardFolder(layout, name, files.staged);
        break;
      case "drop-data":
        await endServer();
        await discardFolder(layout, name, files.data);
        break;
      case "put-back":
        await endServer();
        await removeDataNote(files);
        await moveFolder(files.replaced, files.data);
        break;
      case "undone":
        await mkdir(files.data, { recursive: true, mode: 0o700 });
        await unpackDataNote(files);
        return;
      case "unclear":
        throw unclear(name, files);
    }
  }
}

/** Where it fails nothing is lost and the server is down: whatever the reason, its data from before are better than none. */
async function setAside(name: string, files: AddonLayout): Promise<void> {
  try {
    // So that there is always something put aside: a way back, if only to nothing.
    await mkdir(files.data, { recursive: true, mode: 0o700 });
    await packDataNote(files);
    await moveFolder(files.data, files.replaced);
  } catch (error) {
    throw new Failure({
      code: "not-restored",
      operation: "restore",
      subject: name,
      cause: `its data folder can't be put aside: ${error instanceof Error ? error.message : String(error)}`,
      hint: "",
    });
  }
}

function unclear(name: string, { data, staged, replaced }: AddonLayout): Failure {
  return new Failure({
    code: "restore-unclear",
    operation: "restore",
    subject: name,
    cause: `there are data in ${data} that no restore has put there, beside those to be restored (${staged}) and those from before (${replaced})`,
    hint: `Move ${data} away to have the restore completed`,
  });
}
