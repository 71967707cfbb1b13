import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import type { RejectionCode } from '../domain/decision';
import { isDatabaseAway } from '../postgres/database';
import {
  type ProblemCode,
  type ProblemStatus,
  problemStatuses,
  rejectionStatuses,
  statusTitles,
} from './problem-codes';

export interface FieldError {
  readonly path: string;
  readonly message: string;
}

/** Optional members of a problem. */
interface ProblemExtras {
  readonly errors?: readonly FieldError[];
  readonly commandId?: string;
  readonly newestVersion?: number;
  readonly retryAfterSeconds?: number;
  /** Sent with the problem; not in its body. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** An error that is sent to the client as RFC 9457 describes, with a stable `code`. Throw it from any route. */
export class Problem<Code extends ProblemCode = ProblemCode> extends Error {
  override readonly name = 'Problem';

  constructor(
    readonly status: ProblemStatus<Code>,
    readonly code: Code,
    readonly detail: string,
    readonly extras: ProblemExtras = {},
  ) {
    super(detail);
  }

  /** Makes the problem for a rejected command. */
  static ofRejection(code: RejectionCode, reason: string, extras: ProblemExtras): Problem {
    return new Problem<ProblemCode>(rejectionStatuses[code], code, reason, extras);
  }
}

export function sendProblem(req: Request, res: Response, problem: Problem): void {
  const { retryAfterSeconds, headers = {}, ...extras } = problem.extras;
  if (retryAfterSeconds !== undefined) res.set('Retry-After', String(retryAfterSeconds));
  res
    .status(problem.status)
    .set(headers)
    .type('application/problem+json')
    .send(
      JSON.stringify({
        type: `urn:cart:problem:${problem.code}`,
        title: statusTitles[problem.status],
        status: problem.status,
        detail: problem.detail,
        instance: req.originalUrl,
        code: problem.code,
        ...extras,
      }),
    );
}

export const notFound: RequestHandler = (req) => {
  throw new Problem(404, 'route_not_found', `There is no route ${req.path}.`);
};

/** Answers every error as a problem. Unexpected errors are logged, and their details are not sent to the client. */
export function problemHandler(logger: Logger): ErrorRequestHandler {
  return (error, req, res, _next) => {
    if (res.headersSent) {
      logger.error({ err: error, method: req.method, url: req.originalUrl }, 'an answer broke off');
      res.destroy();
      return;
    }
    const problem = toProblem(error);
    if (problem.status === 500) {
      logger.error({ err: error, method: req.method, url: req.originalUrl }, 'request failed');
    }
    sendProblem(req, res, problem);
  };
}

function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (isDatabaseAway(error)) {
    return new Problem(503, 'database_unavailable', 'Postgres does not answer; nothing was changed. Try again.', {
      retryAfterSeconds: 2,
    });
  }
  const { status, type, message } = error as { status?: unknown; type?: unknown; message?: unknown };
  // Express and its body parser give a 4xx status to the errors that the client caused.
  if (typeof status === 'number' && status >= 400 && status < 500) {
    const code = String(type).replaceAll('.', '_');
    return isProblemCode(code)
      ? new Problem<ProblemCode>(problemStatuses[code][0], code, String(message))
      : new Problem(400, 'invalid_request', String(message));
  }
  return new Problem(500, 'internal_error', 'The server failed. The request can be sent again.');
}

const isProblemCode = (code: string): code is ProblemCode => Object.hasOwn(problemStatuses, code);
