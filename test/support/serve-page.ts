import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server of a page that has nothing to do with the API. */
export interface PageServer {
  urlOf(host: string): string;
  close(): Promise<void>;
}

/** Serves the page at every path, on a port of its own. */
export async function servePage(): Promise<PageServer> {
  const server = createServer((_req, res) =>
    res.setHeader('Content-Type', 'text/html').end('<!doctype html><title>Elsewhere</title>'),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    urlOf: (host) => `http://${host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
