import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { until } from './until';

const channels = ['net.client.socket', 'net.server.socket'];

/** Notes every TCP socket that this process opens or accepts from now on. */
export function watchSockets() {
  const open = new Set<Socket>();
  const note = (message: unknown) => {
    const { socket } = message as { socket: Socket };
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  };
  for (const channel of channels) subscribe(channel, note);

  const describe = () =>
    [...open].map(({ localPort, remoteAddress, remotePort }) => `${localPort} to ${remoteAddress}:${remotePort}`);
  return {
    /** Waits until all of them are closed. @throws Error naming those that stay open. */
    async untilClosed(): Promise<void> {
      for (const channel of channels) unsubscribe(channel, note);
      await until(
        () => `every socket is closed, not ${describe().join(', ')}`,
        async () => open.size === 0,
        10_000,
      );
    },
  };
}
