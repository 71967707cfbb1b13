import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Knex } from 'knex';
import { mostAtOnce } from '../../src/contract/at-once';
import { rebuildCart } from '../../src/postgres/read-model/rebuild-cart';
import { deleteRun } from '../support/archived-cart';
import { buttonsOf } from '../support/buttons';
import { runOpsWith } from '../support/run-ops';
import { until } from '../support/until';
import { newUser, openWorld, type World } from '../support/world';

const { privateKey } = generateKeyPairSync('ed25519');
let world: World;
let folder: string;
beforeAll(async () => {
  world = await openWorld();
  folder = await mkdtemp(path.join(tmpdir(), 'cart-repair-'));
  await writeFile(path.join(folder, 'heads.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
});
afterAll(async () => {
  await world.close();
  await rm(folder, { recursive: true });
});

const ops = (...words: string[]) =>
  runOpsWith(world, { HEADS_PRIVATE_KEY_FILE: path.join(folder, 'heads.pem') }, ...words);
const add = (user: string, productId = 'pen') =>
  world.request('POST', `/carts/${user}/items`, { productId }, { Prefer: 'wait=30' });
const commandsOf = (user: string) =>
  world
    .db('cart_commands')
    .select('sequence', 'command_id', 'actor', 'run_id')
    .where({ user_id: user })
    .orderBy('sequence');
const asSuperuser = (change: (trx: Knex.Transaction) => Promise<unknown>) =>
  world.db.transaction(async (trx) => {
    await trx.raw("set local session_replication_role = 'replica'");
    await change(trx);
  });

async function usedCart(): Promise<string> {
  const user = newUser();
  for (const product of ['pen', 'ink', 'pad', 'pen', 'ink']) await add(user, product);
  return user;
}

/** Sends one command so often that the run continues as new. */
async function continueAsNew(user: string): Promise<void> {
  const handle = buttonsOf(world, user).handle();
  const { runId } = await handle.describe();
  const again = { commandId: 'again', issuedAt: new Date().toISOString(), actor: 'test', productId: 'none' };
  for (let sent = 0; sent < 2_010; sent += 201) {
    await Promise.all(Array.from({ length: 201 }, () => handle.signal('removeItem', again)));
  }
  await until('it continues as new', async () => (await handle.describe()).runId !== runId);
  await until('the run before is archived', async () => {
    return (await world.db('cart_histories').where({ run_id: runId })).length === 1;
  });
}

describe('ops repair', () => {
  it('takes rows that were changed, removed or added from the histories, and keeps the old ones with a signed note', async () => {
    const user = await usedCart();
    const before = await commandsOf(user);
    await asSuperuser(async (trx) => {
      await trx('cart_commands').where({ user_id: user, sequence: 2 }).update({ actor: 'user:mallory' });
      await trx('cart_events')
        .where({ user_id: user, version: 3 })
        .update({ data: { productId: 'gold' } });
      await trx('cart_events').where({ user_id: user, sequence: 4 }).delete();
      await trx('cart_commands').where({ user_id: user, sequence: 4 }).delete();
    });
    expect((await ops('verify', '--user', user)).status).toBe(1);
    const { status, output } = await ops('repair', '--user', user);
    expect({ status, output }).toEqual({ status: 0, output: expect.stringContaining('repaired from decision 2 on') });
    expect(output).toMatch(/decision 2: .* actor.*decision 3: .* events.*decision 4: it was missing/s);
    expect(await commandsOf(user)).toEqual(before);
    expect(await ops('verify', '--user', user)).toMatchObject({ status: 0 });
    expect((await add(user)).body).toMatchObject({ version: 6, itemCount: 6 });
    const [repair] = await world.db('cart_repairs').where({ user_id: user });
    expect(repair.old_rows.commands[0]).toMatchObject({ sequence: 2, actor: 'user:mallory' });
    expect((await ops('repair', '--user', user)).output).toContain('nothing was changed');
  });

  it('leaves heads that were kept before valid where it replaced what they were of', async () => {
    const user = await usedCart();
    await asSuperuser((trx) =>
      trx('cart_commands').where({ user_id: user, sequence: 2 }).update({ actor: 'user:mallory' }),
    );
    const list = path.join(folder, 'heads.jsonl');
    await asSuperuser((trx) =>
      trx('cart_commands')
        .where({ user_id: user, sequence: 5 })
        .update({ hash: Buffer.alloc(32) }),
    );
    await ops('heads', '--out', list);
    await ops('repair', '--user', user);
    expect(await ops('verify', '--user', user, '--heads', list)).toMatchObject({ status: 0 });
    await asSuperuser((trx) =>
      trx('cart_repairs')
        .where({ user_id: user })
        .update({ signature: Buffer.alloc(64) }),
    );
    expect((await ops('verify', '--user', user, '--heads', list)).output).toContain('rewritten');
  });

  it('keeps what no history can confirm only where that is accepted', async () => {
    const user = await usedCart();
    await asSuperuser((trx) =>
      trx('cart_commands').where({ user_id: user, sequence: 3 }).update({ run_id: 'unknown', actor: 'unknown' }),
    );
    await buttonsOf(world, user).terminate();
    const { runId } = await buttonsOf(world, user).handle().describe();
    await deleteRun(world, user, runId);
    const rejected = await ops('repair', '--user', user);
    expect(rejected).toEqual({ status: 1, output: expect.stringMatching(/Decision 3 was changed.*--accept/) });
    expect(await ops('repair', '--user', user, '--accept')).toMatchObject({ status: 0 });
    expect(await ops('verify', '--user', user)).toMatchObject({ status: 0 });
    expect((await add(user)).body).toMatchObject({ version: 6 });
  });

  it('lets a cart continue before a gap that nobody can fill, where that is accepted', async () => {
    const user = await usedCart();
    // More than the next run may be told of the end of the record.
    for (let count = 0; count < mostAtOnce; count += 1) await add(user);
    const run = buttonsOf(world, user);
    const { runId } = await run.handle().describe();
    await continueAsNew(user);
    await deleteRun(world, user, runId);
    await asSuperuser(async (trx) => {
      await trx('cart_histories').where({ user_id: user }).delete();
      for (const table of ['cart_events', 'cart_commands']) {
        await trx(table).where({ user_id: user }).where('sequence', '>', 2).delete();
      }
    });
    await rebuildCart(world.db, user);
    const { body: accepted } = await world.request('POST', `/carts/${user}/items`, { productId: 'cap' });
    const parked = () => world.db('cart_forks').where({ user_id: user });
    await until('the cart is parked', async () => (await parked()).length === 1);
    expect(await ops('repair', '--user', user)).toMatchObject({ status: 1 });
    expect(await ops('repair', '--user', user, '--accept')).toMatchObject({ status: 0 });
    const outcome = () => world.request('GET', `/carts/${user}/commands/${accepted.commandId}`);
    await until('the command has an outcome', async () => (await outcome()).status === 200);
    expect((await add(user)).body).toMatchObject({ version: 3 });
    expect(await parked()).toEqual([]);
  });

  it('says how to make a key where none is configured', async () => {
    const printed = jest.spyOn(console, 'error').mockImplementation(() => {});
    expect((await runOpsWith(world, {}, 'repair', '--user', 'alice')).status).toBe(2);
    expect(printed).toHaveBeenCalledWith(expect.stringContaining('openssl genpkey'));
    printed.mockRestore();
  });
});
