import { realpath } from "node:fs/promises";
import { destinationProblem, workingFolders } from "../../core/destination";
import { Failure } from "../../core/errors";
import type { FacetChange } from "../../platforms/contract";
import type { HomeLayout } from "../../platforms/local/home";

/** A backup among what is deleted with the add-on would be none. */
export async function refuseOwnFolders(layout: HomeLayout, change: FacetChange): Promise<void> {
  if (change.facet !== "backups" || change.wish?.destination === undefined) return;
  const { destination } = change.wish;
  const problem = await destinationProblem(destination, workingFolders(layout), (path) => realpath(path));
  if (problem === undefined) return;
  const operation = "set the backups of";
  throw new Failure({ code: "destination-off-limits", operation, subject: change.name, ...problem });
}
