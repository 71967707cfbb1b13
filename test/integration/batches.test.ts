import { verifyUser } from '../../src/recovery/verify-all';
import { buttonsOf } from '../support/buttons';
import { until } from '../support/until';
import { newUser, openWorld, type World } from '../support/world';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const wait = { Prefer: 'wait=20' };
const send = (user: string, commands: readonly object[], more: object = {}, headers: Record<string, string> = wait) =>
  world.request('POST', `/carts/${user}/commands`, { commands, ...more }, headers);
const cartOf = async (user: string) => (await world.request('GET', `/carts/${user}`)).body;
const findingsOf = async (user: string) => (await verifyUser({ client: world.client, db: world.db }, user)).findings;
const add = (productId: string, quantity = 1) => ({ type: 'addItem', productId, quantity });
/** 50 commands, of which the 37th is rejected by the cart. */
const fifty = Array.from({ length: 50 }, (_, n) => (n === 36 ? add('pad', 11) : add('pen')));

describe('a batch', () => {
  it('is decided in order, with an outcome for each command', async () => {
    const user = newUser();
    const { status, body } = await send(
      user,
      [add('pen', 2), { type: 'changeItemQuantity', lineId: 'pen', quantity: 3 }, { type: 'checkOut' }],
      {},
      { ...wait, 'Idempotency-Key': 'b' },
    );
    expect({ status, cart: body.cart.version }).toEqual({ status: 200, cart: 3 });
    expect(body.outcomes).toMatchObject([
      { commandId: 'b:1', type: 'addItem', status: 'applied', versions: [1] },
      { commandId: 'b:2', type: 'changeItemQuantity', status: 'applied', versions: [2] },
      { commandId: 'b:3', type: 'checkOut', status: 'applied', versions: [3] },
    ]);
    const entries = (await world.request('GET', `/carts/${user}/events`)).body.events;
    expect(entries.at(-1).data.subtotal).toBe(750);
  });

  it('is answered 202 with the ids of its commands', async () => {
    const user = newUser();
    const { status, body, headers } = await send(user, [add('pen'), add('ink')], {}, { 'Idempotency-Key': 'b' });
    expect(status).toBe(202);
    expect(body).toEqual({ commandId: 'b', status: 'accepted', commandIds: ['b:1', 'b:2'] });
    const location = headers.get('location')!;
    await until('it is decided', async () => (await world.request('GET', location)).status === 200);
    expect((await cartOf(user)).itemCount).toBe(2);
  });

  it('that is atomic and whose 37th of 50 commands is rejected changes nothing, and says which one it was', async () => {
    const user = newUser();
    const answer = await send(user, fifty, { atomic: true }, { ...wait, 'Idempotency-Key': 'b' });
    expect(answer).toMatchObject({ status: 422, body: { code: 'quantity_limit_exceeded', commandId: 'b:37' } });
    expect(answer.body.detail).toMatch(/command 37 of the batch/);
    expect(await cartOf(user)).toMatchObject({ version: 0, items: [] });
    const other = await world.request('GET', `/carts/${user}/commands/b:1`);
    expect(other.body).toMatchObject({ status: 'rejected', code: 'batch_rejected' });
    expect(await findingsOf(user)).toEqual([]);
  });

  it('that is not atomic applies the 49 others', async () => {
    const user = newUser();
    const { status, body } = await send(user, fifty);
    expect({ status, itemCount: body.cart.itemCount }).toEqual({ status: 200, itemCount: 49 });
    const rejected = body.outcomes.flatMap((outcome: { code?: string }, index: number) =>
      outcome.code === undefined ? [] : [[index + 1, outcome.code]],
    );
    expect(rejected).toEqual([[37, 'quantity_limit_exceeded']]);
    expect(await findingsOf(user)).toEqual([]);
  });

  it.each(['nothing', 'gone'])('has an outcome for a product that is not for sale: %s', async (productId) => {
    const user = newUser();
    const { body } = await send(user, [add('pen'), add(productId)]);
    expect(body.outcomes).toMatchObject([{ status: 'applied' }, { status: 'rejected', code: 'product_unavailable' }]);
    expect(body.cart.itemCount).toBe(1);
  });

  it('expects the version of If-Match before its first command', async () => {
    const user = newUser();
    await send(user, [add('pen')]);
    const to = (version: number) => send(user, [add('pen'), add('ink')], {}, { ...wait, 'If-Match': `"${version}"` });
    expect((await to(1)).body.cart.version).toBe(3);
    expect((await to(1)).body.outcomes).toMatchObject([{ code: 'version_mismatch' }, { code: 'version_mismatch' }]);
  });

  it('has its first outcomes again where it is repeated, and is 422 where it is another one', async () => {
    const user = newUser();
    const key = { ...wait, 'Idempotency-Key': 'b' };
    const first = await send(user, [add('pen'), add('ink')], {}, key);
    const again = await send(user, [add('pen'), add('ink')], {}, key);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(again.body.outcomes).toEqual(first.body.outcomes);
    for (const [commands, more] of [
      [[add('pen')], {}],
      [[add('pen'), add('pad')], {}],
      [[add('pen'), add('ink')], { atomic: true }],
    ] as const) {
      expect(await send(user, commands, more, key)).toMatchObject({
        status: 422,
        body: { code: 'idempotency_key_reused' },
      });
    }
    expect((await cartOf(user)).itemCount).toBe(2);
  });

  it.each([
    ['no commands', { commands: [] }],
    ['51 commands', { commands: Array.from({ length: 51 }, () => add('pen')) }],
    ['two checkouts', { commands: [{ type: 'checkOut' }, { type: 'checkOut' }] }],
    ['an unknown type', { commands: [{ type: 'payCart' }] }],
    ['a restore', { commands: [{ type: 'restoreCart', version: 1 }] }],
  ])('is 400 with %s', async (_what, body) => {
    const answer = await world.request('POST', `/carts/${newUser()}/commands`, body);
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  });

  it('that a terminated run left behind is decided as one, once', async () => {
    const user = newUser();
    await send(user, [add('pen')]);
    await world.stopWorker();
    expect((await send(user, fifty, { atomic: true }, { 'Idempotency-Key': 'left' })).status).toBe(202);
    expect((await send(user, [add('ink'), add('pad')], { atomic: true }, { 'Idempotency-Key': 'right' })).status).toBe(
      202,
    );
    await buttonsOf(world, user).terminate();
    await world.startWorker();
    await send(user, [add('pen')]);
    await until('both have outcomes', async () =>
      (
        await Promise.all(['left:50', 'right:2'].map((id) => world.request('GET', `/carts/${user}/commands/${id}`)))
      ).every(({ status }) => status === 200),
    );
    expect(await cartOf(user)).toMatchObject({ version: 4, itemCount: 4 });
    expect(await findingsOf(user)).toEqual([]);
  });
});
