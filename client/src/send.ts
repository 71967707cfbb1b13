import { CartProblem, NoAnswerError } from './errors.ts';
import type { Tokens } from './tokens.ts';

/** Time and chance. Tests have their own. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** From 0 up to 1. */
  random(): number;
  /** @throws the reason of the signal, when it is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** What one attempt needs besides the request itself. */
export type Attempt = {
  readonly headers: Record<string, string>;
  readonly signal: AbortSignal;
  readonly fetch: (request: Request) => Promise<Response>;
};

/** Sends a request once. */
export type SendOnce<Body> = (attempt: Attempt) => Promise<{ data?: Body; error?: unknown; response: Response }>;

export interface SendOptions {
  readonly clock: Clock;
  readonly fetch: (request: Request) => Promise<Response>;
  readonly tokens: Tokens;
  /** For all attempts together. */
  readonly timeoutMs: number;
  /** For one attempt, so that a silent connection does not take all the time. */
  readonly attemptTimeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** Every error has it. */
  readonly commandId?: string;
  /** Whether a later attempt can have another answer. If absent: after 429 and 503. */
  readonly isTemporary?: (problem: CartProblem) => boolean;
}

type Result<Body> =
  | { readonly isDone: true; readonly body: Body }
  | {
      readonly isDone: false;
      readonly isTemporary: boolean;
      readonly error: CartProblem | NoAnswerError;
      readonly retryAfterMs?: number | undefined;
    };

const longestBackoffMs = 5_000;
const longestTimerMs = 2 ** 31 - 1;

/** Whether the API, or what is before it, asks to send the request again later. */
export const isBusy = ({ status }: CartProblem): boolean => status === 429 || status === 503;

/**
 * Sends a request until it has an answer, and returns the body of the answer. It is sent again, not sooner than
 * `Retry-After` says, after an error of the network, an attempt that took too long, and a temporary problem.
 * @throws CartProblem if the answer is a problem that is not temporary, or no time is left for another attempt.
 * @throws NoAnswerError if there is no answer, or the signal is aborted.
 */
export async function send<Body>(sendOnce: SendOnce<Body>, options: SendOptions): Promise<Body> {
  const { clock, timeoutMs, commandId } = options;
  const deadline = clock.now() + timeoutMs;
  const limit = limitTime(timeoutMs, options.signal);
  try {
    for (let attempts = 1; ; attempts += 1) {
      const result = await attempt(sendOnce, options, limit.signal);
      if (result.isDone) return result.body;
      const delayMs = toDelayMs(attempts, result.retryAfterMs, clock);
      if (!result.isTemporary || clock.now() + delayMs > deadline) throw result.error;
      await clock.sleep(delayMs, limit.signal).catch((cause) => {
        throw noAnswer(cause, commandId);
      });
    }
  } finally {
    limit.end();
  }
}

async function attempt<Body>(
  sendOnce: SendOnce<Body>,
  { fetch, tokens, commandId, clock, attemptTimeoutMs, isTemporary = isBusy }: SendOptions,
  signal: AbortSignal,
): Promise<Result<Body>> {
  const limit = limitTime(attemptTimeoutMs, signal);
  let isUnderWay = false;
  try {
    const { headers, renew } = await tokens.prepare();
    signal.throwIfAborted();
    const { data, error, response } = await sendOnce({
      headers,
      signal: limit.signal,
      fetch: (request) => {
        isUnderWay = true;
        return fetch(request);
      },
    });
    isUnderWay = false;
    renew(response);
    if (response.ok && data !== undefined) return { isDone: true, body: data };
    const problem = new CartProblem(response.status, error, commandId);
    return {
      isDone: false,
      isTemporary: isTemporary(problem),
      error: problem,
      retryAfterMs: readRetryAfter(response, clock.now()),
    };
  } catch (cause) {
    // A token that cannot be had, or an answer that is not JSON, is not an error of the network.
    const isOfNetwork = isUnderWay && !signal.aborted && !(cause instanceof SyntaxError);
    return { isDone: false, isTemporary: isOfNetwork, error: noAnswer(cause, commandId) };
  } finally {
    limit.end();
  }
}

const noAnswer = (cause: unknown, commandId: string | undefined) =>
  new NoAnswerError(
    `The request has no answer: ${cause instanceof Error ? cause.message : String(cause)}`,
    cause,
    commandId,
  );

/** Doubles with each attempt, up to 5 s, with a random part, so that clients do not come back all at once. */
function toDelayMs(attempts: number, retryAfterMs: number | undefined, { random }: Clock): number {
  const half = Math.min(100 * 2 ** attempts, longestBackoffMs) / 2;
  return (retryAfterMs ?? half) + random() * half;
}

/** Reads seconds, or the date of HTTP. */
function readRetryAfter({ headers }: Response, now: number): number | undefined {
  const text = headers.get('Retry-After') ?? '';
  if (/^\d+$/.test(text)) return Number(text) * 1_000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** A signal that is aborted with the one given, or when the time is over. */
function limitTime(ms: number, signal: AbortSignal | undefined) {
  const controller = new AbortController();
  const abort = () => controller.abort(signal?.reason);
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort);
  const timer = setTimeout(
    () => controller.abort(new DOMException(`The time is over: ${ms} ms.`, 'TimeoutError')),
    Math.min(ms, longestTimerMs),
  );
  return {
    signal: controller.signal,
    end() {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    },
  };
}

export const systemClock: Clock = {
  now: () => Date.now(),
  random: () => Math.random(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      const abort = () => {
        clearTimeout(timer);
        reject(signal.reason);
      };
      const timer = setTimeout(() => {
        signal.removeEventListener('abort', abort);
        resolve();
      }, ms);
      if (signal.aborted) abort();
      signal.addEventListener('abort', abort, { once: true });
    }),
};
