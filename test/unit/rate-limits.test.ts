import { generateKeyPairSync } from 'node:crypto';
import { createAuthorize } from '../../src/access/authorize';
import { guestRoute } from '../../src/access/guest-route';
import { createGuestTokens } from '../../src/access/guests';
import { createRateLimits, requestsPerMinute } from '../../src/http/rate-limits';
import { type ServedRoute, withPorts } from '../../src/http/route';
import { cartPath } from '../../src/http/validation';
import { openIssuer, type TestIssuer } from '../support/issuer';
import { readAnswer, serve, type TestServer } from '../support/serve';

const readCart: ServedRoute = {
  name: 'readCart',
  method: 'get',
  path: '/carts/{userId}',
  summary: 'Reads a cart',
  access: 'carts:read',
  rate: 'reads',
  params: cartPath,
  answers: { 200: { description: 'The cart.' } },
  problems: {},
  handle: async () => ({ status: 200, body: {} }),
};
const changeCart: ServedRoute = {
  ...readCart,
  ...{ name: 'changeCart', method: 'post', access: 'carts:write', rate: 'commands' },
};

/** With it, 2 commands, 6 reads, 1 guest and 1 rejected token a minute are allowed. */
const factor = 1 / 1_000;
const allowed = (rate: keyof typeof requestsPerMinute) => Math.ceil(requestsPerMinute[rate] * factor);

let issuer: TestIssuer;
let server: TestServer;
const open = async (trustedProxies = 0) => {
  issuer = await openIssuer();
  const guests = createGuestTokens(generateKeyPairSync('ed25519').privateKey, 30);
  server = await serve(
    [readCart, changeCart, ...withPorts([guestRoute], { guests })],
    createAuthorize(issuer.issuer, guests),
    { rateLimits: createRateLimits(factor), trustedProxies },
  );
};
const close = async () => {
  await server.close();
  await issuer.close();
};

const send = async (method: string, path: string, headers: Record<string, string>) =>
  readAnswer(await fetch(`${server.url}${path}`, { method, headers }));
const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
const customer = (sub: string, claims = {}) => issuer.sign({ sub, ...claims });
const staff = (sub: string, scope: string, claims = {}) => issuer.sign({ aud: 'carts-staff', sub, scope, ...claims });
const statuses = async (count: number, request: () => Promise<{ status: number }>) => {
  const found: number[] = [];
  for (let n = 0; n < count; n += 1) found.push((await request()).status);
  return found;
};

describe('a caller', () => {
  beforeEach(() => open());
  afterEach(close);

  it('is told how many requests are left, and is rejected when none is', async () => {
    const alice = bearer(await customer('alice'));
    const first = await send('POST', '/carts/alice', alice);
    expect(first.headers.get('RateLimit-Policy')).toBe('"commands";q=2;w=60');
    expect(first.headers.get('RateLimit')).toMatch(/^"commands";r=1;t=(59|60)$/);
    expect((await send('POST', '/carts/alice', alice)).status).toBe(200);
    const rejected = await send('POST', '/carts/alice', alice);
    expect(rejected).toMatchObject({ status: 429, body: { code: 'too_many_requests' } });
    expect(rejected.headers.get('RateLimit')).toMatch(/^"commands";r=0;t=(59|60)$/);
    expect(Number(rejected.headers.get('Retry-After'))).toBeGreaterThan(50);
  });

  it('is limited apart from others, and reads apart from commands', async () => {
    const [alice, bob] = [bearer(await customer('alice')), bearer(await customer('bob'))];
    await statuses(allowed('commands') + 1, () => send('POST', '/carts/alice', alice));
    expect((await send('GET', '/carts/alice', alice)).status).toBe(200);
    expect((await send('POST', '/carts/bob', bob)).status).toBe(200);
  });

  it('is one caller with several tokens', async () => {
    const found: number[] = [];
    for (let n = 0; n <= allowed('commands'); n += 1) {
      found.push((await send('POST', '/carts/alice', bearer(await customer('alice', { n })))).status);
    }
    expect(found).toEqual([200, 200, 429]);
  });

  it('who is an agent is limited for each user, and staff only far above', async () => {
    const agentFor = async (userId: string) => bearer(await staff('bot', 'carts:act', { on_behalf_of: userId }));
    const [forAlice, forBob] = [await agentFor('alice'), await agentFor('bob')];
    expect(await statuses(3, () => send('POST', '/carts/alice', forAlice))).toEqual([200, 200, 429]);
    expect((await send('POST', '/carts/bob', forBob)).status).toBe(200);
    const backend = bearer(await staff('backend', 'carts:write'));
    expect(await statuses(20, () => send('POST', '/carts/alice', backend))).toEqual(Array(20).fill(200));
  });

  it('without a valid token is limited by address, without harm to others at this address', async () => {
    expect(await statuses(2, () => send('GET', '/carts/alice', bearer('not.a.token')))).toEqual([401, 429]);
    expect(await statuses(2, () => send('POST', '/guests', {}))).toEqual([201, 429]);
    expect((await send('GET', '/carts/alice', bearer(await customer('alice')))).status).toBe(200);
  });

  it('may ask for health as often as it likes', async () => {
    const found = await statuses(30, () => send('GET', '/livez', {}));
    expect(found).toEqual(Array(30).fill(200));
  });
});

describe('the address of a caller', () => {
  afterEach(close);
  const fromAddress = (address: string) => send('POST', '/guests', { 'X-Forwarded-For': address });

  it('is what a trusted proxy says', async () => {
    await open(1);
    expect([(await fromAddress('192.0.2.1')).status, (await fromAddress('192.0.2.2')).status]).toEqual([201, 201]);
    expect((await fromAddress('198.51.100.9, 192.0.2.2')).status).toBe(429);
  });

  it('is not what the caller says', async () => {
    await open();
    expect([(await fromAddress('192.0.2.1')).status, (await fromAddress('192.0.2.2')).status]).toEqual([201, 429]);
  });
});
