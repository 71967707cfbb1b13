import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import type { ServedRoute } from '../../src/http/route';
import { cartPath } from '../../src/http/validation';
import { serve, type TestServer } from '../support/serve';

let changes = 0;
const route = (method: 'get' | 'post', rest: Partial<ServedRoute> = {}): ServedRoute => ({
  name: method,
  method,
  path: '/carts/{userId}',
  summary: method,
  access: method === 'get' ? 'carts:read' : 'carts:write',
  rate: method === 'get' ? 'reads' : 'commands',
  params: cartPath,
  answers: { 200: { description: 'Done.' } },
  problems: {},
  handle: async () => {
    if (method === 'post') changes += 1;
    return { status: 200, headers: { ETag: '"1"' }, body: {} };
  },
  ...rest,
});

let server: TestServer;
beforeAll(async () => {
  const origins = { hosts: ['carts.example'], allowed: ['https://shop.example'] };
  server = await serve([route('get'), route('post')], undefined, { origins });
});
beforeEach(() => {
  changes = 0;
});
afterAll(() => server.close());

/** Sends headers that `fetch` sets itself. */
async function send(method: string, headers: Record<string, string> = {}, path = '/carts/alice') {
  const sent = request(`${server.url}${path}`, { method, headers }).end();
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of answer) text += chunk;
  return {
    status: answer.statusCode,
    headers: answer.headers,
    code: text === '' ? undefined : JSON.parse(text).code,
  };
}

describe('a request for a host', () => {
  it.each(['127.0.0.1', 'localhost:3000', '[::1]:80', '10.1.2.3:9', 'carts.example', 'CARTS.example:8443'])(
    '%s is answered',
    async (host) => {
      expect(await send('GET', { host })).toMatchObject({ status: 200 });
    },
  );

  it.each([
    'evil.example',
    'evil.example:3000',
    'carts.example.evil.example',
    'localhost.evil.example',
    'no_name',
    ':',
    'a b',
  ])('%s is rejected, and changes nothing', async (host) => {
    const path = '/carts/alice';
    expect(await send('GET', { host }, path)).toMatchObject({ status: 421, code: 'host_unknown' });
    expect(await send('POST', { host, origin: `http://${host}` }, path)).toMatchObject({ status: 421 });
    expect(changes).toBe(0);
  });
});

describe('a request that changes something', () => {
  const own: readonly Record<string, string>[] = [
    {},
    { origin: 'https://shop.example', 'sec-fetch-site': 'cross-site' },
    { origin: 'http://carts.example', host: 'carts.example', 'sec-fetch-site': 'same-origin' },
    { 'sec-fetch-site': 'none' },
  ];
  it.each(own)('is answered with %j', async (headers) => {
    expect(await send('POST', headers)).toMatchObject({ status: 200 });
    expect(changes).toBe(1);
  });

  const foreign: readonly Record<string, string>[] = [
    { origin: 'http://evil.example' },
    { origin: 'null' },
    { origin: 'https://shop.example.evil.example' },
    { origin: 'http://shop.example' },
    { origin: 'https://shop.example:8443' },
    { origin: 'http://carts.example:81', host: 'carts.example' },
    { origin: '' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'anything' },
  ];
  it.each(foreign)('is rejected with %j', async (headers) => {
    expect(await send('POST', headers)).toMatchObject({ status: 403, code: 'cross_site_request' });
    expect(changes).toBe(0);
  });
});

describe('a page of another origin', () => {
  const asks = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' };

  it('may read what is allowed to its origin', async () => {
    const origin = 'https://shop.example';
    const answer = await send('GET', { origin });
    expect(answer.headers).toMatchObject({ 'access-control-allow-origin': origin });
    expect(answer.headers.vary).toContain('Origin');
    expect(answer.headers['access-control-expose-headers']).toContain('Cart-Token');
    expect((await send('OPTIONS', { origin, ...asks })).headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-methods': expect.stringContaining('POST'),
      'access-control-allow-headers': expect.stringContaining('Authorization'),
      allow: 'GET, POST, HEAD, OPTIONS',
    });
  });

  it('may read problems, too, where its origin is allowed', async () => {
    const answer = await send('GET', { origin: 'https://shop.example' }, '/nothing');
    expect(answer).toMatchObject({ status: 404, headers: { 'access-control-allow-origin': 'https://shop.example' } });
  });

  it('may read nothing where its origin is not allowed', async () => {
    for (const [method, headers] of [
      ['GET', {}],
      ['OPTIONS', asks],
    ] as const) {
      const answer = await send(method, { origin: 'http://evil.example', ...headers });
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
      expect(answer.headers['cross-origin-resource-policy']).toBe('same-origin');
    }
  });
});

it('every answer has the headers that keep browsers from using it otherwise', async () => {
  for (const path of ['/carts/alice', '/nothing', '/carts/a%20b', '/livez', '/openapi.json']) {
    const { headers } = await send('GET', {}, path);
    expect(headers).toMatchObject({
      'content-security-policy': "default-src 'none';base-uri 'none';form-action 'none';frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'SAMEORIGIN',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
      'strict-transport-security': expect.stringContaining('max-age='),
      'cache-control': expect.any(String),
    });
    expect(headers['x-powered-by']).toBeUndefined();
  }
});
