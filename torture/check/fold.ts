import type { CartView, Entry } from './types';

interface Line {
  readonly productId: string;
  readonly name: string;
  unitPrice: number;
  quantity: number;
  readonly addedAt: string;
  readonly addedVersion: number;
}

/** A cart that is folded from its events in another way than the product does it: in place, by product. */
export class Fold {
  version = 0;
  currency: string | null = null;
  updatedAt: string | null = null;
  lines = new Map<string, Line>();

  /** @returns what the event says of the cart before it that is not so; undefined where nothing is wrong. */
  add(event: Entry): string | undefined {
    const problem = this.contradiction(event);
    this.version = event.version!;
    this.updatedAt = event.occurredAt;
    this.change(event);
    if (this.lines.size === 0) this.currency = null;
    return problem;
  }

  private contradiction({ type, data }: Entry): string | undefined {
    if ('previousQuantity' in data) {
      const before = this.lines.get(data.productId as string)?.quantity ?? 0;
      if (data.previousQuantity === before) return undefined;
      return `${type} has previousQuantity ${data.previousQuantity}, but there were ${before}`;
    }
    if ('previousUnitPrice' in data) {
      const before = this.lines.get(data.productId as string)?.unitPrice;
      if (data.previousUnitPrice === before) return undefined;
      return `${type} has previousUnitPrice ${data.previousUnitPrice}, but it was ${before}`;
    }
    const listed = type === 'CartRestored' ? data.previousItems : data.items;
    if (!Array.isArray(listed)) return `${type} lists no items`;
    const [said, held] = [content(listed as Line[]), content(this.ordered())];
    return said === held ? undefined : `${type} lists ${said}, but the cart held ${held}`;
  }

  private change({ type, data, version, occurredAt }: Entry): void {
    const productId = data.productId as string;
    const line = this.lines.get(productId);
    switch (type) {
      case 'ItemAdded':
        this.currency = data.currency as string;
        if (line) line.quantity = data.quantity as number;
        else {
          const { name, unitPrice, quantity } = data as unknown as Line;
          this.lines.set(productId, {
            productId,
            name,
            unitPrice,
            quantity,
            addedAt: occurredAt,
            addedVersion: version!,
          });
        }
        return;
      case 'ItemQuantityChanged':
        if (line) line.quantity = data.quantity as number;
        return;
      case 'ItemRepriced':
        if (line) line.unitPrice = data.unitPrice as number;
        return;
      case 'ItemRemoved':
        this.lines.delete(productId);
        return;
      case 'CartCleared':
      case 'CartCheckedOut':
        this.lines.clear();
        return;
      case 'CartRestored':
        this.currency = data.currency as string | null;
        this.lines = new Map((data.items as Line[]).map((item) => [item.productId, { ...item }]));
    }
  }

  private ordered(): Line[] {
    return [...this.lines.values()].sort((line, other) => line.addedVersion - other.addedVersion);
  }

  /** What is in the cart, with the places of the lines, as text. */
  get content(): string {
    return content(this.ordered());
  }

  /** The cart as text, equal for equal carts; see `textOf`. */
  get text(): string {
    const items = this.ordered().map((line) => ({ ...line, lineTotal: line.quantity * line.unitPrice }));
    return textOf({
      version: this.version,
      status: items.length === 0 ? 'empty' : 'open',
      currency: this.currency,
      itemCount: items.reduce((sum, { quantity }) => sum + quantity, 0),
      subtotal: items.reduce((sum, { lineTotal }) => sum + lineTotal, 0),
      updatedAt: this.updatedAt,
      items,
    });
  }
}

/** A cart as the API shows it, as text that is equal for equal carts. */
export function textOf({ version, status, currency, itemCount, subtotal, updatedAt, items }: CartView): string {
  const lines = items.map(({ productId, name, quantity, unitPrice, lineTotal, addedAt }) =>
    [productId, name, quantity, unitPrice, lineTotal, addedAt].join(' '),
  );
  return `v${version} ${status} ${currency} ${itemCount} ${subtotal} ${updatedAt} [${lines.join(', ')}]`;
}

/** Products with their names, prices and quantities, as text. */
export const content = (items: readonly Pick<Line, 'productId' | 'name' | 'quantity' | 'unitPrice'>[]): string =>
  items.map(({ productId, name, quantity, unitPrice }) => [productId, name, quantity, unitPrice].join(' ')).join(', ');
