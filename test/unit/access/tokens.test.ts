import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { exportJWK } from 'jose';
import { createAuthorize } from '../../../src/access/authorize';
import { createGuestTokens } from '../../../src/access/guests';
import type { ServedRoute } from '../../../src/http/route';
import { cartPath } from '../../../src/http/validation';
import { inSeconds, openIssuer, type TestIssuer } from '../../support/issuer';
import { readAnswer, serve, type TestServer } from '../../support/serve';

/** Answers with who acts. */
const whoActs: ServedRoute = {
  name: 'whoActs',
  method: 'get',
  path: '/carts/{userId}',
  summary: 'Who acts',
  access: 'carts:write',
  rate: 'commands',
  params: cartPath,
  answers: { 200: { description: 'Who acts.' } },
  problems: {},
  handle: async ({ actor }) => ({ status: 200, body: { actor } }),
};

const guestKey = generateKeyPairSync('ed25519').privateKey;
const guests = createGuestTokens(guestKey, 30);
const stranger = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey;

let issuer: TestIssuer;
let server: TestServer;
const open = async () => {
  issuer = await openIssuer();
  server = await serve([whoActs], createAuthorize(issuer.issuer, guests));
};
const close = async () => {
  await server.close();
  await issuer.close();
};
afterEach(() => jest.restoreAllMocks());

const ask = async (headers: Record<string, string>, userId = 'alice') =>
  readAnswer(await fetch(`${server.url}/carts/${userId}`, { headers }));
const askWith = (token: string, userId?: string) => ask({ Authorization: `Bearer ${token}` }, userId);
const later = (seconds: number) => {
  const now = Date.now();
  jest.spyOn(Date, 'now').mockImplementation(() => now + seconds * 1_000);
};

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const unsigned = (header: object, claims = {}) =>
  `${encode(header)}.${encode({ iss: 'https://id.example', aud: 'carts', sub: 'alice', exp: inSeconds(300), ...claims })}`;
const hmac = (secret: string | Buffer, header = {}) => {
  const text = unsigned({ alg: 'HS256', kid: 'key-1', ...header });
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
};
const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' });
const signed = (claims: object, more: Parameters<TestIssuer['sign']>[1] = {}) =>
  issuer.sign({ sub: 'alice', ...claims }, more);

describe('a forged or unfit token is 401:', () => {
  beforeAll(open);
  afterAll(close);

  it.each<[what: string, make: () => string | Promise<string>]>([
    ['text', () => 'alice'],
    ['two dots', () => '..'],
    ['four parts', async () => `${await signed({})}.x`],
    ['five parts, as an encrypted token', () => 'e30.e30.e30.e30.e30'],
    ['algorithm none', () => `${unsigned({ alg: 'none' })}.`],
    ['algorithm None', () => `${unsigned({ alg: 'None' })}.`],
    ['no algorithm', () => `${unsigned({})}.x`],
    ['no signature', () => `${unsigned({ alg: 'RS256', kid: 'key-1' })}.`],
    ['a secret made of the public key', () => hmac(pem(issuer.publicKey))],
    ['a secret made of the public key as JWK', async () => hmac(JSON.stringify(await exportJWK(issuer.publicKey)))],
    ['an empty secret', () => hmac('')],
    ['an allowed algorithm that the key does not have', () => `${unsigned({ alg: 'EdDSA', kid: 'key-1' })}.AAAA`],
    ['an algorithm that is not allowed', () => signed({}, { header: { alg: 'RS512' } })],
    ["a stranger's key", () => signed({}, { key: stranger })],
    ["a stranger's key under an unknown id", () => signed({}, { key: stranger, header: { kid: 'key-9' } })],
    [
      "a stranger's key in the header",
      async () => signed({}, { key: stranger, header: { jwk: await exportJWK(stranger), kid: 'key-9' } }),
    ],
    [
      "an address of a stranger's keys",
      () => signed({}, { key: stranger, header: { jku: 'http://127.0.0.1:9/keys', kid: 'key-9' } }),
    ],
    [
      "an address of a stranger's certificate",
      () => signed({}, { key: stranger, header: { x5u: 'http://127.0.0.1:9/cert' } }),
    ],
    ['a path as the id of a key', () => signed({}, { key: stranger, header: { kid: '../../dev/null' } })],
    ['a header that must be understood', () => `${unsigned({ alg: 'RS256', kid: 'key-1', crit: ['x'], x: 1 })}.AAAA`],
    [
      'other claims than were signed',
      async () => {
        const [header, , signature] = (await signed({ sub: 'mallory' })).split('.');
        return `${header}.${unsigned({}).split('.')[1]}.${signature}`;
      },
    ],
    ['half of the signature', async () => (await signed({})).slice(0, -100)],
    ['no expiry', () => signed({ exp: undefined })],
    ['an expiry that is over', () => signed({ exp: inSeconds(-61) })],
    ['a beginning that is to come', () => signed({ nbf: inSeconds(61 + 10) })],
    ['no issuer', () => signed({ iss: undefined })],
    ['another issuer', () => signed({ iss: 'https://id.example.evil' })],
    ['no audience', () => signed({ aud: undefined })],
    ['the audience of another service', () => signed({ aud: 'orders' })],
    ['the audiences of customers and staff at once', () => signed({ aud: ['carts', 'carts-staff'] })],
    ['no subject', () => signed({ sub: undefined })],
    ['a subject that is no id', () => signed({ sub: '../alice' })],
    ['a guest as subject', () => signed({ sub: 'guest:1' })],
    ['the scope to act for nobody', () => signed({ aud: 'carts-staff', scope: 'carts:act' })],
    [
      'the scope to act for two users',
      () => signed({ aud: 'carts-staff', scope: 'carts:act', on_behalf_of: ['alice', 'bob'] }),
    ],
    ['the token of a guest', async () => (await guests.issue('alice')).cartToken],
  ])('%s', async (_what, make) => {
    const { status, body, headers } = await askWith(await make());
    expect([status, body.code]).toEqual([401, 'token_invalid']);
    expect(headers.get('WWW-Authenticate')).toBe('Bearer error="invalid_token"');
  });

  it.each(['Basic YWxpY2U6', 'Bearer', 'Bearer a b', 'alice'])('Authorization: %s', async (Authorization) => {
    expect(await ask({ Authorization })).toMatchObject({ status: 401, body: { code: 'token_invalid' } });
  });
});

