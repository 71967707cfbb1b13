import type { Knex } from 'knex';

/** A change that somebody made who may change everything. */
export interface Tampering {
  /** The change in words. */
  readonly what: string;
  /** The users whose rows it touched: the row may belong to another one now. */
  readonly userIds: readonly string[];
  undo(): Promise<void>;
}

interface Column {
  readonly table_name: string;
  readonly column_name: string;
  readonly udt_name: string;
  readonly is_nullable: 'YES' | 'NO';
}

/** The tables of the log and of the archive. */
export const logTables = ['cart_commands', 'cart_events', 'cart_users', 'cart_histories'];

/**
 * Opens a connection on which every change is allowed, as a superuser's.
 * @param random returns numbers from 0 up to 1.
 * @returns a function that changes a random column of a random row of a table of the log.
 */
export async function openTampering(db: Knex, random: () => number): Promise<() => Promise<Tampering>> {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  const { rows: columns } = await db.raw(
    `select table_name, column_name, udt_name, is_nullable from information_schema.columns
     where table_schema = 'public' and table_name = any(?) order by table_name, ordinal_position`,
    [logTables],
  );

  const change = async (): Promise<Tampering | undefined> => {
    const table = pick(logTables);
    const column: Column = pick(columns.filter(({ table_name }: Column) => table_name === table));
    const { column_name: name, udt_name: type } = column;
    const { rows } = await db.raw(`select ctid::text as place, user_id, ??::text as value from ?? order by ctid`, [
      name,
      table,
    ]);
    const row = pick(rows as { place: string; user_id: string; value: string | null }[]);
    const changed = column.is_nullable === 'YES' && random() < 0.1 ? null : other(type, row.value, random);
    if (changed === row.value) return undefined;
    const set = async (place: string, value: string | null): Promise<string> =>
      db.transaction(async (trx) => {
        await trx.raw("set local session_replication_role = 'replica'");
        const updated = await trx.raw(
          `update ?? set ?? = ?::text::${type} where ctid = ?::tid returning ctid::text as place, ??::text as value`,
          [table, name, value, place, name],
        );
        if (updated.rows[0].value === row.value && value !== row.value) throw new Error('It is the same value.');
        return updated.rows[0].place;
      });
    const place = await set(row.place, changed);
    return {
      what: `${table}.${name} of ${row.user_id}: ${row.value} became ${changed}`,
      userIds: name === 'user_id' ? [row.user_id, changed!] : [row.user_id],
      undo: async () => void (await set(place, row.value)),
    };
  };
  return async () => {
    for (;;) {
      // Postgres rejects some changes, for example of a key to one that exists.
      const tampering = await change().catch(() => undefined);
      if (tampering !== undefined) return tampering;
    }
  };
}

/** Another value of the type, as text. */
function other(type: string, value: string | null, random: () => number): string {
  const upTo = (bound: number) => Math.floor(random() * bound);
  switch (type) {
    case 'int2':
    case 'int4':
    case 'int8':
      return String(Number(value ?? 0) + (random() < 0.5 ? 1 : 2 + upTo(1_000)));
    case 'timestamptz': {
      const at = new Date(value ?? 0);
      return new Date(at.getTime() + 1 + upTo(random() < 0.5 ? 10 : 1e9)).toISOString();
    }
    case 'bytea': {
      if (value === null || value.length <= 2) return '\\x00';
      const bytes = Buffer.from(value.slice(2), 'hex');
      bytes[upTo(bytes.length)]! ^= 1 << upTo(8);
      return `\\x${bytes.toString('hex')}`;
    }
    case 'jsonb':
      return JSON.stringify(otherJson(JSON.parse(value ?? 'null'), random));
    default:
      return otherText(value ?? '', random);
  }
}

function otherText(text: string, random: () => number): string {
  const at = Math.floor(random() * (text.length + 1));
  return random() < 0.5 ? `${text.slice(0, at)}x${text.slice(at)}` : text.length > 0 ? text.slice(1) : 'x';
}

/** Changes one leaf, or adds or removes a field. */
function otherJson(value: unknown, random: () => number): unknown {
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'string') return otherText(value, random);
  if (typeof value !== 'object' || value === null) return 0;
  const keys = Object.keys(value);
  if (keys.length === 0 || random() < 0.1) return Array.isArray(value) ? [...value, 0] : { ...value, added: 0 };
  const key = keys[Math.floor(random() * keys.length)]!;
  const changed = otherJson((value as Record<string, unknown>)[key], random);
  return Array.isArray(value)
    ? value.map((each, index) => (String(index) === key ? changed : each))
    : { ...value, [key]: changed };
}
