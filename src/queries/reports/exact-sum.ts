/** A sum: a number if that is exact, else its digits as text. */
export type Sum = number | string;

/** Reads a whole number that Postgres returned as text. Above 2^53 it stays text, as JSON parsers would round it. */
export function toExactSum(digits: string): Sum {
  const number = Number(digits);
  return Number.isSafeInteger(number) ? number : digits;
}
