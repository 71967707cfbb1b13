import { randomInt } from 'node:crypto';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import type { Knex } from 'knex';
import pino from 'pino';
import type { CartEvent } from '../../src/domain/events';
import { evolve } from '../../src/domain/evolve';
import { emptyCheckpoint, handle, type RecordedDecision } from '../../src/domain/handle';
import { type Cart, emptyCart, itemCountOf, subtotalOf } from '../../src/domain/state';
import { closeServer, createApp, listen } from '../../src/http/app';
import { connectDatabase } from '../../src/postgres/database';
import { up } from '../../src/postgres/migrations/0003-reports';
import { migrate } from '../../src/postgres/migrations/migrate';
import { project } from '../../src/postgres/projection/project';
import { reportRoutes } from '../../src/queries/reports';
import { rebuildAll } from '../../src/recovery/rebuild';
import { add, command, tell } from '../support/cart-story';
import { createDatabase, type TestDatabase } from '../support/database';

const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
const start = Date.UTC(2030, 0, 1);
const hourMs = 3_600_000;
const iso = (ms: number) => new Date(ms).toISOString();

let database: TestDatabase;
let server: Server;
let log: ReadonlyMap<string, readonly CartEvent[]>;

beforeAll(async () => {
  database = await createDatabase();
  log = await fill(120);
  const routers = [reportRoutes(database.db)];
  server = await listen(createApp({ routers, checks: {}, logger: pino({ level: 'silent' }) }), '127.0.0.1', 0);
});
afterAll(async () => {
  await closeServer(server);
  await database.drop();
});

async function get(path: string, accept?: string) {
  const { port } = server.address() as AddressInfo;
  const headers = accept === undefined ? {} : { Accept: accept };
  const response = await fetch(`http://127.0.0.1:${port}/reports/${path}`, { headers });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text };
}

async function getJson(path: string) {
  const { status, text } = await get(path);
  if (status !== 200) throw new Error(`${status} ${text} (seed ${seed})`);
  return JSON.parse(text);
}

const query = (fields: Record<string, string | number>) =>
  Object.entries(fields)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&');

const products = ['pen', 'ink', 'Pad', 'cap~1', 'tea'];
const names: Record<string, string> = { pen: '=1+1', ink: 'Ink, "blue"', Pad: 'Pad', 'cap~1': '@cap', tea: '茶' };
const step = fc.record({
  kind: fc.constantFrom('add', 'add', 'add', 'change', 'remove', 'clear', 'checkout', 'restore'),
  product: fc.constantFrom(...products),
  quantity: fc.nat(9),
  // Often none: several events then fall into one millisecond.
  pauseMs: fc.oneof(fc.constant(0), fc.nat(5), fc.nat(20 * hourMs)),
  back: fc.nat(12),
});
const anyStory = fc.record({
  currency: fc.constantFrom('EUR', 'EUR', 'USD'),
  startMs: fc.nat(90 * 24 * hourMs),
  steps: fc.array(step, { minLength: 0, maxLength: 25 }),
});

type Story = typeof anyStory extends fc.Arbitrary<infer T> ? T : never;

/** Decides a story as a cart would, one command a step. */
function decisionsOf({ currency, startMs, steps }: Story): RecordedDecision[] {
  let checkpoint = emptyCheckpoint;
  let now = start + startMs;
  const past: Cart[] = [emptyCart];
  const decisions: RecordedDecision[] = [];
  steps.forEach(({ kind, product, quantity, pauseMs, back }, index) => {
    now += pauseMs;
    const { version, items, currency: then } = past.at(-1 - (back % past.length))!;
    const unitPrice = 100 + 7 * products.indexOf(product);
    const fields = {
      add: add(product, quantity + 1, { name: names[product], unitPrice, currency }),
      change: { type: 'changeItemQuantity', productId: product, quantity },
      remove: { type: 'removeItem', productId: product },
      clear: { type: 'clearCart' },
      checkout: { type: 'checkOut' },
      restore: { type: 'restoreCart', version, items, currency: then },
    }[kind]!;
    const at = { now: iso(now), runId: 'run', freshId: () => `fresh${index}`, unprojectedCount: 0 };
    const result = handle(checkpoint, command(fields, index), at);
    checkpoint = result.checkpoint;
    past.push(checkpoint.cart);
    if (result.decision) decisions.push(result.decision);
  });
  return decisions;
}

