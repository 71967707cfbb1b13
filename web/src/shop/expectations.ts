import type { Cart, Product } from '../../../client/src/index.ts';

/** How a cart is expected to look after a command, before the outcome is known. The rules decide what happens. */

export const withProduct =
  ({ productId, name, unitPrice, currency }: Product, attributes?: Record<string, string>) =>
  (cart: Cart): Cart => {
    const isSame = (item: Cart['items'][number]) =>
      item.productId === productId && JSON.stringify(item.attributes) === JSON.stringify(attributes);
    if (cart.items.some(isSame)) {
      return {
        ...cart,
        items: cart.items.map((item) => (isSame(item) ? { ...item, quantity: item.quantity + 1 } : item)),
      };
    }
    const line = {
      ...{ lineId: `expected ${productId} ${JSON.stringify(attributes)}`, productId, name, quantity: 1, unitPrice },
      ...{
        lineTotal: unitPrice,
        addedAt: new Date().toISOString(),
        ...(attributes === undefined ? {} : { attributes }),
      },
    };
    return { ...cart, currency: cart.currency ?? currency, items: [...cart.items, line] };
  };

export const withQuantity =
  (lineId: string, quantity: number) =>
  (cart: Cart): Cart => ({
    ...cart,
    items: cart.items.flatMap((item) => {
      if (item.lineId !== lineId) return [item];
      return quantity === 0 ? [] : [{ ...item, quantity }];
    }),
  });

export const withNote =
  (note: string | null) =>
  (cart: Cart): Cart => ({ ...cart, note });

export const withoutLines = (cart: Cart): Cart => ({ ...cart, items: [] });

export const sold = (cart: Cart): Cart => ({ ...cart, items: [], note: null });
