/** The limits of a cart, all in one place. Money is in minor units of the currency. */
export const limits = {
  quantityPerLine: 999,
  linesPerCart: 100,
  /** 100 lines of 999 at this price stay below 2^53, so no sum can lose precision. */
  unitPrice: 10_000_000_000,
  idLength: 128,
  nameLength: 200,
  actorLength: 200,
  /** Each is at most some tens of kilobytes, and Temporal takes 2 MB a signal. */
  commandsPerSignal: 20,
} as const;