async function fill(carts: number) {
  const stories = fc.sample(anyStory, { numRuns: carts, seed });
  const all = stories.map((story, index) => ({
    userId: `+user|${index}`,
    decisions: decisionsOf(story),
  }));
  for (const { userId, decisions } of all) {
    for (let from = 0; from < decisions.length; from += 6) {
      await database.db.transaction((trx) => project(trx, userId, decisions.slice(from, from + 6)));
    }
  }
  return new Map(all.map(({ userId, decisions }) => [userId, decisions.flatMap(({ events }) => events)]));
}

/** Any instants of the time the carts were used, some of them those of an event or a millisecond beside it. */
function instants(count: number): string[] {
  const events = [...log.values()].flat();
  const anyInstant = fc.oneof(
    fc.nat(110 * 24 * hourMs).map((ms) => start + ms),
    fc
      .tuple(fc.nat(events.length - 1), fc.integer({ min: -1, max: 1 }))
      .map(([n, shift]) => Date.parse(events[n]!.occurredAt) + shift),
  );
  return fc.sample(anyInstant, { numRuns: count, seed }).map(iso);
}

interface OpenCart {
  readonly userId: string;
  readonly cart: Cart;
  readonly openSince: string;
}

/** The carts that were open at an instant, folded from the log; in the order of their users' ids. */
function openAt(at: string): OpenCart[] {
  const open: OpenCart[] = [];
  for (const [userId, events] of log) {
    let cart = emptyCart;
    let openSince = '';
    for (const event of events.filter(({ occurredAt }) => occurredAt <= at)) {
      const wasEmpty = cart.items.length === 0;
      cart = evolve(cart, event);
      if (wasEmpty) openSince = event.occurredAt;
    }
    if (cart.items.length > 0) open.push({ userId, cart, openSince });
  }
  return open.sort(byText(({ userId }) => userId));
}

const byText =
  <T>(key: (of: T) => string) =>
  (a: T, b: T) =>
    key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0;
const sum = <T>(of: readonly T[], value: (one: T) => number) => of.reduce((total, one) => total + value(one), 0);

const asRow = ({ userId, cart, openSince }: OpenCart) => ({
  userId,
  version: cart.version,
  lines: cart.items.length,
  units: itemCountOf(cart.items),
  value: subtotalOf(cart.items),
  currency: cart.currency,
  openSince,
});

function groupBy<T>(all: readonly T[], keyOf: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) groups.set(keyOf(one), [...(groups.get(keyOf(one)) ?? []), one]);
  return groups;
}

interface Change {
  readonly productId: string;
  readonly occurredAt: string;
  readonly change: number;
  readonly isGone: boolean;
  readonly isBought: boolean;
  readonly amount: number;
  readonly currency: string;
}

/** What each event did to each line, found by comparing the cart before and after it. */
function changesIn(from: string, to: string): Change[] {
  return [...log.values()].flatMap((events) => {
    let cart = emptyCart;
    return events.flatMap((event) => {
      const before = cart;
      cart = evolve(cart, event);
      if (event.occurredAt < from || event.occurredAt >= to) return [];
      return products.flatMap((productId) => {
        const [old, now] = [before, cart].map(({ items }) => items.find((item) => item.productId === productId));
        const change = (now?.quantity ?? 0) - (old?.quantity ?? 0);
        if (change === 0) return [];
        const isBought = event.type === 'CartCheckedOut';
        const amount = isBought ? old!.quantity * old!.unitPrice : 0;
        const currency = before.currency ?? cart.currency!;
        return { productId, occurredAt: event.occurredAt, change, isGone: !now, isBought, amount, currency };
      });
    });
  });
}

