import { generateKeyPairSync } from 'node:crypto';
import { z } from 'zod';
import { createAuthorize } from '../../../src/access/authorize';
import { createGuestTokens } from '../../../src/access/guests';
import type { ServedRoute } from '../../../src/http/route';
import { allRoutes } from '../../support/described-api';
import { inSeconds, openIssuer, type TestIssuer } from '../../support/issuer';
import { serve, type TestServer } from '../../support/serve';

/** What each route asks for. A route that is not here fails the test. */
const expected: Readonly<Record<string, keyof typeof statuses>> = {
  checkLife: 'everybody',
  checkReadiness: 'everybody',
  describeApi: 'everybody',
  readApiPage: 'everybody',
  readApiPageStart: 'everybody',
  readSwaggerUi: 'everybody',
  readSwaggerUiStyle: 'everybody',
  readStartPage: 'everybody',
  readShopPage: 'everybody',
  readTimePage: 'everybody',
  readTimePageOf: 'everybody',
  readOperationsPage: 'everybody',
  readAsset: 'everybody',
  createGuest: 'everybody',
  listProducts: 'everybody',
  readProduct: 'everybody',
  addItem: 'carts:write',
  changeItemQuantity: 'carts:write',
  removeItem: 'carts:write',
  clearCart: 'carts:write',
  changeNote: 'carts:write',
  checkOut: 'carts:write',
  restoreCart: 'carts:write',
  mergeCart: 'carts:write',
  sendCommands: 'carts:write',
  readCart: 'carts:read',
  readOutcome: 'carts:read',
  readTimeline: 'carts:read',
  streamEvents: 'carts:read',
  compareCarts: 'carts:read',
  readChain: 'carts:read',
  putProduct: 'catalogue:write',
  reportCarts: 'reports:read',
  reportOpenCarts: 'reports:read',
  reportLongestOpen: 'reports:read',
  reportProducts: 'reports:read',
  reportValue: 'reports:read',
  reportCheckouts: 'reports:read',
  readOperations: 'reports:read',
  findCarts: 'reports:read',
};

const ofCart = {
  nobody: 401,
  'the user': 200,
  'another user': 404,
  'another guest': 404,
  'the user, expired': 401,
  'the user, with the audience of another service': 401,
  'the user, with the scope, in the audience of customers': 200,
  'another user, with the scope, in the audience of customers': 404,
  'staff without a scope': 403,
  'an agent for the user': 200,
  'an agent for another user': 404,
};
const ofStaff = {
  nobody: 401,
  'the user': 403,
  'another user': 403,
  'another guest': 403,
  'the user, expired': 401,
  'the user, with the audience of another service': 401,
  'the user, with the scope, in the audience of customers': 403,
  'another user, with the scope, in the audience of customers': 403,
  'staff without a scope': 403,
  'an agent for the user': 403,
  'an agent for another user': 403,
};
/** The status that each caller gets; the status of staff with a scope is 200 for that scope alone. */
const statuses = {
  everybody: undefined,
  'carts:read': ofCart,
  'carts:write': ofCart,
  'catalogue:write': ofStaff,
  'reports:read': ofStaff,
};
const scopes = ['carts:read', 'carts:write', 'catalogue:write', 'reports:read'] as const;
type Caller = keyof typeof ofCart | `staff with ${(typeof scopes)[number]}`;

describe('the matrix of routes and callers', () => {
  let issuer: TestIssuer;
  let server: TestServer;
  let headersOf: Readonly<Record<Caller, Record<string, string>>>;
  const guests = createGuestTokens(generateKeyPairSync('ed25519').privateKey, 30);

  beforeAll(async () => {
    issuer = await openIssuer();
    // The routes as they are, except for what they read and do: who gets here may call.
    const admitted = allRoutes.map(
      ({ query: _query, headers: _headers, ...route }): ServedRoute => ({
        ...route,
        body: z.unknown(),
        handle: async () => ({ status: 200, body: {} }),
      }),
    );
    server = await serve(admitted, createAuthorize(issuer.issuer, guests));
    const bearer = async (...args: Parameters<TestIssuer['sign']>) => ({
      Authorization: `Bearer ${await issuer.sign(...args)}`,
    });
    const staff = (scope: string, more = {}) => bearer({ sub: 'operator', aud: 'carts-staff', scope, ...more });
    const everyScope = scopes.join(' ');
    headersOf = {
      nobody: {},
      'the user': await bearer({ sub: 'alice' }),
      'another user': await bearer({ sub: 'mallory' }),
      'another guest': { 'Cart-Token': (await guests.issue()).cartToken },
      'the user, expired': await bearer({ sub: 'alice', exp: inSeconds(-61) }),
      'the user, with the audience of another service': await bearer({ sub: 'alice', aud: 'orders' }),
      'the user, with the scope, in the audience of customers': await bearer({ sub: 'alice', scope: everyScope }),
      'another user, with the scope, in the audience of customers': await bearer({ sub: 'mallory', scope: everyScope }),
      'staff without a scope': await bearer({ sub: 'operator', aud: 'carts-staff' }),
      'an agent for the user': await staff('carts:act', { on_behalf_of: 'alice' }),
      'an agent for another user': await staff('carts:act', { on_behalf_of: 'mallory' }),
      'staff with carts:read': await staff('carts:read'),
      'staff with carts:write': await staff('carts:write'),
      'staff with catalogue:write': await staff('catalogue:write'),
      'staff with reports:read': await staff('reports:read'),
    };
  });
  afterAll(async () => {
    await server.close();
    await issuer.close();
  });

  const ask = async (method: string, path: string, headers: Record<string, string>, userId = 'alice') => {
    const target = path.replace('{userId}', userId).replace(/\{\w+\}/, 'x');
    const answer = await fetch(`${server.url}${target}`, { method: method.toUpperCase(), headers });
    return answer.status;
  };

  it('has expectations for every route, and for no other one', () => {
    expect(Object.keys(expected).sort()).toEqual(allRoutes.map(({ name }) => name).sort());
  });

  it.each(allRoutes.map((route) => [route.name, route] as const))(
    'lets only the right callers call %s',
    async (name, route) => {
      const access = expected[name]!;
      const wanted = Object.fromEntries(
        (Object.keys(headersOf) as Caller[]).map((caller) => {
          if (access === 'everybody') return [caller, 200];
          if (caller.startsWith('staff with')) return [caller, caller === `staff with ${access}` ? 200 : 403];
          return [caller, statuses[access]![caller as keyof typeof ofCart]];
        }),
      );
      const got = await Promise.all(
        Object.entries(headersOf).map(async ([caller, headers]) => [
          caller,
          await ask(route.method, route.path, headers),
        ]),
      );
      expect(Object.fromEntries(got)).toEqual(wanted);
    },
  );

  it('reads no body of a caller without a token', async () => {
    const body = 'x'.repeat(100_000);
    const answer = await fetch(`${server.url}/carts/alice/items`, { method: 'POST', body });
    expect(answer.status).toBe(401);
  });

  it('lets a guest call every route of the own cart, and of no other one', async () => {
    const { userId, cartToken } = await guests.issue();
    for (const { name, method, path } of allRoutes.filter((route) => expected[route.name]!.startsWith('carts:'))) {
      const headers = { 'Cart-Token': cartToken };
      expect([name, await ask(method, path, headers, userId)]).toEqual([name, 200]);
      expect([name, await ask(method, path, headers)]).toEqual([name, 404]);
    }
  });
});
