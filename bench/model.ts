/** A command of the model's cart. */
export type ModelCommand =
  | { readonly kind: 'add'; readonly productId: string; readonly quantity: number }
  | { readonly kind: 'change'; readonly productId: string; readonly quantity: number }
  | { readonly kind: 'remove'; readonly productId: string };

/** What a line of the model's cart holds. */
export interface ModelLine {
  readonly productId: string;
  readonly quantity: number;
}

const quantityLimit = 999;

/** A second, independent implementation of a cart, to compare the real one with: a mutable map and no events. */
export class ModelCart {
  /** Its insertion order is the order of the lines. */
  readonly #quantities = new Map<string, number>();

  /** Carries out a command. @returns whether it changed the cart. */
  run(command: ModelCommand): boolean {
    const { productId } = command;
    if (command.kind === 'remove') return this.#quantities.delete(productId);
    const before = this.#quantities.get(productId);
    if (command.kind === 'change' && before === undefined) return false;
    const after = command.kind === 'add' ? (before ?? 0) + command.quantity : command.quantity;
    if (after > quantityLimit || after === before) return false;
    this.#quantities.set(productId, after);
    return true;
  }

  get lines(): ModelLine[] {
    return [...this.#quantities].map(([productId, quantity]) => ({ productId, quantity }));
  }
}
