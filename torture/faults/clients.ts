import { setTimeout as delay } from 'node:timers/promises';
import { type Behaviour, usualBehaviour } from '../clients/clients';
import { type Fault, type FaultContext, nobody, replace } from './fault';

/** What clients do that they should not, or that a bad network makes of what they do. */
export function clientFaults(context: FaultContext): Fault[] {
  return [
    misbehaviour(context, 'duplicate-sends', { copies: 4 }),
    misbehaviour(context, 'late-retries', { lateRetries: 0.5 }),
    misbehaviour(context, 'reordered-sends', { atOnce: 5 }),
    misbehaviour(context, 'reused-keys', { reusedKeys: 0.3 }),
    restoreStorm(context),
  ];
}

function misbehaviour(context: FaultContext, name: string, changes: Partial<Behaviour>): Fault {
  const usual = Object.fromEntries(Object.keys(changes).map((key) => [key, usualBehaviour[key as keyof Behaviour]]));
  return {
    name,
    touches: 'clients',
    async inject() {
      Object.assign(context.behaviour, changes);
      return undefined;
    },
    async heal() {
      Object.assign(context.behaviour, usual);
    },
  };
}

const bigCartLines = 100;

/** Many restores of a large cart at the same time: each carries all lines of the cart. */
function restoreStorm(context: FaultContext): Fault {
  let storms = 0;
  let earlier: readonly string[] = [];
  return {
    name: 'restore-storm',
    touches: 'clients',
    async inject() {
      storms += 1;
      const cart = `large-${storms}`;
      for (let first = 1; first <= bigCartLines; first += 10) {
        const lines = Array.from({ length: 10 }, (_, index) => `line-${first + index}`);
        await Promise.all(lines.map((productId) => add(cart, productId)));
      }
      await delay(2_000);
      const restores = Array.from({ length: 40 }, (_, index) =>
        context.perform(nobody, cart, {
          kind: 'command',
          type: 'restoreCart',
          version: bigCartLines - (index % 5),
          key: `${cart}-restore-${index}`,
          waitSeconds: 0,
        }),
      );
      await Promise.all(restores);
      replace(context.carts, earlier, [cart]);
      earlier = [cart];
      return earlier;
    },
    heal: async () => undefined,
  };

  function add(cart: string, productId: string) {
    const key = `${cart}-${productId}`;
    return context.perform(nobody, cart, {
      kind: 'command',
      type: 'addItem',
      productId,
      quantity: 1,
      key,
      waitSeconds: 0,
    });
  }
}

/** The products of large carts. */
export const bigCartProducts = Array.from({ length: bigCartLines }, (_, index) => ({
  productId: `line-${index + 1}`,
  name: `Line ${index + 1} `.padEnd(200, '€'),
  unitPrice: 100 + index,
  currency: 'EUR',
}));
