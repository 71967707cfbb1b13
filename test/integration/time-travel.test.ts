import { emptyCheckpoint, type RecordedDecision } from '../../src/domain/handle';
import { project } from '../../src/postgres/projection/project';
import { readPastCarts } from '../../src/queries/read-past-cart';
import { createDatabase, type TestDatabase } from '../support/database';
import { type CartView, decideNext, emptyCart, iso, longLife } from '../support/long-life';
import { randomNumbers } from '../support/random';
import { getJson, type TestServer } from '../support/serve';
import { serveQueries } from '../support/serve-queries';

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9));
const nextRandom = randomNumbers(seed);
const random = (bound: number) => Math.floor(nextRandom() * bound);
const immutable = 'private, max-age=31536000, immutable';
const eventCount = 10_000;

let database: TestDatabase;
let server: TestServer;
const old = longLife('old', eventCount, seed);
const newest = old.versions.at(-1)!;

beforeAll(async () => {
  database = await createDatabase();
  server = await serveQueries(database.db);
  for (let from = 0; from < old.decisions.length; from += 250) {
    await database.db.transaction((trx) => project(trx, 'old', old.decisions.slice(from, from + 250)));
  }
});
afterAll(async () => {
  await server.close();
  await database.drop();
});

const get = (path: string, headers: Record<string, string> = {}) => getJson(`${server.url}${path}`, headers);
const at = (instant: string | number) => encodeURIComponent(typeof instant === 'string' ? instant : iso(instant));

describe(`a cart of ${eventCount} events (SEED=${seed})`, () => {
  it('returns the cart of the model at 500 versions', async () => {
    for (let round = 0; round < 500; round += 1) {
      const version = random(eventCount + 1);
      const { body } = await get(`/carts/old?version=${version}`);
      expect(body).toEqual(old.versions[version]);
    }
  });

  it('returns the cart of the model at 500 instants', async () => {
    for (let round = 0; round < 500; round += 1) {
      const instant = Date.parse(old.versions[1 + random(eventCount)]!.updatedAt!) + random(3) - 1;
      const { body } = await get(`/carts/old?at=${at(instant)}`);
      expect(body).toEqual(cartAt(instant));
    }
  });

  it('returns the difference between the carts at 200 pairs of a version and an instant', async () => {
    for (let round = 0; round < 200; round += 1) {
      const version = random(eventCount + 1);
      const instant = Date.parse(old.versions[1 + random(eventCount)]!.updatedAt!);
      const then = cartAt(instant);
      const forth = await get(`/carts/old/diff?from=${version}&to=${at(instant)}`);
      expect(forth.body).toMatchObject({
        userId: 'old',
        from: { version },
        to: { version: then.version, at: iso(instant) },
        itemCount: { before: old.versions[version]!.itemCount, after: then.itemCount },
        subtotal: { before: old.versions[version]!.subtotal, after: then.subtotal },
      });
      expect(contentsOf(applyDiff(old.versions[version]!, forth.body.items))).toEqual(contentsOf(then));
      const back = await get(`/carts/old/diff?from=${at(instant)}&to=${version}`);
      expect(contentsOf(applyDiff(then, back.body.items))).toEqual(contentsOf(old.versions[version]!));
    }
  });

  it.each(['without', 'with'])('is read by an index only, %s statistics', async (statistics) => {
    if (statistics === 'with') await database.db.raw('analyze');
    const queries: { sql: string; bindings: string[] }[] = [];
    const note = (query: { sql: string; bindings: string[] }) => queries.push(query);
    database.db.on('query', note);
    await get('/carts/old?version=5000');
    await get(`/carts/old?at=${at(newest.updatedAt!)}`);
    database.db.off('query', note);
    expect(queries).toHaveLength(2);
    for (const { sql, bindings } of queries) {
      const { rows } = await database.db.raw(`explain ${sql.replace(/\$\d+/g, '?')}`, bindings);
      const plan = rows.map((row: Record<string, string>) => row['QUERY PLAN']).join('\n');
      expect(plan).toMatch(/using no_overlap on cart_item_history|Bitmap Index Scan on no_overlap/);
      expect(plan).toMatch(/using cart_events_note/);
      expect(plan).not.toMatch(/Seq Scan on cart_/);
    }
  });
});

