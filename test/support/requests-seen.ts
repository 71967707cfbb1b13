import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** A request that a server of this process has answered. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly status: number;
}

const channel = 'http.server.response.finish';

/** Notes every request that the server at this address answers from now on. */
export function watchRequests(address: string) {
  const port = Number(new URL(address).port);
  const seen: SeenRequest[] = [];
  const note = (message: unknown) => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
    if (request.socket.localPort !== port) return;
    seen.push({ method: request.method!, url: request.url!, status: response.statusCode });
  };
  subscribe(channel, note);
  return { seen, stopWatching: () => unsubscribe(channel, note) };
}
