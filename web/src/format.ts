const digits = new Map<string, number>();

/** How many digits of an amount in minor units are behind the point. */
function minorDigits(currency: string): number {
  const known = digits.get(currency);
  if (known !== undefined) return known;
  const { maximumFractionDigits = 2 } = format(currency).resolvedOptions();
  digits.set(currency, maximumFractionDigits);
  return maximumFractionDigits;
}

const formats = new Map<string, Intl.NumberFormat>();

function format(currency: string): Intl.NumberFormat {
  const known = formats.get(currency);
  if (known !== undefined) return known;
  const made = new Intl.NumberFormat('en', { style: 'currency', currency, currencyDisplay: 'narrowSymbol' });
  formats.set(currency, made);
  return made;
}

/** An amount in minor units as people write it. */
export const money = (amount: number, currency: string | null): string =>
  currency === null ? '–' : format(currency).format(amount / 10 ** minorDigits(currency));

/** An amount in minor units as a number of whole units, for plots. */
export const inUnits = (amount: number, currency: string | null): number =>
  currency === null ? 0 : amount / 10 ** minorDigits(currency);

const time = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'medium' });

/** An instant in the time zone of who reads it. */
export const instant = (text: string | null): string => (text === null ? '–' : time.format(new Date(text)));

export const plural = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;
