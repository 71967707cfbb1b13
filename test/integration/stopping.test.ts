import { once } from 'node:events';
import { Agent, request, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import express from 'express';
import pino from 'pino';
import { closeServer, listen } from '../../src/http/app';
import type { Announcements } from '../../src/postgres/projection/announcements';
import { listenForProjections } from '../../src/postgres/projection/announcements';
import { awaitProjection } from '../../src/postgres/projection/await-projection';

async function openServer(): Promise<{ server: Server; port: number }> {
  const app = express();
  app.get('/', (_req, res) => {
    res.json({ answered: true });
  });
  const server = await listen(app, '127.0.0.1', 0);
  return { server, port: (server.address() as AddressInfo).port };
}

/** Sends requests over one connection, one after another, until the server asks to close it. @returns how many. */
async function useConnection(port: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (let answers = 0; ; ) {
    const sent = request({ port, host: '127.0.0.1', agent }).end();
    const [answer] = await once(sent, 'response');
    answer.resume();
    await once(answer, 'end');
    answers += 1;
    if (answer.headers.connection === 'close') {
      agent.destroy();
      return answers;
    }
  }
}

describe('a server that closes', () => {
  it('answers every request on connections that are kept alive, and has clients leave', async () => {
    const { server, port } = await openServer();
    const users = Array.from({ length: 50 }, () => useConnection(port));
    const connections = new Set<unknown>();
    await new Promise<void>((resolve) => {
      server.on('request', ({ socket }) => {
        if (connections.add(socket).size === users.length) resolve();
      });
    });
    await closeServer(server);
    expect((await Promise.all(users)).every((answers) => answers > 0)).toBe(true);
    await expect(useConnection(port)).rejects.toThrow(/ECONNREFUSED/);
  });

  it('does not wait for a request that never ends', async () => {
    const { server, port } = await openServer();
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf');
    await once(server, 'request');
    const ended = once(socket, 'close');
    await closeServer(server);
    await ended;
  });
});

describe('a wait for a projection', () => {
  it('ends when the announcements are closed, after one more read', async () => {
    const announcements: Announcements = listenForProjections(
      process.env.TEST_DATABASE_URL!,
      pino({ level: 'silent' }),
    );
    let reads = 0;
    const wait = awaitProjection(announcements, 'alice', 30, async () => {
      reads += 1;
      return undefined;
    });
    await announcements.close();
    expect(await wait).toBeUndefined();
    expect(reads).toBeGreaterThan(0);
    await announcements.close();
  });
});
