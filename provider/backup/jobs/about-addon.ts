import { asFailure, Failure } from "../../core/errors";

/** The same failure, told of the add-on instead of the file or server that a user may not know of. */
export function aboutAddon(error: unknown, operation: string, name: string): Failure {
  const inner = asFailure(error, operation, name);
  if (inner.operation === operation && inner.subject === name) return inner;
  return new Failure({
    ...inner.report(),
    operation,
    subject: name,
    cause: `cannot ${inner.operation} ${inner.subject}: ${inner.cause}`,
  });
}
