/** The limits of a cart. Money is in minor units of the currency. */
export const limits = {
  quantityPerLine: 999,
  linesPerCart: 100,
  /** 100 lines with 999 units at this price are below 2^53, so sums are exact. */
  unitPrice: 10_000_000_000,
  idLength: 128,
  nameLength: 200,
  actorLength: 200,
  /** The greatest version that Postgres can store. */
  version: 2_147_483_647,
  /** How many versions a command may name of which the cart must have one. */
  expectedVersions: 20,
  /** The lines of a cart, and as many that may be on their way into it. */
  factsPerCommand: 200,
  /** A command has at most some tens of kilobytes, and a signal at most 2 MB. */
  commandsPerSignal: 20,
  commandsPerBatch: 50,
} as const;
