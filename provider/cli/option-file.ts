import { readFile } from "node:fs/promises";
import { wrongUsage } from "./exit-codes";

/** The content of a file that an option names. */
export async function optionFile(option: string, path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw wrongUsage(
      option,
      error instanceof Error ? error.message : String(error),
      "Name a file that can be read",
    );
  }
}
