import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createAuthorize } from '../../src/access/authorize';
import { createGuestTokens, type GuestTokens } from '../../src/access/guests';
import { cartWorkflowId } from '../../src/contract/ids';
import { createMergeSweep } from '../../src/delivery/merge';
import { verifyUser } from '../../src/recovery/verify-all';
import { deleteRun } from '../support/archived-cart';
import { buttonsOf, lockCart } from '../support/buttons';
import { forget } from '../support/forget';
import { openIssuer, type TestIssuer } from '../support/issuer';
import { until } from '../support/until';
import { newUser, openWorld, type World } from '../support/world';

const wait = { Prefer: 'wait=20' };

describe('a merge', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld();
  });
  afterAll(() => world.close());

  const newGuest = () => `guest:${randomUUID()}`;
  const send = (user: string, method: string, path: string, body?: unknown, headers: Record<string, string> = wait) =>
    world.request(method, `/carts/${user}${path}`, body, headers);
  const add = (user: string, productId: string, quantity = 1) => send(user, 'POST', '/items', { productId, quantity });
  const merge = (user: string, from: string, more: object = {}, headers = {}) =>
    send(user, 'POST', '/merge', { from, ...more }, { ...wait, ...headers });
  const quantitiesOf = async (user: string) => {
    const { body } = await send(user, 'GET', '');
    return Object.fromEntries(body.items.map((item: Record<string, unknown>) => [item.productId, item.quantity]));
  };
  const source = () => ({ client: world.client, db: world.db });
  const findingsOf = async (...users: string[]) =>
    (await Promise.all(users.map((user) => verifyUser(source(), user)))).flatMap(({ findings }) => findings);
  const deleteRuns = async (user: string) => {
    const { runId } = await world.client.workflow.getHandle(cartWorkflowId(user)).describe();
    await deleteRun(world, user, runId);
  };
  /** A guest with two pens and a pad, and a user with three pens. */
  const guestAndUser = async () => {
    const [guest, user] = [newGuest(), newUser()];
    await add(guest, 'pen', 2);
    await add(guest, 'pad');
    await add(user, 'pen', 3);
    return { guest, user };
  };

  it("puts the guest's lines into the user's cart, and closes that of the guest", async () => {
    const { guest, user } = await guestAndUser();
    const answer = await merge(user, guest);
    expect(answer).toMatchObject({ status: 200, body: { leftOut: [], cart: { userId: user, version: 4 } } });
    expect(await quantitiesOf(user)).toEqual({ pen: 5, pad: 1 });
    const closed = await send(guest, 'GET', '');
    expect(closed.body).toMatchObject({ status: 'merged', version: 3, items: [], currency: null, subtotal: 0 });
    expect((await send(guest, 'GET', '?version=3')).body).toEqual(closed.body);
    expect((await send(guest, 'GET', '?version=2')).body).toMatchObject({ status: 'open', itemCount: 3 });
    expect(await add(guest, 'pen')).toMatchObject({ status: 409, body: { code: 'cart_handed_over' } });
    const outcome = await send(user, 'GET', `/commands/merge:${guest}`);
    expect(outcome.body).toMatchObject({ type: 'mergeCart', status: 'applied', versions: [2, 3, 4], leftOut: [] });
    expect(await findingsOf(guest, user)).toEqual([]);
  });

  it('is answered 202 with the address of its outcome', async () => {
    const { guest, user } = await guestAndUser();
    const answer = await merge(user, guest, {}, { Prefer: '' });
    const location = `/carts/${user}/commands/${encodeURIComponent(`merge:${guest}`)}`;
    expect([answer.status, answer.headers.get('location')]).toEqual([202, location]);
    await until('it is merged', async () => (await world.request('GET', location)).status === 200);
    expect(await quantitiesOf(user)).toEqual({ pen: 5, pad: 1 });
  });

  it('has one effect, however often and at the same time it is sent', async () => {
    const { guest, user } = await guestAndUser();
    const answers = await Promise.all(
      Array.from({ length: 9 }, (_, n) => merge(user, guest, {}, n < 3 ? { 'Idempotency-Key': 'merge-once' } : {})),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect((await merge(user, guest, { strategy: 'replace' })).status).toBe(200);
    expect(await quantitiesOf(user)).toEqual({ pen: 5, pad: 1 });
    expect(await findingsOf(guest, user)).toEqual([]);
  });

  it('is 422 under the key of another merge of this guest', async () => {
    const { guest, user } = await guestAndUser();
    const key = { 'Idempotency-Key': 'merge' };
    expect((await merge(user, guest, {}, key)).status).toBe(200);
    expect(await merge(user, guest, { strategy: 'max' }, key)).toMatchObject({
      status: 422,
      body: { code: 'idempotency_key_reused' },
    });
  });

  it('is 409 where the guest was handed over to somebody else', async () => {
    const { guest, user } = await guestAndUser();
    await merge(user, guest);
    const other = newUser('other');
    const answer = await merge(other, guest);
    expect(answer).toMatchObject({ status: 409, body: { code: 'cart_handed_over' } });
    expect(answer.body.detail).not.toContain(user);
    expect(await quantitiesOf(other)).toEqual({});
  });

  it('is undone by a restore, and the guest stays closed', async () => {
    const { guest, user } = await guestAndUser();
    await merge(user, guest);
    expect((await send(user, 'POST', '/restore', { version: 1 })).body).toMatchObject({ version: 5, itemCount: 3 });
    expect((await merge(user, guest)).status).toBe(200);
    expect(await quantitiesOf(user)).toEqual({ pen: 3 });
    expect((await send(guest, 'GET', '')).body.status).toBe('merged');
  });

  it('names what does not fit in the outcomes of both carts', async () => {
    const { guest, user } = await guestAndUser();
    await send(user, 'PUT', '/items/pen', { quantity: 998 });
    const key = { 'Idempotency-Key': 'full' };
    const { body } = await merge(user, guest, {}, key);
    const leftOut = [{ productId: 'pen', name: 'Pen', unitPrice: 250, quantity: 1, code: 'quantity_limit_exceeded' }];
    expect(body).toMatchObject({ leftOut, cart: { itemCount: 1_000 } });
    expect((await send(user, 'GET', `/commands/merge:${guest}`)).body.leftOut).toEqual(leftOut);
    expect((await send(guest, 'GET', '/commands/full')).body.leftOut).toEqual(leftOut);
  });

  it.each([
    ['into the same cart', async () => merge('alice', 'alice')],
    ['of a guest whose id is too long', async () => merge('alice', 'g'.repeat(123))],
    ['by an unknown strategy', async () => merge('alice', newGuest(), { strategy: 'all' })],
    ['under a key of a merge', async () => merge('alice', newGuest(), {}, { 'Idempotency-Key': 'merge:x' })],
  ])('is 400 %s', async (_kind, ask) => {
    expect(await ask()).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  });

  it('is finished, once, where the runs of both carts are terminated after the hand-over', async () => {
    const { guest, user } = await guestAndUser();
    // The user's cart takes nothing meanwhile, so the merge is not on record when the runs end.
    const unlock = await lockCart(world.db, user);
    expect((await merge(user, guest, {}, { Prefer: '' })).status).toBe(202);
    await until('it is handed over', async () => (await send(guest, 'GET', '')).body.status === 'merged');
    await buttonsOf(world, guest).terminate();
    await buttonsOf(world, user)
      .terminate()
      .catch(() => undefined);
    await unlock();
    const sweep = createMergeSweep(source(), world.taskQueue);
    await until('it is merged', async () => {
      await sweep();
      return (await quantitiesOf(user)).pad === 1;
    });
    expect(await quantitiesOf(user)).toEqual({ pen: 5, pad: 1 });
    expect(await findingsOf(guest, user)).toEqual([]);
  });

  it('is sent again, once, by a sweep where Postgres and Temporal have lost it', async () => {
    const { guest, user } = await guestAndUser();
    await merge(user, guest);
    await deleteRuns(user);
    await forget(world.db, user, 1);
    expect(await quantitiesOf(user)).toEqual({ pen: 3 });
    const sweep = createMergeSweep(source(), world.taskQueue);
    await until('a sweep has sent it', async () => (await sweep()) > 0);
    await until('it is merged', async () => (await quantitiesOf(user)).pad === 1);
    expect(await quantitiesOf(user)).toEqual({ pen: 5, pad: 1 });
    expect(await sweep()).toBe(0);
    expect(await findingsOf(guest, user)).toEqual([]);
  });

  it('is not lost where the run of the user is reset to its first task', async () => {
    const { guest, user } = await guestAndUser();
    await merge(user, guest);
    const run = buttonsOf(world, user);
    await run.reset((await run.tasks())[0]!);
    await add(user, 'ink');
    expect(await quantitiesOf(user)).toEqual({ pen: 5, pad: 1, ink: 1 });
    expect(await findingsOf(guest, user)).toEqual([]);
  });
});

