import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import { isDatabaseAway } from '../postgres/database';

export interface FieldError {
  readonly path: string;
  readonly message: string;
}

/** What went wrong, as the client is told: RFC 9457 with a stable `code`. Throw it from any route. */
export class Problem extends Error {
  override readonly name = 'Problem';

  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly more: {
      readonly errors?: readonly FieldError[];
      readonly commandId?: string;
      readonly newestVersion?: number;
      readonly retryAfterSeconds?: number;
    } = {},
  ) {
    super(detail);
  }
}

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  404: 'Not Found',
  406: 'Not Acceptable',
  409: 'Conflict',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

export function sendProblem(req: Request, res: Response, problem: Problem): void {
  const { retryAfterSeconds, ...more } = problem.more;
  if (retryAfterSeconds !== undefined) res.set('Retry-After', String(retryAfterSeconds));
  res
    .status(problem.status)
    .type('application/problem+json')
    .send(
      JSON.stringify({
        type: `urn:cart:problem:${problem.code}`,
        title: titles[problem.status] ?? 'Error',
        status: problem.status,
        detail: problem.detail,
        instance: req.originalUrl,
        code: problem.code,
        ...more,
      }),
    );
}

export const notFound: RequestHandler = (req) => {
  throw new Problem(404, 'route_not_found', `There is no ${req.method} ${req.path} here.`);
};

/** Answers every error as a problem. What is nobody's fault but ours is logged and told without its inner parts. */
export function problemHandler(logger: Logger): ErrorRequestHandler {
  return (error, req, res, next) => {
    if (res.headersSent) return next(error);
    const problem = toProblem(error);
    if (problem.status === 500)
      logger.error({ err: error, method: req.method, url: req.originalUrl }, 'request failed');
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
  // Express and its body parser mark the errors that the client caused with a 4xx status.
  if (typeof status === 'number' && status >= 400 && status < 500) {
    const code = typeof type === 'string' ? type.replaceAll('.', '_') : 'invalid_request';
    return new Problem(status, code, String(message));
  }
  return new Problem(500, 'internal_error', 'Something went wrong here. The request can be tried again.');
}
