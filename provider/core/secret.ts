/**
 * A value that must not be printed. However it ends up in a string, a JSON document or a console, it reads `[secret]`;
 * `reveal` is the only way to the value, so every place that uses one can be found.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return "[secret]";
  }
}
