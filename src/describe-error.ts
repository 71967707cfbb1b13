/** The message of an error and, on the lines below it, the messages of all its causes. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const message = error.message || (error as NodeJS.ErrnoException).code || error.name;
  return error.cause === undefined ? message : `${message}\n  because: ${describeError(error.cause)}`;
}