describe('a merge with tokens', () => {
  let world: World;
  let issuer: TestIssuer;
  let guests: GuestTokens;
  beforeAll(async () => {
    issuer = await openIssuer();
    guests = createGuestTokens(generateKeyPairSync('ed25519').privateKey, 30);
    world = await openWorld({ authorize: createAuthorize(issuer.issuer, guests) });
  });
  afterAll(async () => {
    await world.close();
    await issuer.close();
  });

  it('needs both: that of the user and that of the guest', async () => {
    const user = newUser();
    const [guest, other] = await Promise.all([guests.issue(), guests.issue()]);
    const bearer = { Authorization: `Bearer ${await issuer.sign({ sub: user })}` };
    const merge = (headers: Record<string, string>) =>
      world.request('POST', `/carts/${user}/merge`, { from: guest.userId }, { ...wait, ...headers });
    expect(await merge(bearer)).toMatchObject({ status: 401, body: { code: 'token_missing' } });
    expect((await merge({ 'Cart-Token': guest.cartToken })).status).toBe(404);
    const notTheirs = { ...bearer, 'Cart-Token': other.cartToken };
    expect(await merge(notTheirs)).toMatchObject({ status: 404, body: { code: 'cart_unknown' } });
    const notAToken = { ...bearer, 'Cart-Token': 'no.valid.token' };
    expect(await merge(notAToken)).toMatchObject({ status: 401, body: { code: 'token_invalid' } });
    expect((await merge({ ...bearer, 'Cart-Token': guest.cartToken })).status).toBe(200);
  });
});
