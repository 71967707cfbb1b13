import { setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { cartItemCountKey, cartStatusKey, cartUserIdKey } from '../src/contract/search-attributes';
import type { RecordedDecision } from '../src/domain/handle';
import type { Attributes } from '../src/domain/lines';
import { type Cart, itemCountOf, statusOf, subtotalOf } from '../src/domain/state';

/** Shows the cart in the Web UI: a table in the run's current details, and search attributes for finding the cart. */
export function present(userId: string, cart: Cart, unprojectedCount: number): void {
  setCurrentDetails(describeCart(userId, cart, unprojectedCount));
  const status = statusOf(cart);
  const itemCount = itemCountOf(cart.items);
  const current = workflowInfo().typedSearchAttributes;
  const isCurrent =
    current.get(cartStatusKey) === status && isWithinFactorOfFour(itemCount, current.get(cartItemCountKey));
  if (isCurrent) return;
  upsertSearchAttributes([
    { key: cartUserIdKey, value: userId },
    { key: cartStatusKey, value: status },
    { key: cartItemCountKey, value: itemCount },
  ]);
}

/**
 * The item count is only updated when it is wrong by a factor of four or more: each update adds an event and a billed
 * action, and costs Temporal more than a command does.
 */
const isWithinFactorOfFour = (count: number, current = Number.NaN): boolean =>
  count === current || (count < 4 * current && current < 4 * count);

function describeCart(userId: string, cart: Cart, unprojectedCount: number): string {
  const subtotal = `${subtotalOf(cart.items)} ${cart.currency ?? ''}`;
  const lines = cart.items.map(
    ({ productId, name, quantity, unitPrice, attributes }) =>
      `| ${escapeCell(productId)} | ${escapeCell(describeProduct(name, attributes))} | ${quantity} | ${unitPrice} | ${quantity * unitPrice} |`,
  );
  return [
    `**${escapeCell(userId)}** · version ${cart.version} · ${itemCountOf(cart.items)} items · ${subtotal}`,
    ...(unprojectedCount > 0 ? [`${unprojectedCount} decisions wait for their projection`] : []),
    ...(cart.note === undefined ? [] : ['', `Note: ${escapeCell(cart.note.replaceAll('\n', ' ↵ '))}`]),
    '',
    ...(lines.length > 0
      ? ['| product | name | quantity | unit price | total |', '|---|---|--:|--:|--:|', ...lines]
      : []),
  ].join('\n');
}

const describeProduct = (name: string, attributes: Attributes = {}): string =>
  [name, ...Object.entries(attributes).map(([attribute, value]) => `${attribute}: ${value}`)].join(' · ');

const escapeCell = (text: string): string => text.replace(/[|\\`*_<[]/g, '\\$&');

/** Summarises a batch of decisions in one line of at most 200 characters: `v3–v5: ItemAdded ×2, CartCleared`. */
export function summarise(decisions: readonly RecordedDecision[]): string {
  const events = decisions.flatMap((decision) => decision.events);
  const counts = new Map<string, number>();
  for (const name of decisions.flatMap(namesOf)) counts.set(name, (counts.get(name) ?? 0) + 1);
  const parts = [...counts].map(([name, count]) => (count === 1 ? name : `${name} ×${count}`));
  const first = events.at(0)?.version;
  const last = events.at(-1)?.version;
  const versions = first === undefined ? '' : first === last ? `v${first}: ` : `v${first}–v${last}: `;
  return `${versions}${parts.join(', ')}`.slice(0, 200);
}

function namesOf(decision: RecordedDecision): readonly string[] {
  if (decision.outcome === 'rejected') return [`rejected ${decision.code}`];
  return decision.events.length > 0 ? decision.events.map((event) => event.type) : ['no change'];
}