const span = { from: '2030-01-20T07:30:00.000Z', to: '2030-03-01T01:00:00.000Z' };
const intervals = ['hour', 'day', 'week', 'month'] as const;

function intervalStart(at: string, interval: (typeof intervals)[number]): string {
  const date = new Date(at);
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  switch (interval) {
    case 'hour':
      return iso(Math.floor(date.getTime() / hourMs) * hourMs);
    case 'day':
      return iso(Date.UTC(year, month, day));
    case 'week':
      return iso(Date.UTC(year, month, day - ((date.getUTCDay() + 6) % 7)));
    case 'month':
      return iso(Date.UTC(year, month, 1));
  }
}

function nextStart(at: string, interval: (typeof intervals)[number]): string {
  const days = { hour: 1 / 24, day: 1, week: 7, month: 32 }[interval];
  return intervalStart(iso(Date.parse(intervalStart(at, interval)) + days * 24 * hourMs), interval);
}

describe('the carts at an instant', () => {
  it('are counted and summed as the log tells, for any past instant', async () => {
    for (const at of instants(25)) {
      const open = openAt(at);
      const items = open.flatMap(({ cart }) => cart.items);
      const currencies = [...new Set(open.map(({ cart }) => cart.currency!))].sort();
      const expected = {
        at,
        openCarts: open.length,
        lines: items.length,
        units: itemCountOf(items),
        values: currencies.map((currency) => {
          const carts = open.map(({ cart }) => cart).filter((cart) => cart.currency === currency);
          return {
            currency,
            carts: carts.length,
            lines: sum(carts, (cart) => cart.items.length),
            units: sum(carts, (cart) => itemCountOf(cart.items)),
            value: sum(carts, (cart) => subtotalOf(cart.items)),
          };
        }),
        topProducts: products
          .map((productId) => ({ productId, of: items.filter((item) => item.productId === productId) }))
          .map(({ productId, of }) => ({ productId, name: names[productId], carts: of.length, units: itemCountOf(of) }))
          .filter(({ carts }) => carts > 0)
          .sort(byText(({ productId }) => productId))
          .sort((a, b) => b.units - a.units)
          .slice(0, 3),
      };
      expect({ seed, ...(await getJson(`carts?${query({ at, limit: 3 })}`)) }).toEqual({ seed, ...expected });
    }
  });

  it('are paged through without a gap or a repeat, each with since when it was open', async () => {
    for (const at of instants(20)) {
      const carts: unknown[] = [];
      let path: string | undefined = `open-carts?${query({ at, limit: 7 })}`;
      while (path !== undefined) {
        const { status, headers, text } = await get(path);
        expect(status).toBe(200);
        const page = JSON.parse(text);
        expect(page.carts.length).toBeLessThanOrEqual(7);
        carts.push(...page.carts);
        expect(headers.get('Link')).toBe(page.next === undefined ? null : `<${page.next}>; rel="next"`);
        path = page.next?.replace('/reports/', '');
      }
      expect({ seed, at, carts }).toEqual({ seed, at, carts: openAt(at).map(asRow) });
    }
  });

  it('that were open longest are told first', async () => {
    for (const at of instants(20)) {
      const expected = openAt(at)
        .map(asRow)
        .sort(byText(({ openSince }) => openSince));
      expect({ seed, ...(await getJson(`longest-open?${query({ at, limit: 15 })}`)) }).toEqual({
        seed,
        at,
        carts: expected.slice(0, 15),
      });
    }
  });

  it('are those of this moment where no instant is given', async () => {
    const { at, openCarts, values } = await getJson('carts');
    expect(Math.abs(Date.parse(at) - Date.now())).toBeLessThan(10_000);
    expect({ openCarts, values }).toEqual({ openCarts: 0, values: [] });
  });
});

