import type { CartClientOptions } from '../../client/src/index';
import { createCartClient } from '../../client/src/index';

type Step = Response | Error | ((request: Request) => Promise<Response>);

export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  readonly body: string;
}

/** A client whose requests are answered by these steps, one after another, and whose time passes only in its sleep. */
export function openClient(steps: readonly Step[], options: Partial<CartClientOptions> = {}) {
  const sent: Sent[] = [];
  const slept: number[] = [];
  let now = Date.parse('2030-01-01T00:00:00Z');
  const left = [...steps];
  const client = createCartClient(
    {
      baseUrl: 'http://shop.example/api',
      async fetch(request) {
        const { pathname, search } = new URL(request.url);
        const body = await request.text();
        sent.push({ method: request.method, path: pathname + search, headers: request.headers, body });
        const step = left.shift();
        if (step === undefined) throw new Error(`Nothing answers ${request.method} ${pathname}`);
        if (step instanceof Error) throw step;
        return typeof step === 'function' ? step(request) : step;
      },
      ...options,
    },
    {
      now: () => now,
      random: () => 0.5,
      async sleep(ms, signal) {
        signal.throwIfAborted();
        slept.push(ms);
        now += ms;
      },
    },
  );
  const keys = () => sent.map(({ headers }) => headers.get('Idempotency-Key'));
  return { client, sent, slept, keys };
}

export const json = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json', ...headers } });
export const problem = (status: number, code: string, more: object = {}, headers: Record<string, string> = {}) =>
  json(status, { type: `urn:cart:problem:${code}`, status, code, detail: `It is ${code}.`, ...more }, headers);
export const accepted = (headers: Record<string, string> = {}) =>
  json(202, { commandId: 'c', status: 'accepted' }, headers);
export const cart = { userId: 'alice', version: 3, status: 'open', itemCount: 2, items: [] };
export const outcome = { commandId: 'c', type: 'addItem', status: 'applied', versions: [1] };
export const networkFailure = () => new TypeError('fetch failed');
/** Never answers, and fails when the request is aborted, as fetch does. */
export const hang = (request: Request) =>
  new Promise<Response>((_, reject) => {
    request.signal.addEventListener('abort', () => reject(request.signal.reason));
  });

export const pen = { productId: 'pen' };
export const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
export const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );
