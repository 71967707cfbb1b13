import { once } from 'node:events';
import type { Server, ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';

/** How long an idle connection stays open, because its client may be sending the next request at this moment. */
const idleMs = 500;
const sweepMs = 100;

/**
 * Prepares a server to be closed without failing requests. Call this before the server listens.
 * @returns a function that stops accepting connections, answers the requests under way, and resolves when all
 * connections are closed. From then on every answer says `Connection: close`. After `graceMs` it destroys the
 * connections that are still open, for example those whose client sends or reads too slowly.
 */
export function prepareDrain(server: Server): (graceMs: number) => Promise<void> {
  const sockets = new Set<Socket>();
  const responses = new Set<ServerResponse>();
  let drained: Promise<void> | undefined;

  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.prependListener('request', (_req, res) => {
    if (drained !== undefined) announceClose(res);
    responses.add(res);
    res.once('close', () => responses.delete(res));
  });

  const closeIdle = () => {
    server.closeIdleConnections();
    // Node.js counts a connection without any request yet as busy.
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
  };
  const drain = async (graceMs: number) => {
    for (const res of responses) announceClose(res);
    const closed = once(server, 'close');
    // The HTTP server's own close() also destroys the idle connections at once, together with what clients are sending.
    NetServer.prototype.close.call(server);
    const idleFrom = Date.now() + idleMs;
    const sweep = setInterval(() => {
      // A timer runs before the requests that have arrived are read; setImmediate runs after it.
      if (Date.now() >= idleFrom) setImmediate(closeIdle);
    }, sweepMs);
    const cut = setTimeout(() => {
      for (const socket of sockets) socket.destroy();
    }, graceMs);
    await closed;
    clearInterval(sweep);
    clearTimeout(cut);
  };
  return (graceMs) => {
    drained ??= drain(graceMs);
    return drained;
  };
}

function announceClose(res: ServerResponse): void {
  if (!res.headersSent) res.setHeader('Connection', 'close');
}
