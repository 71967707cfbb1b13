import { reportProcess } from '../../src/postgres/processes';
import { runOpsOn } from '../support/run-ops';
import { newUser, openWorld, type World } from '../support/world';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const wait = { Prefer: 'wait=20' };
const add = (user: string, productId: string, quantity = 1) =>
  world.request('POST', `/carts/${user}/items`, { productId, quantity }, wait);
const get = async (path: string) => (await world.request('GET', path)).body;

describe('the hash chain of a cart', () => {
  it('is intact, and its head is the hash of the last decision', async () => {
    const user = newUser();
    await add(user, 'pen');
    await world.request('POST', `/carts/${user}/checkout`, { expectedTotal: 1 }, wait);
    const last = await world.db('cart_commands').where({ user_id: user, sequence: 2 }).first('hash');
    const head = last.hash.toString('hex');
    expect(await get(`/carts/${user}/chain`)).toEqual({
      userId: user,
      decisions: 2,
      head,
      isIntact: true,
      problems: [],
    });
  });

  it('is empty for a user without a cart', async () => {
    const user = newUser();
    expect(await get(`/carts/${user}/chain`)).toMatchObject({ decisions: 0, head: null, isIntact: true });
  });

  it('is broken where a decision was changed, and names it', async () => {
    const user = newUser();
    for (const productId of ['pen', 'ink', 'pad']) await add(user, productId);
    await world.db.transaction(async (trx) => {
      await trx.raw("set local session_replication_role = 'replica'");
      await trx('cart_commands').where({ user_id: user, sequence: 2 }).update({ actor: 'user:mallory' });
    });
    const chain = await get(`/carts/${user}/chain`);
    expect(chain).toMatchObject({ isIntact: false, decisions: 3 });
    expect(chain.problems).toContainEqual({ sequence: 2, what: 'its hash does not match its content' });
  });
});

describe('what is going on', () => {
  it('has the carts, and the commands of the last hour by minute and by code', async () => {
    const before = await get('/operations');
    const user = newUser();
    await add(user, 'pen', 3);
    await add(user, 'cap');
    const after = await get('/operations');
    expect(after.openCarts).toBe(before.openCarts + 1);
    expect(after.units).toBe(before.units + 3);
    expect(after.minutes).toHaveLength(60);
    const sum = (view: typeof after, kind: 'applied' | 'rejected') =>
      view.minutes.reduce((total: number, minute: Record<string, number>) => total + minute[kind]!, 0);
    expect(sum(after, 'applied')).toBe(sum(before, 'applied') + 1);
    expect(sum(after, 'rejected')).toBe(sum(before, 'rejected') + 1);
    expect(after.rejected).toContainEqual(expect.objectContaining({ code: 'currency_mismatch' }));
  });

  it('has what workers report, and no worker of long ago', async () => {
    const startedAt = new Date();
    const report = { kind: 'worker', startedAt, state: { projected: 7, medianLagMs: 12, maxLagMs: 90 } };
    await reportProcess(world.db, { name: 'worker a', ...report });
    await reportProcess(world.db, { name: 'worker a', ...report, state: { ...report.state, projected: 8 } });
    await reportProcess(world.db, { name: 'worker b', ...report });
    const yesterday = world.db.raw("now() - interval '25 hours'");
    await world.db('processes').where({ name: 'worker b' }).update({ seen_at: yesterday });
    const { workers } = await get('/operations');
    expect(workers).toEqual([
      expect.objectContaining({ name: 'worker a', projected: 8, medianLagMs: 12, maxLagMs: 90 }),
    ]);
  });

  it('has how far a rebuild and a verification came, and what they found', async () => {
    await runOpsOn(world, 'rebuild', '--from', 'log');
    await runOpsOn(world, 'verify');
    const { tasks } = await get('/operations');
    const rebuilt = tasks.find(({ kind }: { kind: string }) => kind === 'events');
    expect(rebuilt).toMatchObject({ total: expect.any(Number), endedAt: expect.any(String) });
    expect(rebuilt.done).toBe(rebuilt.total);
    expect(tasks.find(({ kind }: { kind: string }) => kind === 'carts verified')).toMatchObject({
      result: expect.stringMatching(/^\d+ findings$/),
    });
  });

  it('names parked carts', async () => {
    const user = newUser();
    const row = { user_id: user, run_id: 'run', message: 'the chain is broken', is_lasting: true };
    await world.db('cart_forks').insert(row);
    expect((await get('/operations')).parked).toContainEqual(
      expect.objectContaining({ userId: user, message: 'the chain is broken' }),
    );
  });
});

describe('carts are found', () => {
  const prefix = newUser('find');
  const usersOf = async (query: string) =>
    (await get(`/operations/carts?user=${prefix}&${query}`)).carts.map(({ userId }: { userId: string }) => userId);
  beforeAll(async () => {
    await add(`${prefix}-1`, 'pen', 2);
    await add(`${prefix}-2`, 'ink');
    await add(`${prefix}-3`, 'cap');
    await add(`${prefix}-4`, 'pad');
    await world.request('DELETE', `/carts/${prefix}-4/items`, undefined, wait);
    const longAgo = '2026-01-01T00:00:00Z';
    await world
      .db('carts')
      .where({ user_id: `${prefix}-2` })
      .update({ updated_at: longAgo });
  });

  it.each([
    ['user', '', ['1', '2', '3', '4']],
    ['product', 'productId=ink', ['2']],
    ['least value', 'minValue=501', ['2', '3']],
    ['greatest value', 'maxValue=500', ['1', '4']],
    ['currency', 'currency=USD', ['3']],
    ['status', 'status=empty', ['4']],
    ['age', 'unchangedSince=2026-01-02T00:00:00Z', ['2']],
    ['several of these', 'minValue=1&currency=EUR&productId=pen', ['1']],
  ])('by %s', async (_what, query, expected) => {
    expect(await usersOf(query)).toEqual(expected.map((n) => `${prefix}-${n}`));
  });

  it('page after page', async () => {
    const first = await get(`/operations/carts?user=${prefix}&limit=3`);
    expect(first.carts).toHaveLength(3);
    const second = await get(first.next);
    expect(second.carts.map(({ userId }: { userId: string }) => userId)).toEqual([`${prefix}-4`]);
    expect(second).not.toHaveProperty('next');
  });
});
