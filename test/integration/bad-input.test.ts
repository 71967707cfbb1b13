import { cartWorkflowId } from '../../src/contract/ids';
import { limits } from '../../src/domain/limits';
import { type BadRequest, badRequests } from '../support/bad-requests';
import { newUser, openWorld, type World } from '../support/world';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

describe('bad input', () => {
  it.each(badRequests)(
    'is answered 4xx with a problem and records nothing: %s',
    async (...[, method, path, body, headers]: BadRequest) => {
      const user = newUser();
      const answer = await world.request(method, path.replace('{user}', user), body, { ...headers });
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
      expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
      expect(answer.body).toEqual({
        type: expect.stringMatching(/^urn:cart:problem:/),
        title: expect.stringMatching(/^[A-Z]/),
        status: answer.status,
        detail: expect.stringMatching(/./),
        instance: expect.stringMatching(/^\//),
        code: expect.stringMatching(/^[a-z0-9_]+$/),
        ...(answer.body.errors ? { errors: expect.any(Array) } : {}),
      });
      expect(JSON.stringify(answer.body)).not.toMatch(/node_modules|\.ts:|\bat \//);
      await expect(world.client.workflow.getHandle(cartWorkflowId(user)).describe()).rejects.toThrow(/not found/);
      expect(await world.db('cart_commands').where({ user_id: user })).toEqual([]);
    },
  );

  it('creates no product', async () => {
    expect((await world.request('GET', '/products/bad')).status).toBe(404);
  });

  it('does not begin where a signal has the greatest values of all fields: the cart is projected and read', async () => {
    const user = newUser();
    const id = (n: number) => `${n}`.padEnd(limits.idLength, 'x');
    const items = Array.from({ length: limits.linesPerCart }, (_, n) => ({
      productId: id(n),
      name: '\u{1f58b}'.repeat(limits.nameLength / 2),
      unitPrice: limits.unitPrice,
      quantity: limits.quantityPerProduct,
      addedAt: '2030-01-31T12:00:00.000Z',
      addedVersion: limits.version,
    }));
    const envelope = { commandId: id(0), issuedAt: '2030-01-31T12:00:00.000Z', actor: 'a'.repeat(limits.actorLength) };
    await world.signal(user, 'restoreCart', { ...envelope, version: 0, items, currency: 'EUR', expectedVersion: 0 });
    const answer = await world.request('GET', `/carts/${user}?minVersion=1`);
    expect(answer.body).toMatchObject({ itemCount: 99_900, subtotal: 999_000_000_000_000 });
    expect((await world.request('GET', `/carts/${user}/diff?from=0&to=1`)).status).toBe(200);
    expect((await world.request('GET', `/carts/${user}/events`)).body.events).toHaveLength(1);
  });

  it('names each field that is wrong', async () => {
    const { body } = await world.request('POST', `/carts/${newUser()}/items`, { productId: 'a b', quantity: 'x' });
    expect(body.errors).toEqual([
      { path: 'productId', message: 'must be 1–128 characters of A-Z a-z 0-9 . _ ~ @ | : + -' },
      { path: 'quantity', message: expect.stringContaining('number') },
    ]);
  });
});
