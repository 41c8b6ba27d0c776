import { Failure } from "../../../core/errors";
import type { BackupRequest } from "./request";

/** The texts that a form sent, as they were typed; a field that is missing is empty. */
export type FormFields = (field: string) => string;

export async function formFields({ c }: Pick<BackupRequest, "c">): Promise<FormFields> {
  const fields = await c.req.parseBody();
  return (field) => {
    const value = fields[field];
    return typeof value === "string" ? value : "";
  };
}

/** Something in a form that can't be meant; `cause` and `hint` as a Failure's. */
export function badInput(operation: string, subject: string, cause: string, hint: string): Failure {
  return new Failure({ code: "bad-input", operation, subject, cause, hint });
}
