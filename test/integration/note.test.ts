import { cartWorkflowId } from '../../src/contract/ids';
import { rebuildCart } from '../../src/postgres/read-model/rebuild-cart';
import { verifyUser } from '../../src/recovery/verify-all';
import { newUser, openWorld, type World } from '../support/world';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const wait = { Prefer: 'wait=20' };
const note = 'Für Anna ❤ | *please*\nring <twice>';

/** The cart of one user. */
function openCart(user = newUser()) {
  const send = (method: string, path = '', body?: unknown, headers: Record<string, string> = wait) =>
    world.request(method, `/carts/${user}${path}`, body, headers);
  const change = (text: string | null, headers = {}) => send('PUT', '/note', { note: text }, { ...wait, ...headers });
  const noteAt = async (version: number) => (await send('GET', `?version=${version}`)).body.note;
  return { user, send, change, noteAt };
}

describe('the note of a cart', () => {
  it('is shown with the cart, at every version and instant, in the timeline and in differences', async () => {
    const { send, change, noteAt } = openCart();
    expect(await change(note)).toMatchObject({ status: 200, body: { version: 1, status: 'empty', note } });
    await send('POST', '/items', { productId: 'pen' });
    await change('another');
    await send('DELETE', '/items');
    const { body } = await change(null);
    expect(body).toMatchObject({ version: 5, note: null });
    expect((await send('GET')).body).toEqual(body);
    expect(await Promise.all([0, 1, 2, 3, 4, 5].map(noteAt))).toEqual([null, note, note, 'another', 'another', null]);
    const { events } = (await send('GET', '/events')).body;
    expect((await send('GET', `?at=${events[1].occurredAt}`)).body).toMatchObject({ version: 2, note });
    expect(events[2]).toMatchObject({ type: 'NoteChanged', data: { note: 'another', previousNote: note }, before: [] });
    const difference = (await send('GET', '/diff?from=2&to=5')).body;
    expect(difference.note).toEqual({ before: note, after: null });
  });

  it('is sold with the cart, which has none afterwards, and comes back with a restore', async () => {
    const { user, send, change, noteAt } = openCart();
    await send('POST', '/items', { productId: 'pen' });
    await change(note);
    expect((await send('POST', '/checkout')).body).toMatchObject({ version: 3, note: null });
    const { events } = (await send('GET', '/events?type=CartCheckedOut')).body;
    expect(events[0].data).toMatchObject({ note });
    expect((await send('POST', '/restore', { version: 2 })).body).toMatchObject({ note, itemCount: 1 });
    expect((await send('POST', '/restore', { version: 1 })).body).toMatchObject({ note: null, itemCount: 1 });
    expect(await Promise.all([2, 3, 4, 5].map(noteAt))).toEqual([note, null, note, null]);
    expect((await verifyUser({ client: world.client, db: world.db }, user)).findings).toEqual([]);
  });

  it('is a command of a batch, with an outcome of its own', async () => {
    const { send } = openCart();
    const commands = [
      { type: 'addItem', productId: 'pen' },
      { type: 'changeNote', note },
      { type: 'checkOut' },
      { type: 'changeNote', note: 'next' },
    ];
    const { body } = await send('POST', '/commands', { commands });
    expect(body.cart).toMatchObject({ version: 4, itemCount: 0, note: 'next' });
    expect(body.outcomes.map(({ versions }: { versions: number[] }) => versions)).toEqual([[1], [2], [3], [4]]);
  });

  it('is merged into the cart of a user that has none, and else named', async () => {
    const [first, second, alice] = [openCart('guest:one'), openCart('guest:two'), openCart()];
    await first.change(note);
    await second.change('left out');
    const merged = await alice.send('POST', '/merge', { from: first.user });
    expect(merged).toMatchObject({ status: 200, body: { cart: { note }, leftOut: [] } });
    expect(merged.body).not.toHaveProperty('leftOutNote');
    const again = await alice.send('POST', '/merge', { from: second.user });
    expect(again.body).toMatchObject({ cart: { note }, leftOut: [], leftOutNote: 'left out' });
    const outcome = await alice.send('GET', `/commands/merge:${second.user}`);
    expect(outcome.body).toMatchObject({ leftOutNote: 'left out' });
  });

  it('is the same request again, or another one, under the same key', async () => {
    const { change } = openCart();
    const key = { 'Idempotency-Key': 'once' };
    await change(note, key);
    const again = await change(note, key);
    expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([200, 'true']);
    expect(await change(null, key)).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
  });

  it('is rebuilt from the log', async () => {
    const { user, send, change } = openCart();
    await change(note);
    await world.db('carts').where({ user_id: user }).update({ note: 'tampered' });
    await rebuildCart(world.db, user);
    expect((await send('GET')).body.note).toBe(note);
  });

  it('can have 500 characters, which are shown in the Web UI as they are', async () => {
    const { user, change } = openCart();
    expect((await change('❤'.repeat(500))).status).toBe(200);
    await change(note);
    const { currentDetails } = await world.client.workflow
      .getHandle(cartWorkflowId(user))
      .query<{ currentDetails: string }>('__temporal_workflow_metadata');
    expect(currentDetails).toContain('Note: Für Anna ❤ \\| \\*please\\* ↵ ring \\<twice>');
  });

  it.each([
    ['longer than 500 characters', 'n'.repeat(501)],
    ['empty', ''],
    ['a text with a tab', 'a\tb'],
    ['a text with a lone surrogate', 'a\ud800'],
    ['a number', 7],
    ['absent', undefined],
  ])('is 400 where it is %s', async (_what, text) => {
    const { send } = openCart();
    expect(await send('PUT', '/note', { note: text })).toMatchObject({
      status: 400,
      body: { code: 'invalid_request' },
    });
  });
});
