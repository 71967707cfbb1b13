/** A command's place among commands that a client sent as one batch. They are decided and projected together. */
export interface BatchPlace {
  /** The client's key: the n-th command has the id `<key>:<n>`. */
  readonly id: string;
  /** From 1 on. */
  readonly place: number;
  readonly size: number;
  /** Whether all of its commands are applied, or none. */
  readonly atomic: boolean;
}

/** The id of the n-th command of a batch, from 1 on. */
export const batchCommandId = (id: string, place: number): string => `${id}:${place}`;

/** Whether the second place directly follows the first one. */
export const isNextInBatch = (place: BatchPlace | undefined, next: BatchPlace | undefined): boolean =>
  place !== undefined && place.id === next?.id && place.place + 1 === next.place;

/**
 * How many of the first entries of a list can be taken so that no batch is cut through: `count` or fewer, but at least
 * the first batch.
 * @param placeAt gives the place of an entry in its batch.
 */
export function withoutCut(length: number, count: number, placeAt: (index: number) => BatchPlace | undefined): number {
  const isCut = (end: number) => end < length && isNextInBatch(placeAt(end - 1), placeAt(end));
  let end = count;
  while (end > 0 && isCut(end)) end -= 1;
  if (end > 0) return end;
  end = count;
  while (isCut(end)) end += 1;
  return end;
}
