import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pino from 'pino';
import { loadConfig } from '../../../src/config';
import { openAccessRole } from '../../../src/roles/access';

const logger = pino({ level: 'silent' });
const keySet = { AUTH_JWKS_URL: 'https://id.example/keys', AUTH_ISSUER: 'https://id.example' };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cart-access-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = async (variables: Record<string, string>, localDir?: string) => {
  const role = await openAccessRole(loadConfig(variables), logger, localDir);
  await role.close();
  return { isLocal: role.isLocal, routes: role.routes.map(({ name }) => name) };
};

describe('a role', () => {
  it('does not start where nobody said who may call', async () => {
    await expect(open({})).rejects.toThrow(/AUTH_JWKS_URL and AUTH_ISSUER .* AUTH=off/);
  });

  it('does not start with an address of keys and AUTH=off', async () => {
    await expect(open({ ...keySet, AUTH: 'off' })).rejects.toThrow('not both');
  });

  it('does not start with keys whose issuer nobody named', async () => {
    await expect(open({ AUTH_JWKS_URL: keySet.AUTH_JWKS_URL })).rejects.toThrow('AUTH_ISSUER is not set');
  });

  it.each([
    ['http', { AUTH_JWKS_URL: 'http://id.example/keys' }],
    ['http at a name that begins like this machine', { AUTH_JWKS_URL: 'http://localhost.example/keys' }],
    ['http at a name before an @', { AUTH_JWKS_URL: 'http://localhost:x@id.example/keys' }],
    ['no address', { AUTH_JWKS_URL: 'keys' }],
    ['another value than off', { AUTH: 'on' }],
    ['a secret as algorithm', { ...keySet, AUTH_ALGORITHMS: 'RS256,HS256' }],
    ['no algorithm', { ...keySet, AUTH_ALGORITHMS: 'none' }],
  ])('does not start with %s', async (_what, variables) => {
    await expect(open(variables)).rejects.toThrow(/AUTH/);
  });

  it('starts with the keys of an issuer, and has guests where there is a key for them', async () => {
    const file = path.join(folder, 'guests.pem');
    writeFileSync(file, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }));
    expect(await open(keySet)).toEqual({ isLocal: false, routes: [] });
    expect(await open({ ...keySet, GUEST_KEY_FILE: file })).toEqual({ isLocal: false, routes: ['createGuest'] });
  });
});

describe('the local key', () => {
  it('is made on first use, for its owner alone, and is the same afterwards', async () => {
    expect(await open({}, folder)).toEqual({ isLocal: true, routes: ['createGuest'] });
    const keys = path.join(folder, 'access');
    const written = () => readdirSync(keys).map((name) => [name, statSync(path.join(keys, name)).ino]);
    const before = written();
    expect(before.map(([name]) => name)).toEqual(['guests.pem', 'tokens.pem']);
    for (const [name] of before) expect(statSync(path.join(keys, `${name}`)).mode & 0o777).toBe(0o600);
    await Promise.all([open({}, folder), open({}, folder)]);
    expect(written()).toEqual(before);
  });

  it.each(['0.0.0.0', '192.168.1.5', '::', 'shop.example'])('is not for HOST=%s', async (HOST) => {
    await expect(open({ HOST }, folder)).rejects.toThrow('loopback');
  });

  it('is not for production', async () => {
    await expect(open({ NODE_ENV: 'production' }, folder)).rejects.toThrow('NODE_ENV=production');
  });
});
