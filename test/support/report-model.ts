import { evolve } from '../../src/domain/evolve';
import { type Cart, emptyCart, itemCountOf, subtotalOf } from '../../src/domain/state';
import { hourMs, iso, type Logs, products } from './random-carts';

/** An open cart, computed in another way than by the reports: by folding every event of the log in memory. */
export interface OpenCart {
  readonly userId: string;
  readonly cart: Cart;
  readonly openSince: string;
}

/** The carts that were open at an instant, in the order of their users' ids. */
export function openAt(logs: Logs, at: string): OpenCart[] {
  const open: OpenCart[] = [];
  for (const [userId, events] of logs) {
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

/** An open cart as the reports list it. */
export const asRow = ({ userId, cart, openSince }: OpenCart) => ({
  userId,
  version: cart.version,
  lines: cart.items.length,
  units: itemCountOf(cart.items),
  value: subtotalOf(cart.items),
  currency: cart.currency,
  openSince,
});

interface Change {
  readonly productId: string;
  readonly occurredAt: string;
  readonly change: number;
  readonly isGone: boolean;
  readonly isBought: boolean;
  readonly amount: number;
  readonly currency: string;
}

/** The change that each event made to each line, found by comparing the cart before and after it. */
export function changesIn(logs: Logs, from: string, to: string): Change[] {
  return [...logs.values()].flatMap((events) => {
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

export const intervals = ['hour', 'day', 'week', 'month'] as const;
type Interval = (typeof intervals)[number];

/** The start of the interval in which an instant is. */
export function intervalStart(at: string, interval: Interval): string {
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

/** The start of the next interval. */
export function nextStart(at: string, interval: Interval): string {
  const days = { hour: 1 / 24, day: 1, week: 7, month: 32 }[interval];
  return intervalStart(iso(Date.parse(intervalStart(at, interval)) + days * 24 * hourMs), interval);
}

/** Compares by a text, character by character. */
export const byText =
  <T>(key: (of: T) => string) =>
  (a: T, b: T) =>
    key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0;

export const sum = <T>(of: readonly T[], value: (one: T) => number) => of.reduce((total, one) => total + value(one), 0);

export function groupBy<T>(all: readonly T[], keyOf: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) groups.set(keyOf(one), [...(groups.get(keyOf(one)) ?? []), one]);
  return groups;
}
