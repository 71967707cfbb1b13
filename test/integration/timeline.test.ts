import { emptyCheckpoint, type RecordedDecision } from '../../src/domain/handle';
import { project } from '../../src/postgres/projection/project';
import { runLinkFor } from '../../src/queries/timeline';
import { add, decideAll, instant } from '../support/cart-story';
import { createDatabase, type TestDatabase } from '../support/database';
import { getJson, type TestServer } from '../support/serve';
import { serveQueries } from '../support/serve-queries';

let database: TestDatabase;
let server: TestServer;

const set = (productId: string, quantity: number) => ({ type: 'changeItemQuantity', productId, quantity });
const first = decideAll([
  add('pen', 2),
  add('ink'),
  set('pen', 5),
  set('cap', 1),
  { type: 'checkOut' },
  { type: 'checkOut' },
]);
const before = decideAll([add('pen', 2), add('ink')]).checkpoint.cart;
const restore = { type: 'restoreCart', version: 2, items: before.items, currency: before.currency };
const rest = decideAll(
  [
    add('pad', 3),
    restore,
    { type: 'removeItem', productId: 'none' },
    add('ink', 999),
    set('ink', 0),
    { type: 'clearCart' },
  ],
  first.checkpoint,
);

describe('the link to a run', () => {
  const link = () => 'http://ui';
  const readGuest = async () => 'guest:1';
  it.each([
    ['staff', { actor: 'staff:sam', readGuest }, link],
    ['everybody where no tokens are asked for', { actor: 'user:alice', readGuest: undefined }, link],
    ['no customer', { actor: 'user:alice', readGuest }, undefined],
    ['no agent', { actor: 'agent:a', readGuest }, undefined],
  ])('is for %s', (_who, caller, expected) => expect(runLinkFor(caller, link)).toBe(expected));
});

beforeAll(async () => {
  database = await createDatabase();
  const runLink = (userId: string, runId: string) => `http://ui/${userId}/${runId}`;
  server = await serveQueries(database.db, runLink);
  await database.db.transaction((trx) => project(trx, 'alice', [...first.decisions, ...rest.decisions]));
});
afterAll(async () => {
  await server.close();
  await database.drop();
});

const get = (path: string) => getJson(`${server.url}${path}`);

async function entries(query: string, userId = 'alice') {
  const { status, body } = await get(`/carts/${userId}/events?${query}`);
  expect(status).toBe(200);
  return body.events;
}
const places = async (query: string) =>
  (await entries(query)).map(({ sequence, type }: { sequence: number; type: string }) => `${sequence} ${type}`);

const line = (productId: string, quantity: number) => ({
  lineId: productId,
  productId,
  name: `The ${productId}`,
  quantity,
  unitPrice: 250,
});

const events = [
  '1 ItemAdded',
  '2 ItemAdded',
  '3 ItemQuantityChanged',
  '5 CartCheckedOut',
  '7 ItemAdded',
  '8 CartRestored',
  '11 ItemRemoved',
  '12 CartCleared',
];

