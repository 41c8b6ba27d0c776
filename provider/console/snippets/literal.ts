const WIDTH = 80;

/** Whatever JSON can say. */
export type Plain =
  string | number | boolean | readonly Plain[] | { readonly [key: string]: Plain | undefined };

/** A value as TypeScript spells it, the way prettier would set it; what is undefined is left out. */
export function literal(value: Plain, indent = ""): string {
  if (typeof value !== "object") return JSON.stringify(value);
  const deeper = `${indent}  `;
  const [open, close] = Array.isArray(value) ? (["[", "]"] as const) : (["{", "}"] as const);
  const parts = (inner: string) =>
    Array.isArray(value)
      ? value.map((item: Plain) => literal(item, inner))
      : Object.entries(value).flatMap(([key, part]) =>
          part === undefined ? [] : [`${property(key)}: ${literal(part, inner)}`],
        );
  const flat = parts(deeper);
  if (flat.length === 0) return open + close;
  const pad = open === "{" ? " " : "";
  const line = `${open}${pad}${flat.join(", ")}${pad}${close}`;
  if (indent.length + line.length <= WIDTH && !line.includes("\n")) return line;
  return `${open}\n${flat.map((part) => `${deeper}${part},\n`).join("")}${indent}${close}`;
}

function property(key: string): string {
  // Spelt as any other it would be no property.
  if (key === "__proto__") return '["__proto__"]';
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key);
}
