/**
 * A second implementation of a cart, with which tests compare the real one: a mutable map without events.
 * It reads prices from its own catalogue.
 */
export interface ModelProduct {
  readonly price: number;
  readonly currency: string;
}

export type ModelCommand =
  | { readonly kind: 'add'; readonly product: string; readonly quantity: number }
  | { readonly kind: 'change'; readonly product: string; readonly quantity: number }
  | { readonly kind: 'remove'; readonly product: string }
  | { readonly kind: 'clear' }
  | { readonly kind: 'note'; readonly note: string | null }
  | { readonly kind: 'checkout' };

export class ModelCart {
  /** Insertion order is the order of the lines. */
  readonly quantities = new Map<string, number>();
  note: string | null = null;
  version = 0;
  bought = 0;

  constructor(readonly catalogue: Readonly<Record<string, ModelProduct>>) {}

  /** Applies the command. @returns false where it must be rejected. */
  run(command: ModelCommand): boolean {
    switch (command.kind) {
      case 'add': {
        const currency = [...this.quantities.keys()].map((product) => this.catalogue[product]!.currency)[0];
        const total = (this.quantities.get(command.product) ?? 0) + command.quantity;
        if (total > 999) return false;
        if (!this.quantities.has(command.product) && this.quantities.size === 100) return false;
        if (currency !== undefined && currency !== this.catalogue[command.product]!.currency) return false;
        this.quantities.set(command.product, total);
        this.version += 1;
        return true;
      }
      case 'change': {
        const now = this.quantities.get(command.product);
        if (command.quantity === 0) return this.run({ kind: 'remove', product: command.product });
        if (now === undefined || command.quantity > 999) return false;
        if (now !== command.quantity) {
          this.quantities.set(command.product, command.quantity);
          this.version += 1;
        }
        return true;
      }
      case 'remove':
        if (this.quantities.delete(command.product)) this.version += 1;
        return true;
      case 'clear':
        if (this.quantities.size > 0) this.version += 1;
        this.quantities.clear();
        return true;
      case 'note':
        if (this.note !== command.note) this.version += 1;
        this.note = command.note;
        return true;
      case 'checkout':
        if (this.quantities.size === 0) return false;
        this.bought += this.subtotal;
        this.quantities.clear();
        this.note = null;
        this.version += 1;
        return true;
    }
  }

  get subtotal(): number {
    let sum = 0;
    for (const [product, quantity] of this.quantities) sum += quantity * this.catalogue[product]!.price;
    return sum;
  }

  get lines(): { productId: string; quantity: number; unitPrice: number }[] {
    return [...this.quantities].map(([productId, quantity]) => ({
      productId,
      quantity,
      unitPrice: this.catalogue[productId]!.price,
    }));
  }
}
