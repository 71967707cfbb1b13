import { connectDatabase } from '../../src/postgres/database';
import { project } from '../../src/postgres/projection/project';
import { rebuildAll } from '../../src/recovery/rebuild';
import { add, decideAll } from '../support/cart-story';
import { createDatabase, type TestDatabase } from '../support/database';
import { hourMs, iso, startMs } from '../support/random-carts';
import { openReportApi, query, type ReportApi } from '../support/report-api';
import { getJson, type TestServer } from '../support/serve';
import { serveQueries } from '../support/serve-queries';

describe('the parameters of a report', () => {
  let api: ReportApi;
  beforeAll(async () => {
    api = await openReportApi();
  });
  afterAll(() => api.close());

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
  ])('are rejected with 400 where one is wrong: %s', async (path, field) => {
    const { status, text } = await api.get(path);
    expect(status).toBe(400);
    const { code, errors } = JSON.parse(text) as { code: string; errors: { path: string }[] };
    expect(code).toBe('invalid_request');
    expect(errors.map((error) => error.path.split('.')[0])).toContain(field);
  });

  it('accept an instant with any offset', async () => {
    const zoned = await api.getJson(`carts?${query({ at: '2030-02-10T01:30:00+01:30' })}`);
    expect(zoned).toEqual(await api.getJson(`carts?${query({ at: '2030-02-10T00:00:00Z' })}`));
  });

  it('accept a series of 1,000 points, and no more', async () => {
    const at = (hours: number) => iso(startMs + hours * hourMs);
    const { points } = await api.getJson(`value?${query({ from: at(0), to: at(999), interval: 'hour' })}`);
    expect(new Set(points.map((point: { at: string }) => point.at)).size).toBe(999);
    const shifted = await api.getJson(`value?${query({ from: at(0.5), to: at(999.5), interval: 'hour' })}`);
    expect(new Set(shifted.points.map((point: { at: string }) => point.at)).size).toBe(1_000);
    expect((await api.get(`value?${query({ from: at(0), to: at(1_000), interval: 'hour' })}`)).status).toBe(400);
  });
});

describe('reports on carts of high value', () => {
  let database: TestDatabase;
  let server: TestServer;
  beforeAll(async () => {
    database = await createDatabase();
    server = await serveQueries(database.db);
  });
  afterAll(async () => {
    await server.close();
    await database.drop();
  });
  const ask = async (path: string) => (await getJson(`${server.url}/reports/${path}`)).body;

  it('return sums above 2^53 exactly, as text', async () => {
    const gold = add('gold', 999, { unitPrice: 9_999_999_999 });
    for (let n = 0; n < 10; n += 1) {
      const lines = Array.from({ length: 100 }, (_, line) => ({ ...gold, productId: `gold-${line}` }));
      await database.db.transaction((trx) =>
        project(trx, `rich-${n}`, decideAll([...lines, { type: 'checkOut' }, ...lines]).decisions),
      );
    }
    const value = (10n * 100n * 999n * 9_999_999_999n).toString();
    const summary = await ask('carts?at=2030-06-01T00:00:00Z');
    expect(summary).toMatchObject({ values: [{ currency: 'EUR', value }] });
    const days = 'from=2030-01-01T00:00:00Z&to=2030-01-02T00:00:00Z';
    expect(await ask(`value?${days}`)).toMatchObject({ points: [{ value }] });
    expect(await ask(`checkouts?${days}&limit=1`)).toMatchObject({
      products: [{ revenue: { EUR: 10 * 999 * 9_999_999_999 } }],
    });
  });

  it('are answered 503 where they exceed the time limit of a request', async () => {
    const impatient = connectDatabase(database.url, { poolSize: 1, name: 'impatient', queryTimeoutMs: 300 });
    const impatientServer = await serveQueries(impatient);
    try {
      await database.db.transaction(async (trx) => {
        await trx.raw('lock table cart_item_history in access exclusive mode');
        const answer = await getJson(`${impatientServer.url}/reports/carts`);
        expect(answer).toMatchObject({ status: 503, body: { code: 'report_too_slow' } });
      });
    } finally {
      await impatientServer.close();
      await impatient.destroy();
    }
  });

  it('return the same after a rebuild of the read model', async () => {
    const askAll = () =>
      Promise.all(
        [
          'carts?at=2030-06-01T00:00:00Z',
          'open-carts?at=2030-06-01T00:00:00Z',
          'longest-open?at=2030-06-01T00:00:00Z',
          'value?from=2030-01-01T00:00:00Z&to=2030-01-03T00:00:00Z',
        ].map(ask),
      );
    const before = await askAll();
    await rebuildAll(database.db, () => {});
    expect(await askAll()).toEqual(before);
    expect(await database.db('reports.line_history').count()).toEqual([{ count: 10 * 200 }]);
  });
});