describe('over a span of time', () => {
  it.each(intervals)('products added, removed and bought are counted by %s', async (interval) => {
    const changes = changesIn(span.from, span.to);
    const groups = groupBy(changes, (c) => `${intervalStart(c.occurredAt, interval)},${c.productId}`);
    const expected = [...groups].sort(byText(([key]) => key)).map(([key, all]) => {
      const [added, taken] = [all.filter(({ change }) => change > 0), all.filter(({ change }) => change < 0)];
      const [bought, removed] = [taken.filter((c) => c.isBought), taken.filter((c) => !c.isBought)];
      const [from, productId] = key.split(',');
      return {
        start: from,
        productId,
        timesAdded: added.length,
        unitsAdded: sum(added, ({ change }) => change),
        timesRemoved: removed.length,
        unitsRemoved: -sum(removed, ({ change }) => change) + 0,
        timesBought: bought.length,
        unitsBought: -sum(bought, ({ change }) => change) + 0,
      };
    });
    const found: unknown[] = [];
    let path: string | undefined = `products?${query({ ...span, interval, limit: 40 })}`;
    for (; path !== undefined; ) {
      const page = await getJson(path);
      found.push(...page.products);
      path = page.next?.replace('/reports/', '');
    }
    expect({ seed, found }).toEqual({ seed, found: expected });
  });

  it.each(['day', 'week', 'month'] as const)(
    'number and value of open carts are told at the end of each %s',
    async (interval) => {
      const ends: string[] = [];
      for (let at = span.from; at < span.to; ) {
        at = nextStart(at, interval);
        ends.push([at, span.to].sort()[0]!);
      }
      const { points } = await getJson(`value?${query({ ...span, interval })}`);
      const expected = ['EUR', 'USD'].flatMap((currency) =>
        ends.map((at) => {
          const carts = openAt(at)
            .map(({ cart }) => cart)
            .filter((cart) => cart.currency === currency);
          return { at, currency, openCarts: carts.length, value: sum(carts, ({ items }) => subtotalOf(items)) };
        }),
      );
      expect({ seed, points }).toEqual({ seed, points: expected });
    },
  );

  it('value counts what happens at the very instant of a point', async () => {
    const event = [...log.values()].flat().find(({ occurredAt }) => occurredAt > span.from)!;
    for (const to of [-1, 0, 1].map((shift) => iso(Date.parse(event.occurredAt) + shift))) {
      const from = iso(Date.parse(to) - 60_000);
      const { points } = await getJson(`value?${query({ from, to, interval: 'month' })}`);
      const value = sum(openAt(to), ({ cart }) => subtotalOf(cart.items));
      expect({
        seed,
        to,
        value: sum(points as { at: string; value: number }[], (p) => (p.at === to ? p.value : 0)),
      }).toEqual({ seed, to, value });
    }
  });

  it('checkouts tell what was bought, for how much, and what was removed instead', async () => {
    const gone = changesIn(span.from, span.to).filter(({ isGone }) => isGone);
    const expected = products
      .map((productId) => {
        const all = gone.filter((change) => change.productId === productId);
        const [bought, removed] = [all.filter((c) => c.isBought), all.filter((c) => !c.isBought)];
        const revenue: Record<string, number> = {};
        for (const { currency, amount } of bought) revenue[currency] = (revenue[currency] ?? 0) + amount;
        return {
          productId,
          name: bought.length > 0 ? names[productId] : null,
          checkouts: bought.length,
          unitsBought: -sum(bought, ({ change }) => change) + 0,
          removals: removed.length,
          unitsRemoved: -sum(removed, ({ change }) => change) + 0,
          boughtRatio: expect.closeTo(bought.length / all.length, 3),
          revenue,
        };
      })
      .filter(({ checkouts, removals }) => checkouts + removals > 0)
      .sort(byText(({ productId }) => productId))
      .sort((a, b) => b.unitsBought - a.unitsBought);
    const found = await getJson(`checkouts?${query(span)}`);
    expect({ seed, ...found }).toEqual({ seed, ...span, products: expected });
    const first = await getJson(`checkouts?${query({ ...span, limit: 2 })}`);
    expect(first.products).toEqual(found.products.slice(0, 2));
  });
});

