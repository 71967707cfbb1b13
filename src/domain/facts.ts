import { type IncomingCommand, isMalformed, isSuperseded } from './commands';
import type { Line } from './events';
import { limits } from './limits';
import { quantityOf } from './lines';

/**
 * What the catalogue said of a product when a command was accepted. It is a part of the command, so that the log
 * explains each decision for good. A product that the catalogue does not have is not available either.
 */
export type ProductFacts =
  | { readonly productId: string; readonly available: false }
  | {
      readonly productId: string;
      readonly available: true;
      readonly unitPrice: number;
      readonly currency: string;
      readonly maxQuantity?: number;
    };

/**
 * Takes what a command does not know for not looked up. For commands of which it is certain that they were not sent
 * before commands carried facts.
 */
export function withFacts(command: IncomingCommand): IncomingCommand {
  if (isMalformed(command) || isSuperseded(command)) return command;
  if (command.type !== 'checkOut' && command.type !== 'changeItemQuantity') return command;
  return { ...command, facts: command.facts ?? [] };
}

/** What has changed about a line since it was added: a warning, and a reason not to sell it as it is. */
export type LineChange =
  | { readonly code: 'product_unavailable' }
  | { readonly code: 'currency_changed'; readonly currency: string; readonly unitPrice: number }
  | { readonly code: 'price_changed'; readonly unitPrice: number }
  | { readonly code: 'quantity_limit_exceeded'; readonly maxQuantity: number };

/** How the facts differ from a line of a cart in this currency. The limit counts all lines of the product. */
export function changesOf(line: Line, currency: string, facts: ProductFacts, lines: readonly Line[]): LineChange[] {
  if (!facts.available) return [{ code: 'product_unavailable' }];
  const changes: LineChange[] = [];
  const { unitPrice } = facts;
  if (facts.currency !== currency) changes.push({ code: 'currency_changed', currency: facts.currency, unitPrice });
  else if (unitPrice !== line.unitPrice) changes.push({ code: 'price_changed', unitPrice });
  const maxQuantity = quantityLimit(facts);
  if (quantityOf(lines, line.productId) > maxQuantity) changes.push({ code: 'quantity_limit_exceeded', maxQuantity });
  return changes;
}

/** How many of a product a cart can hold. */
export const quantityLimit = ({ maxQuantity = limits.quantityPerProduct }: { readonly maxQuantity?: number }): number =>
  Math.min(maxQuantity, limits.quantityPerProduct);
