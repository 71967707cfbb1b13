import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * What a link does: `pass` forwards, `cut` resets every connection, `delay` forwards late, `half-open` forwards
 * nothing and keeps connections open.
 */
export type LinkMode = 'pass' | 'cut' | 'delay' | 'half-open';

/** A network link between a role and a server. */
export interface Link {
  readonly port: number;
  set(mode: LinkMode, delayMs?: number): void;
  close(): Promise<void>;
}

/** Opens a link to this port of this machine. */
export async function openLink(targetPort: number): Promise<Link> {
  let mode: LinkMode = 'pass';
  let delayMs = 0;
  const sockets = new Set<Socket>();
  const add = (socket: Socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
  };
  const forward = (from: Socket, to: Socket) => {
    from.on('data', (chunk) => {
      if (mode === 'half-open') return;
      if (mode !== 'delay') sendAfter(to, chunk, 0, from);
      else sendAfter(to, chunk, delayMs, from);
    });
    from.on('close', () => to.destroy());
  };
  const server = createServer((client) => {
    add(client);
    if (mode === 'cut') {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect(targetPort, '127.0.0.1');
    add(upstream);
    forward(client, upstream);
    forward(upstream, client);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    set(next, milliseconds = 0) {
      const wasHalfOpen = mode === 'half-open';
      [mode, delayMs] = [next, milliseconds];
      // What was swallowed is missing from these connections: they cannot be used again.
      if (next === 'cut' || wasHalfOpen) for (const socket of sockets) socket.resetAndDestroy();
    },
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}

/** Chunks of a connection keep their order: while one is delayed, the later ones wait. */
const queues = new WeakMap<Socket, Promise<void>>();

function sendAfter(to: Socket, chunk: Buffer, milliseconds: number, from: Socket): void {
  const waiting = queues.get(to);
  if (waiting === undefined && milliseconds === 0) {
    write(to, chunk, from);
    return;
  }
  const due = Date.now() + milliseconds;
  const sent = (waiting ?? Promise.resolve()).then(async () => {
    const left = due - Date.now();
    if (left > 0) await new Promise((resolve) => setTimeout(resolve, left));
    write(to, chunk, from);
    if (queues.get(to) === sent) queues.delete(to);
  });
  queues.set(to, sent);
}

function write(to: Socket, chunk: Buffer, from: Socket): void {
  if (to.destroyed || to.write(chunk)) return;
  from.pause();
  to.once('drain', () => from.resume());
}