describe('a cart at a version', () => {
  it('equals the present cart at the newest version', async () => {
    const { body } = await get('/carts/old');
    // The catalogue does not have these products, and says so of the lines of the present alone.
    const items = body.items.map(({ warnings: _warnings, ...item }: Record<string, unknown>) => item);
    expect((await get(`/carts/old?version=${eventCount}`)).body).toEqual({ ...body, items });
    expect({ ...body, items }).toEqual(newest);
  });

  it('may be cached without limit, and is answered 304 to a client that has it', async () => {
    const { headers } = await get('/carts/old?version=7');
    expect([headers.get('etag'), headers.get('cache-control')]).toEqual(['"7"', immutable]);
    const again = await get('/carts/old?version=7', { 'If-None-Match': '"7"' });
    expect([again.status, again.body, again.headers.get('cache-control')]).toEqual([304, undefined, immutable]);
  });

  it('is empty at version 0, also for an unknown user', async () => {
    for (const user of ['old', 'nobody']) {
      const { body, headers } = await get(`/carts/${user}?version=0`);
      expect(body).toEqual(emptyCart(user));
      expect([headers.get('etag'), headers.get('cache-control')]).toEqual(['"0"', immutable]);
    }
  });

  it('is answered 404 with the newest version where the version does not exist', async () => {
    const { status, body } = await get(`/carts/old?version=${eventCount + 1}`);
    expect([status, body.code, body.newestVersion]).toEqual([404, 'version_unknown', eventCount]);
    expect(body.detail).toContain(`${eventCount}.`);
    expect(await get('/carts/nobody?version=1')).toMatchObject({ status: 404, body: { newestVersion: 0 } });
  });

  it('is what readPastCarts returns', async () => {
    const cartAt = async (version: number) => (await readPastCarts(database.db, 'old', [{ version }]))[0]!.cart;
    expect(await cartAt(500)).toEqual(old.versions[500]);
    expect(await cartAt(0)).toEqual(emptyCart('old'));
    expect(await cartAt(eventCount + 1)).toBeUndefined();
  });
});

describe('a cart at an instant', () => {
  it('is empty before its first event', async () => {
    for (const instant of ['1970-01-01T00:00:00Z', '0000-01-01T00:00:00+00:01', old.before]) {
      expect((await get(`/carts/old?at=${at(instant)}`)).body).toEqual(emptyCart('old'));
    }
  });

  it('may be cached if and only if a later event exists', async () => {
    const last = Date.parse(newest.updatedAt!);
    const cacheControl = async (path: string) => (await get(path)).headers.get('cache-control');
    expect(await cacheControl(`/carts/old?at=${at(last - 1)}`)).toBe(immutable);
    expect(await cacheControl(`/carts/old?at=${at(last)}`)).toBe('private, no-cache');
    expect(await cacheControl(`/carts/nobody?at=${at(last)}`)).toBe('private, no-cache');
  });

  it('is the same for every notation of the instant', async () => {
    const instant = Date.parse(old.versions[4_000]!.updatedAt!);
    const local = (minutes: number) => iso(instant + minutes * 60_000).replace('Z', '');
    const ways = [`${local(0)}999Z`, `${local(90)}+01:30`, `${local(-720)}-12:00`, `${local(0)}z`.replace('T', 't')];
    for (const way of ways) expect((await get(`/carts/old?at=${at(way)}`)).body).toEqual(cartAt(instant));
  });

  it('is rejected for an instant in the future, also one second ahead', async () => {
    const soon = iso(Date.now() + 1_000);
    for (const path of [`/carts/old?at=${at(soon)}`, `/carts/old/diff?from=1&to=${at(soon)}`]) {
      const { status, body } = await get(path);
      expect([status, body.code]).toEqual([400, 'invalid_request']);
      expect(body.detail).toContain('future');
    }
  });
});

const notInstants = ['', 'now', '7', '2026-02-30T00:00:00Z', '2026-02-01', '2026-02-01T10:00:00', '2026-02-01T10:00Z'];
const wrongInstants = [...notInstants, '2026-02-01T24:00:00Z', '2026-02-01T10:00:00+2:00', '2026-02-01T10:00:00.Z'];

