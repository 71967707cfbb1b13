import { cartWorkflowId } from '../../src/contract/ids';
import { expectConsistentLog, readLog } from '../support/read-log';
import { until } from '../support/until';
import { newUser, openWorld, type World } from '../support/world';

const wait = { Prefer: 'wait=30' };

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const tables = ['cart_commands', 'cart_events', 'carts', 'cart_items', 'cart_item_history'];

/** Copies the tables of the carts, as a backup does. */
async function backUp(): Promise<void> {
  for (const table of tables) await world.db.raw(`create table backup_${table} as table ${table}`);
}

/** Restores the tables from the backup, as a superuser does. */
async function restoreBackUp(): Promise<void> {
  await world.db.transaction(async (trx) => {
    await trx.raw("set local session_replication_role = 'replica'");
    await trx.raw(`truncate ${tables.join(', ')}`);
    for (const table of tables) {
      await trx.raw(`insert into ${table} table backup_${table}`);
      await trx.raw(`drop table backup_${table}`);
    }
  });
}

const add = (user: string, productId: string, headers = {}) =>
  world.request('POST', `/carts/${user}/items`, { productId }, headers);

describe('Postgres after a restore from an older backup', () => {
  it('is complete again after the next command of the cart, while the worker runs', async () => {
    const user = newUser();
    for (let index = 0; index < 10; index += 1) await add(user, 'pen', wait);
    await backUp();
    await Promise.all(Array.from({ length: 199 }, (_, index) => add(user, index % 2 ? 'pen' : 'ink')));
    await add(user, 'pad', wait);
    const before = await readLog(world, user);
    expect(before.events).toHaveLength(210);
    await restoreBackUp();
    expect((await world.request('GET', `/carts/${user}`)).body.version).toBe(10);
    const next = await add(user, 'pen', wait);
    expect(next.body).toMatchObject({ version: 211, itemCount: 211 });
    const after = await readLog(world, user);
    expect(after.events.slice(0, 210)).toEqual(before.events);
    await expectConsistentLog(world, user);
  });
});

describe('a cart whose workflow and Postgres disagree', () => {
  it('continues from what Postgres has, and overwrites nothing', async () => {
    const user = newUser();
    for (let index = 0; index < 3; index += 1) await add(user, 'pen', wait);
    // The result of another chain: another decision 3, without an event.
    await world.db.transaction(async (trx) => {
      await trx.raw("set local session_replication_role = 'replica'");
      await trx('cart_commands').where({ user_id: user, sequence: 3 }).update({ command_id: 'of-another-chain' });
      await trx('cart_events').where({ user_id: user, version: 3 }).delete();
      await trx('carts').where({ user_id: user }).update({ version: 2 });
    });
    const before = await world.db('cart_commands').where({ user_id: user }).orderBy('sequence');
    expect(await add(user, 'ink', wait)).toMatchObject({ status: 200, body: { version: 3 } });
    const after = await world.db('cart_commands').where({ user_id: user }).orderBy('sequence');
    expect(after.slice(0, 3)).toEqual(before);
    expect(after).toHaveLength(4);
    expect(await world.db('cart_forks').where({ user_id: user })).toEqual([]);
  });
});

describe('the loss of Temporal', () => {
  it('keeps every cart usable at its next version, and earlier commands are recognised', async () => {
    const users = Array.from({ length: 5 }, () => newUser());
    for (const user of users) await add(user, 'pen', { ...wait, 'Idempotency-Key': `first-of-${user}` });
    for (const user of users) {
      const { runId } = await world.client.workflow.getHandle(cartWorkflowId(user)).describe();
      const workflowExecution = { workflowId: cartWorkflowId(user), runId };
      await world.client.workflowService.deleteWorkflowExecution({ namespace: world.namespace, workflowExecution });
      await until('the workflow is deleted', () =>
        world.client.workflow
          .getHandle(cartWorkflowId(user))
          .describe()
          .then(
            () => false,
            () => true,
          ),
      );
    }
    for (const user of users) {
      expect((await add(user, 'ink', wait)).body).toMatchObject({ version: 2, itemCount: 2 });
      await add(user, 'pen', { ...wait, 'Idempotency-Key': `first-of-${user}` });
      expect((await world.request('GET', `/carts/${user}`)).body.version).toBe(2);
      await expectConsistentLog(world, user);
    }
  });
});