describe('a report as CSV', () => {
  const at = '2030-02-10T00:00:00.000Z';

  it.each([
    ['carts', { at, limit: 4 }, (json: Json): Rows => summaryRows(json)],
    ['open-carts', { at, limit: 5 }, (json: Json): Rows => json.carts],
    ['longest-open', { at }, (json: Json): Rows => json.carts],
    ['products', span, (json: Json): Rows => json.products],
    ['value', span, (json: Json): Rows => json.points],
    ['checkouts', span, (json: Json): Rows => json.products.map(flatten)],
  ] as const)('holds the same as JSON: %s', async (name, fields, rowsOf) => {
    const path = `${name}?${query(fields as Record<string, string>)}`;
    const json = await getJson(path);
    const csv = await get(path, 'text/csv');
    expect(csv.headers.get('Content-Type')).toBe('text/csv; charset=utf-8; header=present');
    expect(csv.headers.get('Cache-Control')).toBe('no-store');
    expect(csv.headers.get('Link')).toBe(json.next ? `<${json.next}>; rel="next"` : null);
    const [columns, ...cells] = parseCsv(csv.text);
    const expected = rowsOf(json).map((row) => columns!.map((column) => String(row[column] ?? '')));
    expect(Object.keys(Object.assign({}, ...rowsOf(json))).sort()).toEqual([...columns!].sort());
    expect(cells.map((row) => row.map((cell) => cell.replace(/^'/, '')))).toEqual(expected);
    expect(cells.length).toBeGreaterThan(2);
  });

  it('puts an apostrophe before text that a spreadsheet would run', async () => {
    const { text } = await get(`carts?${query({ at, limit: 5 })}`, 'text/csv');
    expect(text).toContain(",'=1+1,");
    expect(text).toContain(",'@cap,");
    expect(text).toContain(',"Ink, ""blue""",');
  });

  it('is sent where it is preferred, JSON where nothing is said, and 406 where neither will do', async () => {
    const type = async (accept?: string) => (await get('carts', accept)).headers.get('Content-Type');
    expect(await type()).toMatch(/^application\/json/);
    expect(await type('*/*')).toMatch(/^application\/json/);
    expect(await type('application/json;q=0.5, text/csv')).toMatch(/^text\/csv/);
    expect(await type('text/*')).toMatch(/^text\/csv/);
    const refused = await get('carts', 'application/xml');
    expect(refused.status).toBe(406);
    expect(JSON.parse(refused.text)).toMatchObject({ code: 'not_acceptable' });
  });
});

// biome-ignore lint/suspicious/noExplicitAny: the reports have many shapes
type Json = any;
type Rows = Record<string, unknown>[];

const summaryRows = ({ openCarts, lines, units, values, topProducts }: Json): Rows => [
  { part: 'total', carts: openCarts, lines, units },
  ...(values as Rows).map((row) => ({ part: 'currency', ...row })),
  ...(topProducts as Rows).map((row) => ({ part: 'product', ...row })),
];

const flatten = ({ revenue, ...row }: Record<string, unknown>) => ({
  ...row,
  ...Object.fromEntries(Object.entries(revenue as object).map(([currency, amount]) => [`revenue.${currency}`, amount])),
});

/** RFC 4180, character by character. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (let at = 0; at < text.length; ) {
    const [cell, end] = text[at] === '"' ? quoted(text, at) : plain(text, at);
    row.push(cell);
    at = end + 1;
    if (text[end] === ',') continue;
    if (text.slice(end, end + 2) !== '\r\n') throw new Error(`No CRLF at ${end}`);
    rows.push(row);
    row = [];
    at = end + 2;
  }
  return rows;
}

function plain(text: string, at: number): [string, number] {
  const [cell] = /^[^",\r\n]*/.exec(text.slice(at))!;
  return [cell, at + cell.length];
}

function quoted(text: string, at: number): [string, number] {
  const [cell] = /^"(?:[^"]|"")*"/.exec(text.slice(at))!;
  return [cell.slice(1, -1).replaceAll('""', '"'), at + cell.length];
}

describe('what is asked of a report', () => {
  it.each([
    ['carts?at=yesterday', 'at'],
    ['carts?at=2030-02-30T00:00:00Z', 'at'],
    ['carts?at=2030-02-01T00:00:00', 'at'],
    ['carts?at=2030-02-01T25:00:00Z', 'at'],
    ['carts?at=0000-01-01T00:00:00Z', 'at'],
    ['carts?at=2030-02-01T00:00:00+01:00', 'at'],
    ['carts?limit=101', 'limit'],
    ['carts?limit=0', 'limit'],
    ['carts?at=2030-01-01T00:00:00Z&at=2030-01-02T00:00:00Z', 'at'],
    ['carts?when=now', ''],
    ['open-carts?limit=501', 'limit'],
    ['open-carts?after=%00', 'after'],
    ['longest-open?limit=501', 'limit'],
    ['products', 'from'],
    ['products?from=2030-01-01T00:00:00Z&to=2030-01-01T00:00:00Z', 'from'],
    ['products?from=2030-01-01T00:00:00Z&to=2034-01-01T00:00:00Z&interval=month', 'to'],
    ['products?from=2030-01-01T00:00:00Z&to=2030-03-01T00:00:00Z&interval=hour', 'interval'],
    ['products?from=2030-01-01T00:00:00Z&to=2030-03-01T00:00:00Z&interval=minute', 'interval'],
    ['products?from=2030-01-01T00:00:00Z&to=2030-03-01T00:00:00Z&after=pen', 'after'],
    ['value?from=2030-01-01T00:00:00Z&to=2030-03-01T00:00:00Z&interval=hour', 'interval'],
    ['value?from=2030-01-01T00:00:00Z&to=2030-03-01T00:00:00Z&limit=3', ''],
    ['checkouts?from=2030-01-01T00:00:00Z&to=2034-01-01T00:00:00Z', 'to'],
    ['checkouts?from=2030-01-01T00:00:00Z&to=2030-03-01T00:00:00Z&limit=1001', 'limit'],
  ])('is refused where it is no use: %s', async (path, field) => {
    const { status, text } = await get(path);
    expect(status).toBe(400);
    const { code, errors } = JSON.parse(text) as { code: string; errors: { path: string }[] };
    expect(code).toBe('invalid_request');
    expect(errors.map((error) => error.path.split('.')[0])).toContain(field);
  });

  it('may name its instant with any offset', async () => {
    const zoned = await getJson(`carts?${query({ at: '2030-02-10T01:30:00+01:30' })}`);
    expect(zoned).toEqual(await getJson(`carts?${query({ at: '2030-02-10T00:00:00Z' })}`));
  });

  it('may be a series of 1,000 points, and no more', async () => {
    const at = (hours: number) => iso(start + hours * hourMs);
    const { points } = await getJson(`value?${query({ from: at(0), to: at(999), interval: 'hour' })}`);
    expect(new Set(points.map((point: { at: string }) => point.at)).size).toBe(999);
    const oddly = await getJson(`value?${query({ from: at(0.5), to: at(999.5), interval: 'hour' })}`);
    expect(new Set(oddly.points.map((point: { at: string }) => point.at)).size).toBe(1_000);
    expect((await get(`value?${query({ from: at(0), to: at(1_000), interval: 'hour' })}`)).status).toBe(400);
  });
});

describe('reports of a database of their own', () => {
  let own: TestDatabase;
  let ownServer: Server;
  beforeAll(async () => {
    own = await createDatabase();
    const app = createApp({ routers: [reportRoutes(own.db)], checks: {}, logger: pino({ level: 'silent' }) });
    ownServer = await listen(app, '127.0.0.1', 0);
  });
  afterAll(async () => {
    await closeServer(ownServer);
    await own.drop();
  });
  const ask = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${(ownServer.address() as AddressInfo).port}/reports/${path}`);
    return response.json();
  };

  it('tell sums beyond 2^53 to the last digit, as text', async () => {
    const gold = add('gold', 999, { unitPrice: 9_999_999_999 });
    for (let n = 0; n < 10; n += 1) {
      const lines = Array.from({ length: 100 }, (_, line) => ({ ...gold, productId: `gold-${line}` }));
      await own.db.transaction((trx) =>
        project(trx, `rich-${n}`, tell([...lines, { type: 'checkOut' }, ...lines]).decisions),
      );
    }
    const value = (10n * 100n * 999n * 9_999_999_999n).toString();
    const summary = await ask('carts?at=2030-06-01T00:00:00Z');
    expect(summary).toMatchObject({ values: [{ currency: 'EUR', value }] });
    const days = 'from=2030-01-01T00:00:00Z&to=2030-01-02T00:00:00Z';
    expect(await ask(`value?${days}`)).toMatchObject({ points: [{ value }] });
    expect((await ask(`checkouts?${days}&limit=1`)) as unknown).toMatchObject({
      products: [{ revenue: { EUR: 10 * 999 * 9_999_999_999 } }],
    });
  });

  it('are refused with 503 where they take longer than a request may', async () => {
    const hasty = connectDatabase(own.url, { poolSize: 1, name: 'hasty', queryTimeoutMs: 300 });
    const hastyApp = createApp({ routers: [reportRoutes(hasty)], checks: {}, logger: pino({ level: 'silent' }) });
    const hastyServer = await listen(hastyApp, '127.0.0.1', 0);
    try {
      await own.db.transaction(async (trx) => {
        await trx.raw('lock table cart_item_history in access exclusive mode');
        const { port } = hastyServer.address() as AddressInfo;
        const response = await fetch(`http://127.0.0.1:${port}/reports/carts`);
        expect(response.status).toBe(503);
        expect(await response.json()).toMatchObject({ code: 'report_too_slow' });
      });
    } finally {
      await closeServer(hastyServer);
      await hasty.destroy();
    }
  });

  it('go on through a rebuild of the read model, and tell the same after it', async () => {
    const asked = () =>
      Promise.all(
        [
          'carts?at=2030-06-01T00:00:00Z',
          'open-carts?at=2030-06-01T00:00:00Z',
          'longest-open?at=2030-06-01T00:00:00Z',
          'value?from=2030-01-01T00:00:00Z&to=2030-01-03T00:00:00Z',
        ].map(ask),
      );
    const before = await asked();
    await rebuildAll(own.db, () => {});
    expect(await asked()).toEqual(before);
    expect(await own.db('reports.line_history').count()).toEqual([{ count: 10 * 200 }]);
  });
});

