import { readFileSync } from 'node:fs';
import path from 'node:path';
import { cart, json, openClient } from '../support/scripted-client';

describe('reads', () => {
  it('name a point in time as the API does', async () => {
    const { client, sent } = openClient(Array.from({ length: 5 }, () => json(200, cart)));
    await client.readCart('alice', { version: 0 });
    await client.readCart('alice', { at: new Date('2030-01-31T12:00:00Z') });
    await client.readCart('alice', { at: '2030-01-31T13:00:00+01:00' });
    await client.readCart('alice', { minVersion: 3 });
    await client.compareCarts('alice', 1, new Date('2030-01-31T12:00:00Z'));
    expect(sent.map((request) => request.path)).toEqual([
      '/api/carts/alice?version=0',
      '/api/carts/alice?at=2030-01-31T12%3A00%3A00.000Z',
      '/api/carts/alice?at=2030-01-31T13%3A00%3A00%2B01%3A00',
      '/api/carts/alice?minVersion=3',
      '/api/carts/alice/diff?from=1&to=2030-01-31T12%3A00%3A00.000Z',
    ]);
  });

  it('of the timeline read a page when its entries are taken', async () => {
    const page = (sequences: number[], next?: string) =>
      json(200, { events: sequences.map((sequence) => ({ sequence })), ...(next === undefined ? {} : { next }) });
    const { client, sent } = openClient([
      page([1, 2], '/carts/alice/events?after=2&limit=2&rejected=include'),
      page([3]),
    ]);
    const taken: number[] = [];
    const requests: number[] = [];
    for await (const entry of client.readTimeline('alice', { limit: 2, rejected: 'include' })) {
      taken.push(entry.sequence);
      requests.push(sent.length);
    }
    expect(taken).toEqual([1, 2, 3]);
    expect(requests).toEqual([1, 1, 2]);
    expect(sent.map((request) => new URLSearchParams(request.path.split('?')[1]).get('after'))).toEqual([null, '2']);
    expect(sent[1]!.path).toContain('rejected=include');
  });

  it('of the catalogue go on after the last product', async () => {
    const { client, sent } = openClient([
      json(200, { products: [{ productId: 'a|b' }], next: '/products?after=a%7Cb&limit=1' }),
      json(200, { products: [{ productId: 'c' }] }),
    ]);
    const taken: string[] = [];
    for await (const { productId } of client.listProducts({ limit: 1 })) taken.push(productId);
    expect(taken).toEqual(['a|b', 'c']);
    expect(sent[1]!.path).toContain('after=a%7Cb');
  });

  it('for staff name the report, the kind of answer and the carts that are looked for', async () => {
    const csv = new Response('part\r\n', { status: 200, headers: { 'Content-Type': 'text/csv' } });
    const found = { carts: [{ userId: 'alice' }], next: '/operations/carts?user=a&after=alice' };
    const { client, sent } = openClient([json(200, { openCarts: 1 }), csv, json(200, found), json(200, { carts: [] })]);
    expect(await client.readReport('carts', { at: '2030-01-31T12:00:00Z' })).toEqual({ openCarts: 1 });
    expect(await client.readReportAsCsv('longest-open', { limit: 5 })).toBe('part\r\n');
    const carts: string[] = [];
    for await (const { userId } of client.findCarts({ user: 'a', unchangedSince: new Date(0) })) carts.push(userId);
    expect(carts).toEqual(['alice']);
    expect(sent.map((request) => request.path)).toEqual([
      '/api/reports/carts?at=2030-01-31T12%3A00%3A00Z',
      '/api/reports/longest-open?limit=5',
      '/api/operations/carts?user=a&unchangedSince=1970-01-01T00%3A00%3A00.000Z',
      '/api/operations/carts?user=a&unchangedSince=1970-01-01T00%3A00%3A00.000Z&after=alice',
    ]);
  });

  it('and changes of a product have no id of a command', async () => {
    const product = { name: 'Pen', unitPrice: 250, currency: 'EUR' };
    const { client, sent, keys } = openClient([json(201, product), json(200, product)]);
    await client.putProduct('pen', product);
    await client.readProduct('pen');
    expect(sent.map(({ method, path: target }) => `${method} ${target}`)).toEqual([
      'PUT /api/products/pen',
      'GET /api/products/pen',
    ]);
    expect(keys()).toEqual([null, null]);
  });
});

describe('the package of the client', () => {
  const read = (file: string) => JSON.parse(readFileSync(path.resolve(__dirname, '../..', file), 'utf8'));
  const [root, client] = [read('package.json'), read('client/package.json')];

  it('has the version of the API, and the dependency with which the tests run it', () => {
    expect(client.version).toBe(root.version);
    for (const [name, version] of Object.entries(client.dependencies)) {
      expect(root.devDependencies[name]).toBe(version);
    }
  });
});
