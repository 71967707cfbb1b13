import type { CartView, Entry } from './types';

interface Line {
  readonly productId: string;
  readonly lineId?: string;
  readonly attributes?: object;
  readonly name: string;
  unitPrice: number;
  quantity: number;
  readonly addedAt: string;
  readonly addedVersion: number;
}

/** The id of a line: that of its product where an event, a request or an answer names no other one. */
export const lineIdOf = ({ lineId, productId }: { readonly lineId?: unknown; readonly productId?: unknown }): string =>
  (lineId ?? productId) as string;

/** A cart that is folded from its events in another way than the product does it: in place, by line. */
export class Fold {
  version = 0;
  currency: string | null = null;
  note: string | null = null;
  isHandedOver = false;
  updatedAt: string | null = null;
  lines = new Map<string, Line>();
  /** The ids that lines had so far, by what must give the same id. */
  private readonly ids = new Map<string, string>();

  /** @returns what the event says of the cart before it that is not so; undefined where nothing is wrong. */
  add(event: Entry): string | undefined {
    const problem = this.contradiction(event) ?? this.wrongId(event) ?? this.wrongNote(event);
    this.version = event.version!;
    this.updatedAt = event.occurredAt;
    this.change(event);
    if (this.lines.size === 0) this.currency = null;
    return problem;
  }

  private contradiction({ type, data }: Entry): string | undefined {
    const before = this.lines.get(lineIdOf(data));
    if ('previousQuantity' in data) {
      const quantity = before?.quantity ?? 0;
      if (data.previousQuantity === quantity) return undefined;
      return `${type} has previousQuantity ${data.previousQuantity}, but there were ${quantity}`;
    }
    if ('previousUnitPrice' in data) {
      if (data.previousUnitPrice === before?.unitPrice) return undefined;
      return `${type} has previousUnitPrice ${data.previousUnitPrice}, but it was ${before?.unitPrice}`;
    }
    if (type === 'NoteChanged' || type === 'CartMerged') return undefined;
    const listed = type === 'CartRestored' ? data.previousItems : data.items;
    if (!Array.isArray(listed)) return `${type} lists no items`;
    const [said, held] = [content(listed as Line[]), content(this.ordered())];
    return said === held ? undefined : `${type} lists ${said}, but the cart held ${held}`;
  }

  /** One product with the same attributes is one line; with others, or with none, it is another one. */
  private wrongId({ type, data }: Entry): string | undefined {
    if (type !== 'ItemAdded') return undefined;
    const identity = `${data.productId} ${JSON.stringify(data.attributes)}`;
    for (const [key, value] of [
      [`line of ${identity}`, lineIdOf(data)],
      [`identity of ${lineIdOf(data)}`, identity],
    ] as const) {
      const earlier = this.ids.get(key) ?? value;
      if (earlier !== value) return `${type} has the ${key}: ${value}, but it was ${earlier}`;
      this.ids.set(key, value);
    }
    return undefined;
  }

  private wrongNote({ type, data }: Entry): string | undefined {
    const isTaken = type === 'CartCheckedOut' || type === 'CartHandedOver';
    const said = isTaken ? (data.note ?? null) : 'note' in data ? data.previousNote : this.note;
    return said === this.note ? undefined : `${type} says that the note was ${said}, but it was ${this.note}`;
  }

  private change({ type, data, version, occurredAt }: Entry): void {
    const lineId = lineIdOf(data);
    const line = this.lines.get(lineId);
    if ('note' in data) this.note = data.note as string | null;
    switch (type) {
      case 'ItemAdded':
        this.currency = data.currency as string;
        if (line) line.quantity = data.quantity as number;
        else {
          const { currency: _currency, previousQuantity: _previous, mergedFrom: _merged, ...added } = data;
          this.lines.set(lineId, { ...(added as unknown as Line), addedAt: occurredAt, addedVersion: version! });
        }
        return;
      case 'ItemQuantityChanged':
        if (line) line.quantity = data.quantity as number;
        return;
      case 'ItemRepriced':
        if (line) line.unitPrice = data.unitPrice as number;
        return;
      case 'ItemRemoved':
        this.lines.delete(lineId);
        return;
      case 'CartHandedOver':
        this.isHandedOver = true;
        this.empty();
        return;
      case 'CartCheckedOut':
        this.empty();
        return;
      case 'CartCleared':
        this.lines.clear();
        return;
      case 'CartRestored':
        this.currency = data.currency as string | null;
        this.lines = new Map((data.items as Line[]).map((item) => [lineIdOf(item), { ...item }]));
    }
  }

  private empty(): void {
    this.lines.clear();
    this.note = null;
  }

  private ordered(): Line[] {
    return [...this.lines.values()].sort((line, other) => line.addedVersion - other.addedVersion);
  }

  /** What is in the cart, with the places of the lines, and its note, as text. */
  get content(): string {
    return `${content(this.ordered())} ${JSON.stringify(this.note)}`;
  }

  /** The cart as text, equal for equal carts; see `textOf`. */
  get text(): string {
    const items = this.ordered().map((line) => ({
      ...line,
      lineId: lineIdOf(line),
      lineTotal: line.quantity * line.unitPrice,
    }));
    return textOf({
      version: this.version,
      status: this.isHandedOver ? 'merged' : items.length === 0 ? 'empty' : 'open',
      currency: this.currency,
      note: this.note,
      itemCount: items.reduce((sum, { quantity }) => sum + quantity, 0),
      subtotal: items.reduce((sum, { lineTotal }) => sum + lineTotal, 0),
      updatedAt: this.updatedAt,
      items,
    });
  }
}

/** A cart as the API shows it, as text that is equal for equal carts. */
export function textOf({ version, status, currency, note, itemCount, subtotal, updatedAt, items }: CartView): string {
  const lines = items.map((item) => `${describeLine(item)} ${item.lineTotal} ${item.addedAt}`);
  const totals = `${currency} ${itemCount} ${subtotal} ${updatedAt}`;
  return `v${version} ${status} ${totals} ${JSON.stringify(note)} [${lines.join(', ')}]`;
}

const content = (items: readonly Line[]): string => items.map(describeLine).join(', ');

const describeLine = (line: Pick<Line, 'productId' | 'lineId' | 'attributes' | 'name' | 'quantity' | 'unitPrice'>) =>
  [lineIdOf(line), JSON.stringify(line.attributes), line.name, line.quantity, line.unitPrice].join(' ');
