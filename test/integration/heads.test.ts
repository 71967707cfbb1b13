import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Knex } from 'knex';
import { checkHeads } from '../../src/heads/check-heads';
import { readPrivateKey, readPublicKey } from '../../src/heads/keys';
import { readList } from '../../src/heads/list';
import { writeHeads, writeHeadsInto } from '../../src/heads/write-heads';
import { archive } from '../../src/postgres/archive';
import { chainDecisions, genesisOf } from '../../src/postgres/log/hash-chain';
import { readLogs, readSalt, readStoredDecisions } from '../../src/postgres/log/read-logs';
import { toHashColumns } from '../../src/postgres/log/rows';
import { project } from '../../src/postgres/projection/project';
import { rebuildCart } from '../../src/postgres/read-model/rebuild-cart';
import { verifyCart } from '../../src/recovery/verify';
import { asProjected } from '../../src/temporal/histories/read-decisions';
import { add, decideAll } from '../support/cart-story';
import { createDatabase, type TestDatabase } from '../support/database';

const users = Array.from({ length: 100 }, (_, index) => `user-${index}`);
const { privateKey, publicKey } = generateKeyPairSync('ed25519');

let database: TestDatabase;
let db: Knex;
let folder: string;
beforeEach(async () => {
  database = await createDatabase();
  db = database.db;
  folder = await mkdtemp(path.join(tmpdir(), 'cart-heads-'));
  for (const user of users) {
    const { decisions } = decideAll([add('pen'), add('ink', 2), { type: 'removeItem', productId: 'pen' }, add('pad')]);
    await db.transaction((trx) => project(trx, user, decisions));
  }
});
afterEach(async () => {
  await database.drop();
  await rm(folder, { recursive: true });
});

/** Changes tables as a superuser does. */
const asSuperuser = (change: (trx: Knex.Transaction) => Promise<unknown>) =>
  db.transaction(async (trx) => {
    await trx.raw("set local session_replication_role = 'replica'");
    await change(trx);
  });

/** Changes an event and makes everything after it fit: hashes, read model. */
async function rewrite(user: string): Promise<void> {
  await asSuperuser(async (trx) => {
    await trx.raw(
      `update cart_events set data = jsonb_set(data, '{unitPrice}', '1') where user_id = ? and version = 2`,
      [user],
    );
    const [log] = await readLogs(trx, [user]);
    const salted = { userId: user, salt: (await readSalt(trx, user))! };
    const decisions = (await readStoredDecisions(trx, log!)).map(({ decision }) => decision);
    const links = chainDecisions(genesisOf('decisions', salted), salted, decisions);
    for (const [index, { sequence }] of decisions.entries()) {
      await trx('cart_commands').where({ user_id: user, sequence }).update(toHashColumns(links[index]!));
    }
  });
  await rebuildCart(db, user);
}

const keepHeads = async () => {
  const file = path.join(folder, 'heads.jsonl');
  await writeHeads(db, privateKey, file);
  return readList(await readFile(file, 'utf8'), publicKey);
};

it('a list of heads shows 100 chains that were rewritten as a whole, of which nothing else shows', async () => {
  const list = await keepHeads();
  expect(await checkHeads(db, list, publicKey)).toEqual([]);
  for (const user of users) await rewrite(user);
  const others = await Promise.all(users.map((user) => verifyCart(db, user, asProjected([]))));
  expect(others.flatMap(({ findings }) => findings)).toEqual([]);
  const found = await checkHeads(db, list, publicKey);
  expect(found.map(({ userId }) => userId).sort()).toEqual([...users].sort());
  expect(found[0]).toMatchObject({ sequence: 4, what: expect.stringContaining('rewritten') });
  expect(await checkHeads(db, list, publicKey, 'user-7')).toHaveLength(1);
}, 120_000);

it('a list of heads shows a log that was cut, an archive that was cut, and a user who is gone', async () => {
  const instant = new Date().toISOString();
  const run = {
    workflowId: 'cart:user-1',
    runId: 'run',
    previousRunId: undefined,
    closedAs: 'Completed',
    eventCount: 3,
  };
  await archive(db, { ...run, userId: 'user-1', startedAt: instant, closedAt: instant }, Buffer.from('a history'));
  const list = await keepHeads();
  await asSuperuser(async (trx) => {
    for (const table of ['cart_events', 'cart_commands']) {
      await trx(table).where({ user_id: 'user-0' }).where('sequence', '>', 3).delete();
    }
    await trx('cart_histories').where({ run_id: 'run' }).delete();
    for (const table of ['cart_events', 'cart_commands', 'cart_users'])
      await trx(table).where({ user_id: 'user-2' }).delete();
  });
  const found = await checkHeads(db, list, publicKey);
  expect(found).toHaveLength(3);
  expect(found).toContainEqual(
    expect.objectContaining({ userId: 'user-0', what: expect.stringMatching(/decisions was cut/) }),
  );
  expect(found).toContainEqual(
    expect.objectContaining({ userId: 'user-1', what: expect.stringMatching(/archive was cut/) }),
  );
  expect(found).toContainEqual(expect.objectContaining({ what: expect.stringMatching(/is gone/) }));
});

it('a list of heads still fits after the carts have been used', async () => {
  const list = await keepHeads();
  const { checkpoint, decisions } = decideAll([
    add('pen'),
    add('ink', 2),
    { type: 'removeItem', productId: 'pen' },
    add('pad'),
  ]);
  expect(decisions).toHaveLength(4);
  const more = decideAll([add('cap', 1, { currency: 'EUR' })], checkpoint).decisions;
  for (const user of users) await db.transaction((trx) => project(trx, user, more));
  expect(await checkHeads(db, list, publicKey)).toEqual([]);
});

it('a list that was changed, cut, or signed with another key is rejected, and names no user', async () => {
  const file = await writeHeadsInto(db, privateKey, folder);
  expect(await readdir(folder)).toEqual([path.basename(file)]);
  const text = await readFile(file, 'utf8');
  expect(text).not.toContain('user-');
  const lines = text.trimEnd().split('\n');
  const withoutOne = [...lines.slice(0, 1), ...lines.slice(2)].join('\n');
  const changed = text.replace('"sequence":4', '"sequence":3');
  for (const forged of [withoutOne, changed, text.slice(0, -20), '', 'no list', `${text}{}`]) {
    expect(() => readList(forged, publicKey)).toThrow(/list of heads/);
  }
  const other = generateKeyPairSync('ed25519').publicKey;
  expect(() => readList(text, other)).toThrow(/another key/);
  expect(readList(text, publicKey).heads.size).toBe(users.length);
});

it('keys are read from files, and a missing or unfit one is a clear error', async () => {
  const [privateKeyFile, rsaFile] = [path.join(folder, 'heads.pem'), path.join(folder, 'rsa.pem')];
  await writeFile(privateKeyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey;
  await writeFile(rsaFile, rsa.export({ type: 'pkcs8', format: 'pem' }));
  const files = { privateKeyFile, publicKeyFile: undefined };
  expect((await readPublicKey(files)).equals(publicKey)).toBe(true);
  await expect(readPrivateKey({ ...files, privateKeyFile: undefined })).rejects.toThrow(/openssl genpkey/);
  await expect(readPrivateKey({ ...files, privateKeyFile: rsaFile })).rejects.toThrow(/not an Ed25519 key/);
});
