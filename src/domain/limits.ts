/** The limits of a cart. Money is in minor units of the currency. */
export const limits = {
  quantityPerProduct: 999,
  linesPerCart: 100,
  /** 100 lines with 999 units at this price are below 2^53, so sums are exact. */
  unitPrice: 10_000_000_000,
  idLength: 128,
  nameLength: 200,
  attributesPerLine: 10,
  attributeNameLength: 40,
  /** All attributes of a line together, in characters of their JSON. */
  attributesLength: 300,
  /** Of the hash in the id of a line, and the character before it. */
  attributesHashLength: 16,
  noteLength: 500,
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
