import type { components } from './api.ts';

/** The body of an error, as RFC 9457 describes. */
export type Problem = components['schemas']['Problem'];
/** The stable name of an error. The API's documentation lists them all. */
export type ProblemCode = Problem['code'];

/** The API answered with an error. */
export class CartProblem extends Error {
  override readonly name = 'CartProblem';
  /** The status of HTTP. */
  readonly status: number;
  /** What to branch on. Undefined where the answer is not from the API, but for example from a proxy. */
  readonly code: ProblemCode | undefined;
  /** The reason, as a sentence for people. */
  readonly detail: string;
  /** The invalid fields of the request. */
  readonly errors: NonNullable<Problem['errors']>;
  /** The id of the command that was sent; undefined for a read. */
  readonly commandId: string | undefined;
  /** The newest version of the cart, where the request names a version that the cart does not have. */
  readonly newestVersion: number | undefined;

  /** @param body the body of the answer, of any shape. */
  constructor(status: number, body: unknown, commandId: string | undefined) {
    const problem: Partial<Problem> = isProblem(body) ? body : {};
    const detail = problem.detail ?? `The answer has the status ${status} and is not from the API.`;
    super(detail);
    this.status = status;
    this.code = problem.code;
    this.detail = detail;
    this.errors = problem.errors ?? [];
    this.commandId = problem.commandId ?? commandId;
    this.newestVersion = problem.newestVersion;
  }
}

/** The request got no answer that can be read. `cause` is the reason: the network, the time limit, or an abort. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
  /**
   * The id of the command that was sent; undefined for a read. The command may have been accepted: read its outcome, or
   * send it again with this id. It counts once.
   */
  readonly commandId: string | undefined;

  constructor(message: string, cause: unknown, commandId: string | undefined) {
    super(message, { cause });
    this.commandId = commandId;
  }
}

const isProblem = (body: unknown): body is Problem =>
  typeof body === 'object' && body !== null && 'code' in body && 'detail' in body;