describe('the log names', () => {
  beforeAll(open);
  afterAll(close);

  it.each([
    ['the user', { sub: 'alice' }, 'user:alice'],
    ['an agent', { sub: 'helper', aud: 'carts-staff', scope: 'carts:act', on_behalf_of: 'alice' }, 'agent:helper'],
    ['staff', { sub: 'operator', aud: 'carts-staff', scope: 'reports:read carts:write' }, 'staff:operator'],
    [
      'staff who may act for another user',
      { sub: 'operator', aud: 'carts-staff', scope: 'carts:act carts:write', on_behalf_of: 'bob' },
      'staff:operator',
    ],
  ])('%s', async (_who, claims, actor) => {
    expect(await askWith(await issuer.sign(claims))).toMatchObject({ status: 200, body: { actor } });
  });

  it('a guest, by the id of the guest', async () => {
    const { userId, cartToken } = await guests.issue();
    expect((await ask({ 'Cart-Token': cartToken }, userId)).body).toEqual({ actor: `user:${userId}` });
  });
});

describe('the keys of the issuer', () => {
  beforeEach(open);
  afterEach(close);

  it('are fetched once', async () => {
    for (const sub of ['alice', 'bob', 'carol']) await askWith(await issuer.sign({ sub }), sub);
    expect(issuer.fetches()).toBe(1);
  });

  it('may change: the new one is fetched, and tokens of the one before are not valid any more', async () => {
    const before = await signed({ jti: 'not used yet' });
    expect((await askWith(await signed({}))).status).toBe(200);
    await issuer.rotate();
    later(31);
    expect((await askWith(await signed({}))).status).toBe(200);
    expect((await askWith(before)).status).toBe(401);
  });

  it('go on where their address does not answer any more', async () => {
    expect((await askWith(await signed({}))).status).toBe(200);
    await issuer.stop();
    later(31);
    const stranger = await issuer.sign({ sub: 'bob' }, { header: { kid: 'key-9' } });
    expect((await askWith(stranger, 'bob')).status).toBe(503);
    expect((await askWith(await issuer.sign({ sub: 'bob' }), 'bob')).status).toBe(200);
  });

  it('are missing where their address has never answered: 503', async () => {
    await issuer.stop();
    const { status, body, headers } = await askWith(await signed({}));
    expect([status, body.code, headers.get('Retry-After')]).toEqual([503, 'keys_unavailable', '2']);
  });
});

it('a token is not accepted after it has expired, though it was before', async () => {
  await open();
  const token = await signed({ exp: inSeconds(30) });
  expect((await askWith(token)).status).toBe(200);
  later(95);
  expect((await askWith(token)).status).toBe(401);
  await close();
});

describe('a token of a guest', () => {
  beforeAll(open);
  afterAll(close);

  it('is renewed when it is used after a tenth of its life, and not before', async () => {
    const { userId, cartToken } = await guests.issue();
    const fresh = await guests.issue();
    expect((await ask({ 'Cart-Token': fresh.cartToken }, fresh.userId)).headers.get('Cart-Token')).toBeNull();
    later(3.1 * 86_400);
    const renewed = (await ask({ 'Cart-Token': cartToken }, userId)).headers.get('Cart-Token')!;
    expect(renewed).not.toBe(cartToken);
    expect((await guests.read(renewed)).userId).toBe(userId);
  });

  it("that names a customer is 401, so that the key for guests opens no customer's cart", async () => {
    const { cartToken } = await guests.issue('alice');
    expect(await ask({ 'Cart-Token': cartToken })).toMatchObject({ status: 401, body: { code: 'token_invalid' } });
  });

  it.each<[what: string, make: () => Promise<string>]>([
    ['that has expired', async () => (await createGuestTokens(guestKey, -0.001).issue('guest:1')).cartToken],
    [
      'of another key',
      async () => (await createGuestTokens(generateKeyPairSync('ed25519').privateKey, 30).issue('guest:1')).cartToken,
    ],
    ['that is the token of a customer', async () => signed({})],
  ])('%s is 401', async (_what, make) => {
    const answer = await ask({ 'Cart-Token': await make() }, 'guest:1');
    expect(answer).toMatchObject({ status: 401, body: { code: 'token_invalid' } });
  });

  it('has an id that nobody can guess', async () => {
    const ids = await Promise.all(Array.from({ length: 50 }, async () => (await guests.issue()).userId));
    expect(new Set(ids).size).toBe(50);
    for (const id of ids)
      expect(id).toMatch(/^guest:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});
