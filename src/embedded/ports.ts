import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/**
 * Checks that the port can be listened on.
 * @throws Error that names the port and its environment variable, and says what to do.
 */
export async function assertPortFree(variable: string, port: number, host = '127.0.0.1'): Promise<void> {
  try {
    await listenBriefly(port, host);
  } catch (error) {
    throw new Error(
      `Port ${port} ${reasonOf(error as NodeJS.ErrnoException, host)} or set ${variable} to another port.`,
    );
  }
}

/**
 * Finds a port that is free at the moment. It is below the ports for outgoing connections (32768 and up on Linux), so
 * that no outgoing connection can take it before it is used.
 */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 32_000);
    try {
      return await listenBriefly(port, host);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
}

async function listenBriefly(port: number, host: string): Promise<number> {
  const server = createServer().listen({ port, host, exclusive: true });
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return address.port;
}

function reasonOf({ code, message }: NodeJS.ErrnoException, host: string): string {
  if (code === 'EADDRINUSE') return 'is in use: stop what uses it';
  if (code === 'EACCES') return 'can only be used by an administrator: run as administrator';
  return `cannot be used on ${host} (${message}): set HOST to an address of this machine`;
}
