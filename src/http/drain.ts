import { once } from 'node:events';
import type { Server, ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** How long an idle connection stays open, because its client may be sending the next request at this moment. */
const idleMs = 500;
const sweepMs = 100;
/** How long connections are accepted that the system has accepted before the stop. */
const acceptMs = 500;
const quietTurns = 2;

/**
 * Prepares a server to be closed without failing requests. Call this before the server listens.
 * @returns a function that stops accepting connections, answers the requests under way, and resolves when all
 * connections are closed. From then on every answer says `Connection: close`. After `graceMs` it destroys the
 * connections that are still open, for example those whose client sends or reads too slowly.
 */
export function prepareDrain(server: Server): (graceMs: number) => Promise<void> {
  const sockets = new Set<Socket>();
  let accepted = 0;
  const responses = new Set<ServerResponse>();
  let drained: Promise<void> | undefined;

  server.on('connection', (socket: Socket) => {
    accepted += 1;
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
    await acceptWaiting(() => accepted);
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

/**
 * The system accepts connections before Node.js does, which takes them in turns of its event loop. It resets those that
 * are left when the server stops listening. This resolves after turns that brought none, or when the time is up.
 * @param accepted returns the number of connections so far.
 */
async function acceptWaiting(accepted: () => number): Promise<void> {
  const until = Date.now() + acceptMs;
  for (let quiet = 0; quiet < quietTurns && Date.now() < until; ) {
    const before = accepted();
    await nextTurn();
    quiet = accepted() === before ? quiet + 1 : 0;
  }
}
