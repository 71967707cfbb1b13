import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import pino from 'pino';
import { createAuthorize } from '../../src/access/authorize';
import { createRateLimits } from '../../src/http/rate-limits';
import { withPorts } from '../../src/http/route';
import { type Announcements, listenForProjections } from '../../src/postgres/projection/announcements';
import { project } from '../../src/postgres/projection/project';
import { createQueryPorts } from '../../src/queries/ports';
import { queryRoutes } from '../../src/queries/routes';
import { add, decideAll } from '../support/cart-story';
import { createDatabase, type TestDatabase } from '../support/database';
import { openEventStream } from '../support/event-stream';
import { openIssuer } from '../support/issuer';
import { getJson, serve, type TestServer } from '../support/serve';
import { until } from '../support/until';
import { newUser } from '../support/world';

const logger = pino({ level: 'silent' });

let database: TestDatabase;
let announcements: Announcements;
let stopping: AbortController;
let server: TestServer;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  stopping = new AbortController();
  announcements = listenForProjections(database.url, logger, stopping.signal);
  server = await serve(withPorts(queryRoutes, createQueryPorts(database.db, announcements)));
  await until('projections are announced', async () => announcements.isListening);
});
afterEach(async () => {
  await server.close();
  await announcements.close();
});

/** A cart of many events, of which the first so many are projected; `projectMore` projects the next ones. */
function openCart(userId = newUser()) {
  const { decisions } = decideAll(Array.from({ length: 300 }, (_, n) => add(`product-${n % 50}`)));
  let projected = 0;
  const projectMore = async (count: number) => {
    const batch = decisions.slice(projected, projected + count);
    projected += count;
    await database.db.transaction((trx) => project(trx, userId, batch));
  };
  const url = (query = '') => `${server.url}/carts/${userId}/stream${query}`;
  return { userId, projectMore, url };
}

const from = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, n) => first + n);
const ids = (messages: readonly { id: number }[]) => messages.map(({ id }) => id);

describe('the stream of a cart', () => {
  it('has every event after a version once and in order, as the timeline has it, and then each that comes', async () => {
    const { userId, projectMore, url } = openCart();
    await projectMore(250);
    const stream = await openEventStream(url('?after=3'));
    expect(stream.headers.get('Content-Type')).toMatch(/^text\/event-stream\b/);
    const past = await stream.take(247);
    expect(ids(past)).toEqual(from(4, 250));
    const timeline = await getJson(`${server.url}/carts/${userId}/events?after=3&limit=500`);
    expect(past.map(({ data }) => data)).toEqual(timeline.body.events);
    for (const count of [1, 7, 2]) {
      const coming = stream.take(count);
      await projectMore(count);
      await coming;
    }
    await projectMore(1);
    expect((await stream.next())?.id).toBe(261);
    stream.close();
  });

  it('begins with the next event where no version is named', async () => {
    const { projectMore, url } = openCart();
    await projectMore(5);
    const stream = await openEventStream(url());
    await projectMore(2);
    expect(ids(await stream.take(2))).toEqual([6, 7]);
    stream.close();
  });

  it('goes on after the last event that the client has, also where the address names another', async () => {
    const { projectMore, url } = openCart();
    await projectMore(5);
    const stream = await openEventStream(url('?after=1'), { 'Last-Event-ID': '3' });
    expect(ids(await stream.take(2))).toEqual([4, 5]);
    stream.close();
    expect(await getJson(url(), { 'Last-Event-ID': 'three' })).toMatchObject({ status: 400 });
  });

  it('has what came while nothing was announced', async () => {
    const { projectMore, url } = openCart();
    const stream = await openEventStream(url('?after=0'));
    await projectMore(1);
    await stream.take(1);
    await database.db.raw(`select pg_terminate_backend(pid) from pg_stat_activity
                           where application_name = 'announcements' and datname = current_database()`);
    await projectMore(1);
    expect((await stream.next())?.id).toBe(2);
    stream.close();
  });

  it('ends when the process stops, and says when to connect again', async () => {
    const { url } = openCart();
    const stream = await openEventStream(url());
    stopping.abort();
    expect(await stream.next()).toBeUndefined();
    expect(stream.received()).toMatch(/^retry: \d+\n\nretry: \d+\n\n$/);
  });

  it('has only headers for HEAD', async () => {
    const response = await fetch(openCart().url(), { method: 'HEAD' });
    expect([response.status, await response.text()]).toEqual([200, '']);
  });
});

describe('with tokens', () => {
  it('a stream ends with its token, and a caller has ten of them at once', async () => {
    const issuer = await openIssuer();
    const strict = await serve(
      withPorts(queryRoutes, createQueryPorts(database.db, announcements)),
      createAuthorize(issuer.issuer, undefined),
      { rateLimits: createRateLimits(1) },
    );
    const open = async (claims: object) => {
      const token = await issuer.sign({ sub: 'alice', ...claims });
      return openEventStream(`${strict.url}/carts/alice/stream`, { Authorization: `Bearer ${token}` });
    };
    try {
      // Clocks may differ by a minute, so it is accepted for two seconds more.
      const short = await open({ exp: Math.floor(Date.now() / 1_000) - 58 });
      expect(await short.next()).toBeUndefined();
      const streams = await Promise.all(Array.from({ length: 10 }, () => open({})));
      expect(streams.map(({ status }) => status)).toEqual(Array(10).fill(200));
      expect((await open({})).status).toBe(429);
      streams[0]!.close();
      await until('another stream is open', async () => {
        const stream = await open({});
        stream.close();
        return stream.status === 200;
      });
      for (const stream of streams) stream.close();
    } finally {
      await strict.close();
      await issuer.close();
    }
  });
});

describe('a place among the ten streams of a caller', () => {
  /** How its requests are admitted; a test can make them wait. */
  let admitted: Promise<void>;
  let arrived: Socket[];
  let limited: TestServer;
  beforeEach(async () => {
    admitted = Promise.resolve();
    arrived = [];
    limited = await serve(
      withPorts(queryRoutes, createQueryPorts(database.db, announcements)),
      async (_access, _userId, http) => {
        arrived.push(http.socket);
        await admitted;
        return { actor: 'user:alice', headers: {}, rateKey: { name: 'alice', isStaff: false } };
      },
      { rateLimits: createRateLimits(1) },
    );
  });
  afterEach(() => limited.close());
  const untilFree = () =>
    until('a stream is open', async () => {
      const stream = await openEventStream(`${limited.url}/carts/alice/stream`);
      stream.close();
      return stream.status === 200;
    });

  it('is free again where the client has left before it was admitted', async () => {
    let admit = () => {};
    admitted = new Promise((resolve) => {
      admit = resolve;
    });
    const leaving = new AbortController();
    const requests = Array.from({ length: 10 }, () =>
      fetch(`${limited.url}/carts/alice/stream`, { signal: leaving.signal }).catch(() => undefined),
    );
    await until('the requests have arrived', async () => arrived.length === 10);
    leaving.abort();
    await Promise.all(requests);
    await until('the connections are gone', async () => arrived.every(({ destroyed }) => destroyed));
    admit();
    await untilFree();
  });

  it('is free again where the client has left with requests that waited behind one another', async () => {
    const { hostname, port } = new URL(limited.url);
    const socket = connect(Number(port), hostname);
    const request = `GET /carts/alice/stream HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`;
    socket.write(request.repeat(10));
    await once(socket, 'data');
    await until('no place is free', async () => {
      const stream = await openEventStream(`${limited.url}/carts/alice/stream`);
      stream.close();
      return stream.status === 429;
    });
    socket.destroy();
    await untilFree();
  });
});
