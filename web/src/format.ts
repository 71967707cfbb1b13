interface Format {
  readonly text: Intl.NumberFormat;
  /** How many minor units a unit has. */
  readonly minorUnits: number;
}

const formats = new Map<string, Format>();

function formatOf(currency: string): Format {
  const known = formats.get(currency);
  if (known !== undefined) return known;
  const text = new Intl.NumberFormat('en', { style: 'currency', currency, currencyDisplay: 'narrowSymbol' });
  const { maximumFractionDigits = 2 } = text.resolvedOptions();
  const made = { text, minorUnits: 10 ** maximumFractionDigits };
  formats.set(currency, made);
  return made;
}

/** An amount in minor units as people write it. */
export const money = (amount: number, currency: string | null): string =>
  currency === null ? '–' : formatOf(currency).text.format(inUnits(amount, currency));

/** An amount in minor units as a number of whole units, for plots. */
export const inUnits = (amount: number, currency: string | null): number =>
  currency === null ? 0 : amount / formatOf(currency).minorUnits;

const time = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'medium' });

/** An instant in the time zone of who reads it. */
export const instant = (text: string | null): string => (text === null ? '–' : time.format(new Date(text)));

export const plural = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;
