import { html } from "hono/html";

/** What `html` makes: everything that is put into it is escaped, unless it is of this type itself. */
export type Html = ReturnType<typeof html>;

export { html };
