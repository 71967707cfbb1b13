import { request } from 'node:http';
import { guestRoute } from '../../src/access/guest-route';
import { commandRoutes } from '../../src/commands/routes';
import { type Route, withPorts } from '../../src/http/route';
import { pageRoutes } from '../../src/queries/pages';
import { queryRoutes } from '../../src/queries/routes';
import { allRoutes, describeAnswers } from '../support/described-api';
import { getJson, readAnswer, serve, type TestServer } from '../support/serve';

/** No route of these tests may get as far as to use a port. */
const noPorts = new Proxy(
  {},
  {
    get: (_target, name) => {
      throw new Error(`used ${String(name)}`);
    },
  },
);

describe('the routes', () => {
  it('have different names, and different methods or paths', () => {
    const names = allRoutes.map(({ name }) => name);
    const places = allRoutes.map(({ method, path }) => `${method} ${path}`);
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(places).size).toBe(places.length);
  });

  it('have a schema for every parameter of their paths', () => {
    for (const { path, params } of allRoutes) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect([path, Object.keys(params?.shape ?? {})]).toEqual([path, inPath]);
    }
  });
});

describe('a server of the routes', () => {
  let server: TestServer;
  beforeAll(async () => {
    const routes: readonly Route<never>[] = [...commandRoutes, guestRoute, ...queryRoutes, ...pageRoutes];
    server = await serve(withPorts(routes, noPorts as never));
  });
  afterAll(() => server.close());

  const send = async (method: string, path: string, init: RequestInit = {}) =>
    readAnswer(await fetch(`${server.url}${path}`, { method, ...init }));

  it('answers another method of a path with 405, and names those that it has', async () => {
    const { status, body, headers } = await send('PATCH', '/carts/alice/items');
    expect([status, body.code, headers.get('Allow')]).toEqual([405, 'method_not_allowed', 'POST, DELETE, OPTIONS']);
    expect((await send('POST', '/carts/alice')).headers.get('Allow')).toBe('GET, HEAD, OPTIONS');
  });

  it('answers OPTIONS with the methods of the path', async () => {
    const { status, headers } = await send('OPTIONS', '/carts/alice/items/pen');
    expect([status, headers.get('Allow')]).toEqual([204, 'PUT, DELETE, OPTIONS']);
  });

  it.each(['/carts/alice/items/', '/Carts/alice/items', '/carts//items', '/carts/alice/items//'])(
    'has nothing at %s, which is no path of a route',
    async (path) => {
      expect(await send('DELETE', path)).toMatchObject({ status: 404, body: { code: 'route_not_found' } });
    },
  );

  it.each(['%2e', '%2e%2e'])('rejects the id %s, which clients resolve as a path', async (id) => {
    const { status, text } = await sendRaw('DELETE', `/carts/alice/items/${id}`);
    expect([status, text]).toEqual([400, expect.stringContaining('must not be . or ..')]);
  });

  it('takes an empty chunked body for none', async () => {
    const { status, text } = await sendRaw('POST', '/carts/alice/restore', { 'Transfer-Encoding': 'chunked' });
    expect([status, text]).toEqual([400, expect.stringContaining('"path":"version"')]);
  });

  it.each(['\u200b', ' ', '\u3164', '\u2800', '\u00a0\u200d'])(
    'rejects the product name %j, which shows nothing',
    async (name) => {
      const { status, body } = await send('PUT', '/products/pen', {
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ name, unitPrice: 1, currency: 'EUR' }),
      });
      expect([status, body.errors[0]]).toEqual([400, { path: 'name', message: 'must have a visible character' }]);
    },
  );

  it('describes itself', async () => {
    const { status, body } = await getJson(`${server.url}/openapi.json`);
    expect([status, body.openapi]).toEqual([200, '3.1.0']);
    expect(Object.keys(body.paths).sort()).toEqual([...new Set(allRoutes.map(({ path }) => path))].sort());
  });

  /** `fetch` would resolve the path, and give the body a length. */
  const sendRaw = (method: string, path: string, headers: Record<string, string> = {}) =>
    new Promise<{ status: number; text: string }>((resolve, reject) => {
      const sent = request(server.url, { method, path, headers }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part) => {
          text += part;
        });
        response.on('end', () => resolve({ status: response.statusCode!, text }));
      });
      sent.on('error', reject).end();
    });
});

describe('the comparison of an answer with the description', () => {
  const differenceOf = describeAnswers(allRoutes);
  const cart = {
    userId: 'alice',
    version: 0,
    status: 'empty',
    currency: null,
    note: null,
    itemCount: 0,
    subtotal: 0,
    updatedAt: null,
    items: [],
  };
  const problem = (code: string) => ({
    type: `urn:cart:problem:${code}`,
    title: 'Not Found',
    status: 404,
    detail: 'There is none.',
    instance: '/carts/alice',
    code,
  });
  const compare = (
    status: number,
    body: unknown,
    headers: Record<string, string> = { ETag: '"0"', 'Cache-Control': 'no-cache' },
  ) => {
    const response = new Response(null, { status, headers: { 'Content-Type': 'application/json', ...headers } });
    return differenceOf('get', new URL('http://api/carts/alice'), response, JSON.stringify(body));
  };

  it('finds none in a cart, nor in a problem that the route has', () => {
    expect(compare(200, cart)).toBeUndefined();
    const headers = { 'Content-Type': 'application/problem+json' };
    expect(compare(404, problem('cart_unknown'), headers)).toBeUndefined();
  });

  it.each<[what: string, status: number, body: unknown, headers: Record<string, string> | undefined]>([
    ['another status', 201, cart, undefined],
    ['a field more', 200, { ...cart, colour: 'red' }, undefined],
    ['a field less', 200, { ...cart, items: undefined }, undefined],
    ['a field of another type', 200, { ...cart, version: '0' }, undefined],
    ['no ETag', 200, cart, { 'Cache-Control': 'no-cache' }],
    ['another type of content', 200, cart, { ETag: '"0"', 'Cache-Control': 'no-cache', 'Content-Type': 'text/html' }],
    ['a code that the route has not', 404, problem('cart_empty'), { 'Content-Type': 'application/problem+json' }],
  ])('finds %s', (_what, status, body, headers) => {
    expect(compare(status, body, headers)).toEqual(expect.any(String));
  });
});
