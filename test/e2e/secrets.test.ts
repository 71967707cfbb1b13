import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openIssuer, type TestIssuer } from '../support/issuer';
import { openProxy } from '../support/proxy';
import { openRoleProcesses, type RoleProcesses } from '../support/role-processes';
import { readAnswer } from '../support/serve';

/** Everything that a log may not have; what a test adds to it is looked for as well. */
const secrets = new Map<string, string>();
let folder: string;
let issuer: TestIssuer;
let roles: RoleProcesses;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'cart-secrets-'));
  issuer = await openIssuer();
  const key = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const keyFile = path.join(folder, 'guests.pem');
  await writeFile(keyFile, key);
  secrets.set('the key of guests', key.split('\n')[1]!);
  roles = await openRoleProcesses('secrets', {
    LOG_LEVEL: 'trace',
    AUTH_JWKS_URL: `${issuer.keysUrl}?key=${secret('the key in the address of the keys')}`,
    AUTH_ISSUER: issuer.issuer.issuer,
    GUEST_KEY_FILE: keyFile,
    RATE_LIMITS: 'postgres',
  });
  secrets.set('the passwords of Postgres', 'password-of-cart');
});
afterAll(async () => {
  await roles.close();
  await issuer.close();
  await rm(folder, { recursive: true, force: true });
});

function secret(what: string): string {
  const value = randomBytes(12).toString('hex');
  secrets.set(what, value);
  return value;
}

it('is in no line that the roles log, whatever fails', async () => {
  const postgres = new URL(roles.databaseUrl);
  const proxy = await openProxy(postgres.hostname, Number(postgres.port));
  const proxied = Object.assign(new URL(roles.databaseUrl), { port: String(proxy.port) }).href;
  const [commands, queries] = [await roles.start('main-commands', proxied), await roles.start('main-queries', proxied)];
  const send = async (url: string, method: string, headers: Record<string, string>, body?: string) =>
    readAnswer(await fetch(url, { method, headers, ...(body === undefined ? {} : { body }) }));

  const guest = await send(`${commands.url}/guests`, 'POST', {});
  const { userId, cartToken } = guest.body;
  const token = await issuer.sign({ sub: 'alice' });
  for (const [what, text] of Object.entries({ 'a cart token': cartToken, 'a token': token }))
    secrets.set(what, text.split('.')[2]);
  const forged = `${token.slice(0, -8)}${secret('a forged token').slice(0, 8)}`;
  secrets.set('a forged token', forged.split('.')[2]!);
  const basic = btoa(`alice:${secret('a password')}`);
  secrets.set('a password in a header', basic);
  const json = { 'Content-Type': 'application/json' };
  const everything = async () => {
    const statuses: number[] = [];
    for (const [user, headers] of [
      ['alice', { Authorization: `Bearer ${token}` }],
      ['alice', { Authorization: `Bearer ${forged}` }],
      ['alice', { Authorization: `Basic ${basic}` }],
      [userId, { 'Cart-Token': cartToken }],
    ] as const) {
      for (const [url, method, body] of [
        [`${commands.url}/carts/${user}/items`, 'POST', '{"productId":"pen"}'],
        [`${commands.url}/carts/${user}/items`, 'POST', '{"productId"'],
        [`${queries.url}/carts/${user}`, 'GET', undefined],
        [`${queries.url}/carts/${user}/events?limit=1`, 'GET', undefined],
      ] as const) {
        statuses.push((await send(url, method, { ...headers, ...(body === undefined ? {} : json) }, body)).status);
      }
    }
    return [...new Set(statuses)].sort();
  };
  expect(await everything()).toEqual([200, 202, 400, 401]);
  proxy.set('refuse');
  expect(await everything()).toEqual(expect.arrayContaining([401, 503]));
  expect((await fetch(`${queries.url}/readyz`)).status).toBe(503);
  await issuer.stop();
  await issuer.rotate();
  await send(`${queries.url}/carts/alice`, 'GET', { Authorization: `Bearer ${await issuer.sign({ sub: 'alice' })}` });

  const outputs = [await commands.stop(), await queries.stop()].map(({ output }) => output);
  await proxy.close();
  expect(outputs.join()).toMatch(/"not ready: postgres"/);
  const found = [...secrets].filter(([, value]) => outputs.some((output) => output.includes(value)));
  expect(found.map(([what]) => what)).toEqual([]);
});
