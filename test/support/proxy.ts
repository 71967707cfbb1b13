import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * A proxy that can cut the network: `pass` forwards, `refuse` resets connections, `swallow` accepts everything and
 * never answers.
 */
export interface NetworkProxy {
  readonly port: number;
  set(mode: 'pass' | 'refuse' | 'swallow'): void;
  close(): Promise<void>;
}

export async function openProxy(host: string, port: number): Promise<NetworkProxy> {
  let mode: 'pass' | 'refuse' | 'swallow' = 'pass';
  const sockets = new Set<Socket>();
  const addSocket = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
  };
  const server = createServer((client) => {
    addSocket(client);
    if (mode === 'refuse') return client.resetAndDestroy();
    if (mode === 'swallow') return client.resume();
    const upstream = connect(port, host);
    addSocket(upstream);
    client.pipe(upstream).pipe(client);
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const destroyAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    set(next) {
      mode = next;
      if (next === 'refuse') destroyAll();
      if (next === 'swallow') for (const socket of sockets) socket.unpipe().resume();
    },
    async close() {
      server.close();
      destroyAll();
      await once(server, 'close');
    },
  };
}
