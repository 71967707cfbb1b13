import { Fold, lineIdOf } from './fold';
import { mergeIdOf } from './single-commands';
import type { Entry, FinalCart, MergeStrategy, Violation } from './types';

interface HandOver {
  readonly guest: string;
  readonly to: string;
  readonly strategy: MergeStrategy;
  readonly items: readonly MergedLine[];
  readonly note?: string;
}

interface MergedLine {
  readonly productId: string;
  readonly lineId?: string;
  readonly quantity: number;
}

/**
 * What a guest handed over is in the cart of that user exactly once, or is named as left out, and nothing else comes
 * from a guest. The check of single carts shows that it came once.
 */
export function* checkMerges(carts: readonly FinalCart[]): Generator<Violation> {
  const byName = new Map(carts.map((cart) => [cart.cart, cart]));
  const handOvers = new Map(carts.flatMap(handOversIn).map((handOver) => [handOver.guest, handOver]));
  for (const handOver of handOvers.values()) {
    const user = byName.get(handOver.to);
    if (user !== undefined) yield* checkMerge(handOver, user);
  }
  for (const { cart, entries } of carts) {
    for (const { type, data, commandId } of entries) {
      const from = type === 'CartMerged' ? data.from : data.mergedFrom;
      if (typeof from !== 'string' || handOvers.get(from)?.to === cart) continue;
      yield { kind: 'other-merge', cart, commandId, what: `${type} is from ${from}, who handed nothing over to it` };
    }
  }
}

const handOversIn = ({ cart, entries }: FinalCart): HandOver[] =>
  entries
    .filter(({ type }) => type === 'CartHandedOver')
    .map(({ data }) => ({ ...(data as unknown as Omit<HandOver, 'guest'>), guest: cart }));

function* checkMerge({ guest, strategy, items, note }: HandOver, user: FinalCart): Generator<Violation> {
  const commandId = mergeIdOf(guest);
  const violation = (kind: Violation['kind'], what: string) => ({ kind, cart: user.cart, commandId, what });
  if (user.outcomes[commandId]?.status !== 'applied') {
    yield violation('lost-merge', `what ${guest} handed over has not come to the cart`);
    return;
  }
  const merged = user.entries.filter((entry) => entry.commandId === commandId);
  const first = merged[0]?.version ?? Number.POSITIVE_INFINITY;
  const before = foldUntil(user.entries, first - 1);
  const after = foldUntil(user.entries, merged.at(-1)?.version ?? 0);
  const left = merged.find(({ type }) => type === 'CartMerged')?.data ?? {};
  if (merged.length > 0) {
    const leftOut = (left.leftOut ?? []) as readonly MergedLine[];
    for (const item of items) {
      const id = lineIdOf(item);
      const own = before.lines.get(id)?.quantity;
      const wanted = own === undefined ? item.quantity : wantedBy[strategy](own, item.quantity);
      const rest = leftOut.find((line) => lineIdOf(line) === id)?.quantity ?? 0;
      const now = after.lines.get(id)?.quantity ?? 0;
      if (now + rest === wanted) continue;
      yield violation('other-merge', `of ${id} there are ${now} and ${rest} left out; by ${strategy} it is ${wanted}`);
    }
    const theirs = new Set(items.map(lineIdOf));
    for (const [id, { quantity }] of before.lines) {
      const now = after.lines.get(id)?.quantity ?? 0;
      if (theirs.has(id) || now === quantity) continue;
      yield violation('other-merge', `of ${id}, which the guest had not, there are ${now}; before it were ${quantity}`);
    }
    const isTaken = note !== undefined && (before.note === null || strategy === 'replace');
    const [wantedNote, wantedRest] = isTaken
      ? [note, undefined]
      : [before.note, note === before.note ? undefined : note];
    if (after.note !== wantedNote || left.leftOutNote !== wantedRest) {
      yield violation(
        'other-merge',
        `the note is ${after.note} and ${left.leftOutNote} is left out; it was ${before.note}`,
      );
    }
  }
}

const wantedBy: Readonly<Record<MergeStrategy, (own: number, theirs: number) => number>> = {
  sum: (own, theirs) => own + theirs,
  max: (own, theirs) => Math.max(own, theirs),
  keep: (own) => own,
  replace: (_own, theirs) => theirs,
};

function foldUntil(entries: readonly Entry[], version: number): Fold {
  const fold = new Fold();
  for (const entry of entries) if (entry.version !== undefined && entry.version <= version) fold.add(entry);
  return fold;
}