describe('the role cart_analyst', () => {
  const asAnalyst = (statement: string) =>
    database.db.transaction(async (trx): Promise<{ rows: { n: number }[] }> => {
      await trx.raw('set local role cart_analyst');
      return trx.raw(statement);
    });

  it.each([
    'select count(*)::integer as n from reports.item_changes',
    'select count(*)::integer as n from reports.checkouts',
    'select count(*)::integer as n from reports.checkout_lines',
    'select count(*)::integer as n from reports.line_history',
    "select count(*)::integer as n from reports.cart_lines_at('2030-02-10Z')",
    "select count(*)::integer as n from reports.summary_at('2030-02-10Z')",
    "select count(*)::integer as n from reports.open_carts_at('2030-02-10Z')",
    "select count(*)::integer as n from reports.longest_open_at('2030-02-10Z')",
    "select count(*)::integer as n from reports.value_over_time('2030-02-10Z', '2030-02-20Z')",
  ])('may %s', async (statement) => {
    expect((await asAnalyst(statement)).rows[0]!.n).toBeGreaterThan(0);
  });

  it.each([
    ...[
      'cart_events',
      'cart_commands',
      'carts',
      'cart_items',
      'cart_item_history',
      'cart_histories',
      'products',
      'migrations',
    ].map((table) => `select from public.${table}`),
    "update reports.checkouts set currency = 'EUR'",
    'delete from reports.item_changes',
    'insert into reports.checkouts (user_id) values (1)',
    'delete from reports.checkouts',
    'create table reports.mine (a integer)',
    'create table public.mine (a integer)',
    'create function reports.mine() returns integer language sql as $$ select 1 $$',
    'create schema mine',
    'drop view reports.checkouts',
  ])('may not %s', async (statement) => {
    await expect(asAnalyst(statement)).rejects.toThrow(/permission denied|must be owner|cannot (update|delete|insert)/);
  });

  it('is the only one beside the owner with rights on the schema', async () => {
    const { rows } = await database.db.raw(
      `select distinct grantee::regrole::text from pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner)))
       where pronamespace = 'reports'::regnamespace and grantee <> proowner`,
    );
    expect(rows).toEqual([{ grantee: 'cart_analyst' }]);
  });

  it('cannot put its own objects in the place of those the functions use', async () => {
    await database.db.transaction(async (trx) => {
      await trx.raw('set local role cart_analyst; create temp table cart_item_history (user_id text)');
      await trx.raw('set local search_path = pg_temp, public');
      expect(
        (await trx.raw("select carts from reports.summary_at('2030-02-10Z') limit 1")).rows[0].carts,
      ).toBeGreaterThan(0);
    });
  });
});

