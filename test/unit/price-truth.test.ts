import fc from 'fast-check';
import type { ProductFacts } from '../../src/domain/facts';
import { withFacts } from '../../src/domain/facts';
import { emptyCheckpoint, handle } from '../../src/domain/handle';
import { command, instant } from '../support/cart-story';

/** What a model catalogue says of a product. */
interface Offer {
  price: number;
  currency: string;
  max: number;
  isForSale: boolean;
}
type Offers = Map<string, Offer>;

const productIds = ['pen', 'ink', 'pad'];
const product = fc.constantFrom(...productIds);
const price = fc.constantFrom(0, 5, 7, 9);
/** What a command knows of the catalogue. One that is sent by hand does not even have the field. */
const knowledge = fc.constantFrom('all', 'all', 'all', 'all', 'not pen', 'nothing', 'by hand');

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('add' as const), product, quantity: fc.integer({ min: 1, max: 4 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('change' as const), product, quantity: fc.nat(9), knows: knowledge }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), product }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restore' as const), back: fc.nat(5) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('price' as const), product, price }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('currency' as const), product, currency: fc.constantFrom('EUR', 'USD') }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('limit' as const), product, max: fc.constantFrom(2, 5, 999) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('sale' as const), product, isForSale: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('checkout' as const),
      shown: fc.constantFrom('nothing', 'the cart', 'today', 'something else'),
      accepts: fc.boolean(),
      knows: knowledge,
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

interface Line {
  price: number;
  quantity: number;
}

/** A cart that follows the same rules in another way: a map that is changed in place, which asks the offers itself. */
class Model {
  lines = new Map<string, Line>();
  currency = '';
  readonly past: { lines: Map<string, Line>; currency: string }[] = [];
  readonly offers: Offers = new Map(
    productIds.map((id) => [id, { price: 5, currency: 'EUR', max: 999, isForSale: true }]),
  );

  total(priceOf = (_id: string, line: Line) => line.price): number {
    let sum = 0;
    for (const [id, line] of this.lines) sum += line.quantity * priceOf(id, line);
    return sum;
  }

  today = (id: string): number => this.offers.get(id)!.price;

  /** Whether this many of the product can be sold in the cart. */
  canSell(id: string, quantity: number, known: ReadonlySet<string>): boolean {
    const { isForSale, currency, max } = this.offers.get(id)!;
    return known.has(id) && isForSale && currency === this.currency && quantity <= max;
  }

  add(id: string, quantity: number): boolean {
    const { price: unitPrice, currency, max } = this.offers.get(id)!;
    const line = this.lines.get(id);
    const after = (line?.quantity ?? 0) + quantity;
    if ((this.lines.size > 0 && currency !== this.currency) || after > max) return false;
    this.currency = currency;
    this.lines.set(id, { price: line?.price ?? unitPrice, quantity: after });
    return true;
  }

  change(id: string, quantity: number, known: ReadonlySet<string>): boolean {
    const line = this.lines.get(id);
    if (quantity === 0) return this.lines.delete(id) || true;
    if (line === undefined) return false;
    if (quantity > line.quantity && !this.canSell(id, quantity, known)) return false;
    line.quantity = quantity;
    return true;
  }

  /** @returns what is paid; undefined where nothing is sold. */
  checkOut(expected: number | undefined, accepts: boolean, known: ReadonlySet<string>): number | undefined {
    if (this.lines.size === 0) return undefined;
    for (const [id, { quantity, price: held }] of this.lines) {
      if (!this.canSell(id, quantity, known)) return undefined;
      if (held !== this.today(id) && !accepts) return undefined;
    }
    const paid = this.total(this.today);
    if (expected !== undefined && expected !== paid) return undefined;
    this.lines.clear();
    return paid;
  }
}

const factsOf = (offers: Offers, known: ReadonlySet<string>): ProductFacts[] =>
  [...offers].flatMap(([productId, { price: unitPrice, currency, max: maxQuantity, isForSale }]): ProductFacts[] => {
    if (!known.has(productId)) return [];
    return [
      isForSale ? { productId, available: true, unitPrice, currency, maxQuantity } : { productId, available: false },
    ];
  });

function knownBy(knows: string): ReadonlySet<string> {
  if (knows === 'all') return new Set(productIds);
  return new Set(knows === 'not pen' ? ['ink', 'pad'] : []);
}