describe('a wrong parameter', () => {
  it.each([
    '/carts/old?version=1&at=2026-02-01T00:00:00Z',
    '/carts/old?version=1&minVersion=1',
    '/carts/old?at=2026-02-01T00:00:00Z&minVersion=1',
    '/carts/old?version=1&version=2',
    ...['', '-1', '1.5', 'x', '9999999999'].map((version) => `/carts/old?version=${version}`),
    ...wrongInstants.map((instant) => `/carts/old?at=${at(instant)}`),
    '/carts/old/diff',
    '/carts/old/diff?from=1',
    '/carts/old/diff?from=1&to=2&more=3',
    '/carts/old/diff?from=1&to=2026-02-30T00:00:00Z',
    '/carts/old/diff?from=-1&to=2',
  ])('is answered 400: %s', async (path) => {
    expect(await get(path)).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  });

  it('is answered 404 where a difference names a version that does not exist', async () => {
    const answer = await get(`/carts/old/diff?from=${eventCount + 1}&to=1`);
    expect(answer).toMatchObject({ status: 404, body: { code: 'version_unknown', newestVersion: eventCount } });
  });
});

describe('the difference', () => {
  it('lists the lines that were added, removed and changed', async () => {
    const story = [add('pen', 2), add('ink', 1), add('pad', 1), set('pen', 5), set('ink', 0), add('cap', 3)];
    let checkpoint = emptyCheckpoint;
    const decisions: RecordedDecision[] = [];
    for (const [type, fields] of story) {
      const result = decideNext(checkpoint, type, fields, Date.UTC(2025, 0, 1));
      checkpoint = result.checkpoint;
      decisions.push(result.decision);
    }
    await database.db.transaction((trx) => project(trx, 'few', decisions));
    const { body, headers } = await get('/carts/few/diff?from=3&to=6');
    expect(body).toEqual({
      userId: 'few',
      from: { version: 3, currency: 'EUR' },
      to: { version: 6, currency: 'EUR' },
      currency: 'EUR',
      items: [
        { lineId: 'pen', productId: 'pen', name: 'pen', change: 'changed', before: content(2), after: content(5) },
        { lineId: 'ink', productId: 'ink', name: 'ink', change: 'removed', before: content(1), after: null },
        { lineId: 'cap', productId: 'cap', name: 'cap', change: 'added', before: null, after: content(3) },
      ],
      note: { before: null, after: null },
      itemCount: { before: 4, after: 9 },
      subtotal: { before: 400, after: 900 },
    });
    expect(headers.get('cache-control')).toBe(immutable);
    expect((await get('/carts/few/diff?from=6&to=3')).body.subtotal).toEqual({ before: 900, after: 400 });
    expect((await get('/carts/few/diff?from=6&to=6')).body.items).toEqual([]);
  });

  const content = (quantity: number) => ({ quantity, unitPrice: 100 });
  const price = { unitPrice: 100, currency: 'EUR' };
  const add = (productId: string, quantity: number) =>
    ['addItem', { productId, quantity, name: productId, ...price }] as const;
  const set = (productId: string, quantity: number) => ['changeItemQuantity', { productId, quantity }] as const;
});

function cartAt(instant: number): CartView {
  return old.versions.findLast(({ updatedAt }) => updatedAt === null || Date.parse(updatedAt) <= instant)!;
}

type Content = { quantity: number; unitPrice: number };
type Change = { productId: string; change: string; before: Content | null; after: Content | null };

/** Applies a difference to the lines of a cart. Fails where the difference does not fit them. */
function applyDiff(cart: CartView, changes: readonly Change[]): { items: ({ productId: string } & Content)[] } {
  const lines = new Map<string, Content>(cart.items.map((item) => [item.productId, item]));
  for (const { productId, change, before, after } of changes) {
    const line = lines.get(productId);
    expect(before).toEqual(line ? { quantity: line.quantity, unitPrice: line.unitPrice } : null);
    expect(change).toBe(before === null ? 'added' : after === null ? 'removed' : 'changed');
    if (after === null) lines.delete(productId);
    else lines.set(productId, after);
  }
  return { items: [...lines].map(([productId, line]) => ({ productId, ...line })) };
}

const contentsOf = ({ items }: { items: readonly ({ productId: string } & Content)[] }) =>
  new Map(items.map(({ productId, quantity, unitPrice }) => [productId, { quantity, unitPrice }]));