describe('the timeline', () => {
  it('shows for each event the command, the run, and the changed lines before and after', async () => {
    const shown = await entries('');
    expect(shown[2]).toEqual({
      version: 3,
      sequence: 3,
      type: 'ItemQuantityChanged',
      command: 'changeItemQuantity',
      commandId: 'c3',
      actor: 'user:alice',
      issuedAt: instant(3),
      occurredAt: instant(3),
      runId: 'run',
      run: 'http://ui/alice/run',
      data: { productId: 'pen', quantity: 5, previousQuantity: 2 },
      before: [line('pen', 2)],
      after: [line('pen', 5)],
    });
    expect(shown.map(({ before, after }: Record<string, unknown>) => [before, after])).toEqual([
      [[], [line('pen', 2)]],
      [[], [line('ink', 1)]],
      [[line('pen', 2)], [line('pen', 5)]],
      [[line('pen', 5), line('ink', 1)], []],
      [[], [line('pad', 3)]],
      [[line('pad', 3)], [line('pen', 2), line('ink', 1)]],
      [[line('ink', 1)], []],
      [[line('pen', 2)], []],
    ]);
  });

  it('contains no link to a run where there is no Web UI', async () => {
    const plain = await serveQueries(database.db);
    const { body } = await getJson(`${plain.url}/carts/alice/events?limit=1`);
    await plain.close();
    const [event] = body.events;
    expect(event).toMatchObject({ runId: 'run' });
    expect(event).not.toHaveProperty('run');
  });

  it('contains events only by default, and on request rejected commands in their place', async () => {
    expect(await places('')).toEqual(events);
    const rejected = ['4 CommandRejected', '6 CommandRejected', '10 CommandRejected'];
    const all = [...events, ...rejected].sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
    expect(await places('rejected=include')).toEqual(all);
    const [rejection] = await entries('rejected=include&type=CommandRejected');
    expect(rejection).toEqual({
      type: 'CommandRejected',
      sequence: 4,
      command: 'changeItemQuantity',
      commandId: 'c4',
      actor: 'user:alice',
      occurredAt: instant(4),
      issuedAt: instant(4),
      code: 'item_not_in_cart',
      reason: expect.any(String),
      data: { productId: 'cap', quantity: 1 },
      runId: 'run',
      run: 'http://ui/alice/run',
    });
  });

  it('can be limited to a type, a period and a product', async () => {
    expect(await places('type=ItemAdded')).toEqual(['1 ItemAdded', '2 ItemAdded', '7 ItemAdded']);
    const period = `from=${encodeURIComponent(instant(3))}&to=${encodeURIComponent(instant(7))}`;
    expect(await places(period)).toEqual(['3 ItemQuantityChanged', '5 CartCheckedOut']);
    expect(await places('productId=ink')).toEqual(events.filter((_, index) => [1, 3, 5, 6].includes(index)));
    expect(await places('productId=pad')).toEqual(['7 ItemAdded', '8 CartRestored']);
    expect(await places('productId=cap')).toEqual([]);
    expect(await places('productId=cap&rejected=include')).toEqual(['4 CommandRejected']);
    expect(await places('productId=pen&type=CartCleared&rejected=include')).toEqual(['12 CartCleared']);
  });

  it.each([
    '',
    'rejected=include',
    'type=ItemAdded',
    'rejected=include&type=CommandRejected',
    'productId=ink',
    'productId=ink&rejected=include',
    `from=${encodeURIComponent('2030-01-01T01:00:02+01:00')}&rejected=include&to=${encodeURIComponent(instant(11))}`,
  ])('is the same with every page size: %s', async (query) => {
    const whole = await entries(query);
    expect(whole.length).toBeGreaterThan(2);
    for (const limit of [1, 2, 3, whole.length]) {
      const seen = [];
      let next: string | undefined = `/carts/alice/events?${query}&limit=${limit}`;
      while (next !== undefined) {
        const { body, headers } = await get(next);
        expect(headers.get('link')).toBe(body.next ? `<${body.next}>; rel="next"` : null);
        expect(body.events).toHaveLength(Math.min(limit, whole.length - seen.length));
        seen.push(...body.events);
        next = body.next;
      }
      expect(seen).toEqual(whole);
    }
  });

  it('keeps the events of one command on one page where pages are by sequence', async () => {
    const { decisions } = decideAll([add('pen'), add('ink'), add('pad')]);
    const [one, two, three] = decisions as [RecordedDecision, RecordedDecision, RecordedDecision];
    const joined = { ...two, events: [...two.events, ...three.events] };
    await database.db.transaction((trx) => project(trx, 'bob', [one, joined]));
    const page = await get('/carts/bob/events?rejected=include&limit=2');
    expect(page.body.events.map(({ version }: { version: number }) => version)).toEqual([1, 2, 3]);
    expect(page.body).not.toHaveProperty('next');
    const byVersion = await get('/carts/bob/events?limit=2');
    expect(byVersion.body.next).toBe('/carts/bob/events?after=2&limit=2');
  });

  it('has every entry on one of its pages, wherever a command with several events stands', async () => {
    const commands = Array.from({ length: 12 }, (_, n) => add(`p${n}`));
    const { decisions } = decideAll([...commands, set('none', 1)]);
    const joined: RecordedDecision[] = [];
    for (let from = 0, size = 1; from < 12; from += size, size = (size % 3) + 1) {
      const events = decisions.slice(from, from + size).flatMap((decision) => decision.events);
      joined.push({ ...decisions[from]!, sequence: joined.length + 1, events } as RecordedDecision);
    }
    const all = [...joined, { ...decisions[12]!, sequence: joined.length + 1 }];
    await database.db.transaction((trx) => project(trx, 'dave', all));
    const whole = await entries('rejected=include', 'dave');
    expect(whole).toHaveLength(13);
    for (let limit = 1; limit <= 13; limit += 1) {
      const seen: unknown[] = [];
      let next: string | undefined = `/carts/dave/events?rejected=include&limit=${limit}`;
      while (next !== undefined) {
        const { body } = await get(next);
        expect(body.events).not.toHaveLength(0);
        seen.push(...body.events);
        next = body.next;
      }
      expect(seen).toEqual(whole);
    }
  });

  it('shows before and after of each event so that they fit together, over 1,500 events', async () => {
    let checkpoint = emptyCheckpoint;
    let place = 0;
    const story = Array.from({ length: 2_000 }, (_, n) => {
      if (n % 97 === 96) return { type: n % 2 ? 'checkOut' : 'clearCart' };
      return n % 3 === 1 ? set(`p${(n * 7) % 20}`, (n * 5) % 9) : add(`p${(n * 11) % 20}`, 1 + (n % 4));
    });
    for (; place < story.length; place += 200) {
      const batch = decideAll(story.slice(place, place + 200), checkpoint);
      checkpoint = batch.checkpoint;
      await database.db.transaction((trx) => project(trx, 'carol', batch.decisions));
    }
    const lines = new Map<string, unknown>();
    let next: string | undefined = '/carts/carol/events?limit=500';
    while (next !== undefined) {
      const { body } = await get(next);
      for (const { before, after, type } of body.events) {
        expect(before.length + after.length).toBeGreaterThan(0);
        if (type === 'CartCheckedOut' || type === 'CartCleared') expect(before).toHaveLength(lines.size);
        for (const was of before) expect(lines.get(was.productId)).toEqual(was);
        for (const was of before) lines.delete(was.productId);
        for (const is of after) expect(lines.has(is.productId)).toBe(false);
        for (const is of after) lines.set(is.productId, is);
      }
      next = body.next;
    }
    expect(checkpoint.cart.version).toBeGreaterThan(1_500);
    const { body } = await get('/carts/carol');
    const now = body.items.map(({ lineId, productId, name, quantity, unitPrice }: Record<string, unknown>) => ({
      ...{ lineId, productId, name, quantity, unitPrice },
    }));
    expect(new Set([...lines.values()])).toEqual(new Set(now));
  });

  it.each([
    'rejected=yes',
    'rejected=',
    'type=Nothing',
    'type=CommandRejected',
    'from=yesterday',
    'to=2026-02-30T00:00:00Z',
    'from=2026-02-01T00:00:00Z&from=2026-02-02T00:00:00Z',
    'productId=a%20b',
    'limit=0',
    'limit=501',
    'after=-1',
    'kind=ItemAdded',
  ])('rejects a wrong parameter: %s', async (query) => {
    expect(await get(`/carts/alice/events?${query}`)).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  });
});
