import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { text } from 'node:stream/consumers';

export interface KeptAliveAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A client with one connection, which stays open between its requests. */
export interface KeptAliveClient {
  /** @throws Error if the connection ends before the answer. */
  send(
    method: string,
    path: string,
    options?: { body?: unknown; prefer?: string; token?: string | undefined },
  ): Promise<KeptAliveAnswer>;
  close(): void;
}

export function openKeptAlive(url: string): KeptAliveClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return {
    send: (method, path, { body, prefer, token } = {}) =>
      new Promise((resolve, reject) => {
        const json = body === undefined ? undefined : JSON.stringify(body);
        const headers = {
          ...(json === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': json.length }),
          ...(prefer === undefined ? {} : { Prefer: prefer }),
          ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        };
        const sent = request(`${url}${path}`, { agent, method, headers }, (res) => {
          text(res).then((read) => resolve({ status: res.statusCode!, headers: res.headers, body: read }), reject);
        });
        sent.once('error', reject).end(json);
      }),
    close: () => agent.destroy(),
  };
}

/**
 * Sends one request after the other on one connection until an answer says that the server closes it.
 * @param onAnswer is called after each answer.
 * @throws Error if one of the requests gets no answer.
 */
export async function sendUntilClosed(
  url: string,
  next: (client: KeptAliveClient, index: number) => Promise<KeptAliveAnswer>,
  onAnswer: (answer: KeptAliveAnswer) => void = () => undefined,
): Promise<void> {
  const client = openKeptAlive(url);
  try {
    for (let index = 0; ; index += 1) {
      const answer = await next(client, index);
      onAnswer(answer);
      if (answer.headers.connection === 'close') return;
    }
  } finally {
    client.close();
  }
}
