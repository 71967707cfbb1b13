import { Agent, request } from 'node:http';

/** The answer to a request. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Sends requests to a port of this machine over kept connections, with as little work as possible. */
export function openHttp(port: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  return (method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const content = text === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': text.length };
      const sent = request({ port, host: '127.0.0.1', method, path, agent, headers: { ...content, ...headers } });
      sent.once('error', reject);
      sent.once('response', (response) => {
        let answer = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          answer += chunk;
        });
        response.once('error', reject);
        response.once('end', () => resolve({ status: response.statusCode!, body: answer }));
      });
      sent.end(text);
    });
}

export type Http = ReturnType<typeof openHttp>;

/** Sends a request. @throws Error where the answer is neither a success nor a command rejected by a rule. */
export async function ask(http: Http, ...request: Parameters<Http>): Promise<Answer> {
  const answer = await http(...request);
  if (answer.status < 300 || answer.status === 409) return answer;
  throw new Error(`${request[0]} ${request[1]} was answered with ${answer.status}: ${answer.body}`);
}
