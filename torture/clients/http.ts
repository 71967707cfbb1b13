import { Agent, request } from 'node:http';

export interface HttpAnswer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: bodies of many shapes
  readonly body: any;
}

export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly timeoutMs?: number;
}

/** Node's own client, for it never sends a request a second time by itself. */
const agent = new Agent({ keepAlive: true, maxSockets: 64 });

/** @throws Error where no whole answer came; its `code` is ECONNREFUSED where the request was certainly not sent. */
export function send(
  url: string,
  { method, path, headers, body, timeoutMs = 12_000 }: HttpRequest,
): Promise<HttpAnswer> {
  const payload = body === undefined ? undefined : JSON.stringify(body);
  const json = payload === undefined ? {} : { 'Content-Type': 'application/json' };
  return new Promise((resolve, reject) => {
    const sent = request(`${url}${path}`, { method, agent, headers: { ...json, ...headers } }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        try {
          resolve({ status: answer.statusCode!, body: text === '' ? undefined : JSON.parse(text) });
        } catch (error) {
          reject(error);
        }
      });
    });
    sent.on('error', reject);
    sent.setTimeout(timeoutMs, () => sent.destroy(new Error('timeout')));
    sent.end(payload);
  });
}

/** Closes the connections that are kept for later requests. */
export const closeConnections = (): void => agent.destroy();
