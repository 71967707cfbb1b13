import { itemCountOf, subtotalOf } from '../../src/domain/state';
import { iso, names, period, products, randomInstants } from '../support/random-carts';
import { openReportApi, query, type ReportApi, seed } from '../support/report-api';
import {
  asRow,
  byText,
  changesIn,
  groupBy,
  intervalStart,
  intervals,
  nextStart,
  openAt,
  sum,
} from '../support/report-model';

let api: ReportApi;
beforeAll(async () => {
  api = await openReportApi();
});
afterAll(() => api.close());

describe('a report on the carts at an instant', () => {
  it('counts and sums what the log contains, at any past instant', async () => {
    for (const at of randomInstants(api.logs, 25, seed)) {
      const open = openAt(api.logs, at);
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
      expect({ seed, ...(await api.getJson(`carts?${query({ at, limit: 3 })}`)) }).toEqual({ seed, ...expected });
    }
  });

  it('lists every open cart once, page by page, with the instant at which it was opened', async () => {
    for (const at of randomInstants(api.logs, 20, seed)) {
      const carts: unknown[] = [];
      let path: string | undefined = `open-carts?${query({ at, limit: 7 })}`;
      while (path !== undefined) {
        const { status, headers, text } = await api.get(path);
        expect(status).toBe(200);
        const page = JSON.parse(text);
        expect(page.carts.length).toBeLessThanOrEqual(7);
        carts.push(...page.carts);
        expect(headers.get('Link')).toBe(page.next === undefined ? null : `<${page.next}>; rel="next"`);
        path = page.next?.replace('/reports/', '');
      }
      expect({ seed, at, carts }).toEqual({ seed, at, carts: openAt(api.logs, at).map(asRow) });
    }
  });

  it('lists the carts that have been open longest', async () => {
    for (const at of randomInstants(api.logs, 20, seed)) {
      const expected = openAt(api.logs, at)
        .map(asRow)
        .sort(byText(({ openSince }) => openSince));
      expect({ seed, ...(await api.getJson(`longest-open?${query({ at, limit: 15 })}`)) }).toEqual({
        seed,
        at,
        carts: expected.slice(0, 15),
      });
    }
  });

  it('shows the present without a parameter', async () => {
    const { at, openCarts, values } = await api.getJson('carts');
    expect(Math.abs(Date.parse(at) - Date.now())).toBeLessThan(10_000);
    expect({ openCarts, values }).toEqual({ openCarts: 0, values: [] });
  });
});

describe('a report on a period', () => {
  it.each(intervals)('counts products added, removed and bought by %s', async (interval) => {
    const changes = changesIn(api.logs, period.from, period.to);
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
    let path: string | undefined = `products?${query({ ...period, interval, limit: 40 })}`;
    while (path !== undefined) {
      const page = await api.getJson(path);
      found.push(...page.products);
      path = page.next?.replace('/reports/', '');
    }
    expect({ seed, found }).toEqual({ seed, found: expected });
  });

  it.each(['day', 'week', 'month'] as const)(
    'returns the number and the value of open carts at the end of each %s',
    async (interval) => {
      const ends: string[] = [];
      for (let at = period.from; at < period.to; ) {
        at = nextStart(at, interval);
        ends.push([at, period.to].sort()[0]!);
      }
      const { points } = await api.getJson(`value?${query({ ...period, interval })}`);
      const expected = ['EUR', 'USD'].flatMap((currency) =>
        ends.map((at) => {
          const carts = openAt(api.logs, at)
            .map(({ cart }) => cart)
            .filter((cart) => cart.currency === currency);
          return { at, currency, openCarts: carts.length, value: sum(carts, ({ items }) => subtotalOf(items)) };
        }),
      );
      expect({ seed, points }).toEqual({ seed, points: expected });
    },
  );

  it('includes in a value the events at the instant of its point', async () => {
    const event = [...api.logs.values()].flat().find(({ occurredAt }) => occurredAt > period.from)!;
    for (const to of [-1, 0, 1].map((shift) => iso(Date.parse(event.occurredAt) + shift))) {
      const from = iso(Date.parse(to) - 60_000);
      const { points } = await api.getJson(`value?${query({ from, to, interval: 'month' })}`);
      const value = sum(openAt(api.logs, to), ({ cart }) => subtotalOf(cart.items));
      expect({
        seed,
        to,
        value: sum(points as { at: string; value: number }[], (p) => (p.at === to ? p.value : 0)),
      }).toEqual({ seed, to, value });
    }
  });

  it('returns for each product how much was bought, for which amount, and how much was removed', async () => {
    const gone = changesIn(api.logs, period.from, period.to).filter(({ isGone }) => isGone);
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
    const found = await api.getJson(`checkouts?${query(period)}`);
    expect({ seed, ...found }).toEqual({ seed, ...period, products: expected });
    const first = await api.getJson(`checkouts?${query({ ...period, limit: 2 })}`);
    expect(first.products).toEqual(found.products.slice(0, 2));
  });
});
