import fc from 'fast-check';
import { evolve } from '../../src/domain/evolve';
import { emptyCart, itemCountOf, subtotalOf } from '../../src/domain/state';
import { ModelCart, type ModelCommand } from '../support/cart-model';
import { decideAll } from '../support/cart-story';

const catalogue = Object.fromEntries(
  Array.from({ length: 103 }, (_, n) => [`p${n}`, { price: n * 13, currency: n === 102 ? 'USD' : 'EUR' }]),
);

// Mostly few products, so that commands meet the same line; sometimes many, so that carts become full.
const product = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('p0', 'p1', 'p2') },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 102 }).map((n) => `p${n}`) },
  { weight: 1, arbitrary: fc.constant('p102') },
);
const quantity = fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 400, max: 999 }));
const anyCommand: fc.Arbitrary<ModelCommand> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('add' as const), product, quantity }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('change' as const), product, quantity: fc.nat(1_001) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), product }) },
  { weight: 1, arbitrary: fc.constant<ModelCommand>({ kind: 'clear' }) },
  { weight: 2, arbitrary: fc.constantFrom<ModelCommand>({ kind: 'note', note: 'a\nb' }, { kind: 'note', note: null }) },
  { weight: 1, arbitrary: fc.constant<ModelCommand>({ kind: 'checkout' }) },
);
const fillingUp = fc
  .integer({ min: 95, max: 102 })
  .map((lines): ModelCommand[] =>
    Array.from({ length: lines }, (_, n) => ({ kind: 'add', product: `p${n}`, quantity: 1 })),
  );
const anyStory = fc
  .tuple(
    fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fillingUp }),
    fc.array(anyCommand, { maxLength: 60 }),
  )
  .map(([first, then]) => [...first, ...then]);

const toCommand = (command: ModelCommand) => {
  switch (command.kind) {
    case 'add': {
      const { price, currency } = catalogue[command.product]!;
      const { product: productId, quantity: units } = command;
      return { type: 'addItem', productId, name: productId, unitPrice: price, currency, quantity: units };
    }
    case 'change':
      return { type: 'changeItemQuantity', productId: command.product, quantity: command.quantity };
    case 'remove':
      return { type: 'removeItem', productId: command.product };
    case 'clear':
      return { type: 'clearCart' };
    case 'note':
      return { type: 'changeNote', note: command.note };
    case 'checkout':
      return { type: 'checkOut' };
  }
};

describe('any sequence of commands', () => {
  it('leads to the same cart and the same rejections as an independent model', () => {
    fc.assert(
      fc.property(anyStory, (story) => {
        const model = new ModelCart(catalogue);
        const accepted = story.map((command) => model.run(command));
        const { checkpoint, decisions } = decideAll(story.map(toCommand));
        expect(decisions.map((decision) => decision.outcome === 'applied')).toEqual(accepted);
        const { items, version } = checkpoint.cart;
        expect(
          items.map(({ productId, quantity: units, unitPrice }) => ({ productId, quantity: units, unitPrice })),
        ).toEqual(model.lines);
        expect(subtotalOf(items)).toBe(model.subtotal);
        expect(version).toBe(model.version);
        expect(checkpoint.cart.note ?? null).toBe(model.note);
        const bought = decisions
          .flatMap((decision) => decision.events)
          .map((event) => (event.type === 'CartCheckedOut' ? event.data.subtotal : 0));
        expect(bought.reduce((sum, subtotal) => sum + subtotal, 0)).toBe(model.bought);
      }),
      { numRuns: 1_000 },
    );
  });

  it('leads to a cart that equals the fold of its events', () => {
    fc.assert(
      fc.property(anyStory, (story) => {
        const { checkpoint, decisions } = decideAll(story.map(toCommand));
        const events = decisions.flatMap((decision) => decision.events);
        expect(JSON.parse(JSON.stringify(events)).reduce(evolve, emptyCart)).toEqual(checkpoint.cart);
        expect(events.map((event) => event.version)).toEqual(events.map((_, index) => index + 1));
      }),
      { numRuns: 300 },
    );
  });

  it('keeps the cart within the limits at every event', () => {
    fc.assert(
      fc.property(anyStory, (story) => {
        for (const event of decideAll(story.map(toCommand)).decisions.flatMap((decision) => decision.events)) {
          if (event.type === 'ItemAdded' || event.type === 'ItemQuantityChanged') {
            expect(event.data.quantity).toBeGreaterThanOrEqual(1);
            expect(event.data.quantity).toBeLessThanOrEqual(999);
          }
          if (event.type === 'CartCheckedOut') {
            expect(event.data.items.length).toBeLessThanOrEqual(100);
            expect(itemCountOf(event.data.items)).toBeGreaterThan(0);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('gets no event from a repetition of its last command under a new id, unless that adds or checks out', () => {
    const setting = anyCommand.filter(({ kind }) => kind !== 'add' && kind !== 'checkout');
    fc.assert(
      fc.property(anyStory, setting, (story, last) => {
        const { checkpoint } = decideAll([...story, last].map(toCommand));
        expect(decideAll([toCommand(last)], checkpoint).decision?.events).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});