/** Runs the steps by the rules and by the model, compares each outcome, and returns how often something was sold. */
function compare(steps: readonly Step[]): { sold: number; repriced: number } {
  const model = new Model();
  let checkpoint = emptyCheckpoint;
  const carts = [checkpoint.cart];
  const counts = { sold: 0, repriced: 0 };
  let sent = 0;
  const decide = (fields: { type: string } & Record<string, unknown>) => {
    sent += 1;
    const context = { now: instant(sent), runId: 'run', freshId: () => 'fresh', unprojectedCount: 0 };
    // As a run does it with each command that it receives.
    const result = handle(checkpoint, withFacts(command(fields, sent)), context);
    checkpoint = result.checkpoint;
    carts.push(checkpoint.cart);
    return result.decision!;
  };
  const remember = () => {
    const lines = new Map([...model.lines].map(([id, line]) => [id, { ...line }]));
    model.past.push({ lines, currency: model.currency });
  };
  remember();
  for (const each of steps) {
    const offer = 'product' in each ? model.offers.get(each.product)! : undefined;
    switch (each.do) {
      case 'price':
        offer!.price = each.price;
        continue;
      case 'currency':
        offer!.currency = each.currency;
        continue;
      case 'limit':
        offer!.max = each.max;
        continue;
      case 'sale':
        offer!.isForSale = each.isForSale;
        continue;
      case 'add': {
        // The command side takes no command for a product that is not for sale.
        if (!offer!.isForSale) continue;
        const { price: unitPrice, currency, max: maxQuantity } = offer!;
        const { product: productId, quantity } = each;
        const fields = { productId, name: productId, unitPrice, currency, maxQuantity, quantity };
        const { outcome } = decide({ type: 'addItem', ...fields });
        expect(outcome).toBe(model.add(productId, quantity) ? 'applied' : 'rejected');
        break;
      }
      case 'change': {
        const known = knownBy(each.knows);
        const facts = each.knows === 'by hand' ? {} : { facts: factsOf(model.offers, known) };
        const { outcome } = decide({
          type: 'changeItemQuantity',
          productId: each.product,
          quantity: each.quantity,
          ...facts,
        });
        expect(outcome).toBe(model.change(each.product, each.quantity, known) ? 'applied' : 'rejected');
        break;
      }
      case 'remove':
        decide({ type: 'removeItem', productId: each.product });
        model.lines.delete(each.product);
        break;
      case 'restore': {
        const place = Math.max(0, carts.length - 1 - each.back);
        const { version, items, currency } = carts[place]!;
        decide({ type: 'restoreCart', version, items, currency });
        model.lines = new Map([...model.past[place]!.lines].map(([id, line]) => [id, { ...line }]));
        model.currency = model.past[place]!.currency;
        break;
      }
      case 'checkout': {
        const known = knownBy(each.knows);
        const facts = each.knows === 'by hand' ? {} : { facts: factsOf(model.offers, known) };
        const shown = {
          nothing: undefined,
          'the cart': model.total(),
          today: model.total(model.today),
          'something else': 3,
        };
        const expectedTotal = shown[each.shown as keyof typeof shown];
        const fields = { ...(expectedTotal === undefined ? {} : { expectedTotal }), acceptChanges: each.accepts };
        const inCart = model.total();
        const decision = decide({ type: 'checkOut', ...fields, ...facts });
        const paid = model.checkOut(expectedTotal, each.accepts, known);
        const last = decision.events.at(-1);
        expect(last?.type === 'CartCheckedOut' ? last.data.subtotal : undefined).toBe(paid);
        if (last?.type !== 'CartCheckedOut') break;
        for (const { productId, unitPrice, quantity } of last.data.items) {
          const { isForSale, price: today, currency, max } = model.offers.get(productId)!;
          expect({ isForSale, today, currency }).toEqual({
            isForSale: true,
            today: unitPrice,
            currency: last.data.currency,
          });
          expect(quantity).toBeLessThanOrEqual(max);
        }
        if (expectedTotal !== undefined || !each.accepts) expect(paid).toBe(expectedTotal ?? inCart);
        counts.sold += 1;
        counts.repriced += decision.events.length > 1 ? 1 : 0;
        break;
      }
    }
    remember();
  }
  return counts;
}

const runs = 10_000;

it(`${runs} random carts sell nothing that is not for sale, and nothing at a price that was neither shown nor accepted`, () => {
  const total = { sold: 0, repriced: 0 };
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 40 }), (steps) => {
      const { sold, repriced } = compare(steps);
      total.sold += sold;
      total.repriced += repriced;
    }),
    { numRuns: runs },
  );
  // The property says nothing unless much is sold.
  expect(total.sold).toBeGreaterThan(runs / 5);
  expect(total.repriced).toBeGreaterThan(runs / 100);
});
