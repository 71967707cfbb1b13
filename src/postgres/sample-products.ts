import type { Product } from './catalogue';

/** The catalogue after the first `npm start`. */
export const sampleProducts: readonly Product[] = [
  { productId: 'espresso', name: 'Espresso beans, 1 kg', unitPrice: 1_890, currency: 'EUR', available: true },
  { productId: 'filter', name: 'Paper filters, 100', unitPrice: 349, currency: 'EUR', available: true },
  { productId: 'grinder', name: 'Hand grinder', unitPrice: 5_900, currency: 'EUR', maxQuantity: 5, available: true },
  { productId: 'kettle', name: 'Gooseneck kettle', unitPrice: 4_450, currency: 'EUR', available: true },
  { productId: 'mug', name: 'Stoneware mug', unitPrice: 1_250, currency: 'EUR', available: true },
];
