/** A sum: a number where a number holds it exactly, else its digits. */
export type Sum = number | string;

/** Reads a whole number that Postgres gave as text. Beyond 2^53 it stays text, as JSON's readers would round it silently. */
export function toExactSum(digits: string): Sum {
  const number = Number(digits);
  return Number.isSafeInteger(number) ? number : digits;
}