/** What the migration of the reports made, but for the role, which belongs to the whole cluster. */
const dropReports = (db: Knex) => db.raw('drop schema reports cascade; drop index cart_events_of_whole_carts');

describe('the schema of the reports', () => {
  it('is made in several databases of a cluster at once, taken away and made again', async () => {
    const databases = await Promise.all(Array.from({ length: 4 }, () => createDatabase({ migrated: false })));
    try {
      await Promise.all(databases.map(({ db }) => migrate(db)));
      await Promise.all(databases.map(({ db }) => dropReports(db)));
      expect(await databases[0]!.db('pg_namespace').where({ nspname: 'reports' })).toEqual([]);
      await Promise.all(databases.map(({ db }) => db.transaction(up)));
      expect(await databases[0]!.db('reports.checkouts')).toEqual([]);
    } finally {
      await Promise.all(databases.map((each) => each.drop()));
    }
  });

  it('is made by a user who owns the database and may make no roles', async () => {
    const name = `owner_${randomInt(2 ** 31)}`;
    const mine = await createDatabase({ migrated: false });
    const url = Object.assign(new URL(mine.url), { username: name, password: 'secret' }).href;
    await mine.db.raw(`create role ${name} login password 'secret'`);
    await mine.db.raw(`alter database ${new URL(mine.url).pathname.slice(1)} owner to ${name}`);
    const owner = connectDatabase(url, { poolSize: 2, name: 'owner', queryTimeoutMs: 30_000 });
    try {
      await migrate(owner);
      expect((await owner.raw('select carts from reports.summary_at()')).rows).toEqual([{ carts: 0 }]);
    } finally {
      await owner.destroy();
      await mine.drop();
      await database.db.raw(`drop role ${name}`);
    }
  });
});
