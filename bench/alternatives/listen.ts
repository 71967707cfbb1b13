import type { AddressInfo } from 'node:net';
import type express from 'express';

/** Serves an alternative's app at a free port of this machine. */
export const listen = (app: express.Express): Promise<{ port: number }> =>
  new Promise((resolve) => {
    const server = app.listen(0, '127.0.0.1', () => resolve({ port: (server.address() as AddressInfo).port }));
  });
