import pino from 'pino';
import { allowEverybody } from '../../src/access/authorize';
import { type AppOptions, createApp, listen } from '../../src/http/app';
import type { Authorize, ServedRoute } from '../../src/http/route';

/** An HTTP server on a free port. */
export interface TestServer {
  readonly url: string;
  close(graceMs?: number): Promise<void>;
}

/** Serves only these routes, without the other parts of a role. */
export async function serve(
  routes: readonly ServedRoute[],
  authorize: Authorize = allowEverybody,
  options: Partial<AppOptions> = {},
): Promise<TestServer> {
  const logger = pino({ level: 'silent' });
  const server = await listen(createApp({ routes, authorize, checks: {}, logger, ...options }), '127.0.0.1', 0);
  return { url: `http://127.0.0.1:${server.port}`, close: server.close };
}

/** An HTTP answer with its parsed JSON; the body of an empty answer is undefined. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests read bodies of many shapes
  readonly body: any;
}

export async function readAnswer(response: Response): Promise<Answer> {
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
}

export async function getJson(url: string, headers: Record<string, string> = {}): Promise<Answer> {
  return readAnswer(await fetch(url, { headers }));
}
