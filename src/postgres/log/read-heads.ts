import type { Knex } from 'knex';

/** The place and the hash of the last entry of a chain. */
export interface Head {
  readonly sequence: number;
  readonly hash: Buffer;
}

/** The heads of the two chains of a user. */
export interface UserHeads {
  readonly userId: string;
  readonly salt: Buffer;
  readonly decisions?: Head;
  readonly archive?: Head;
}

const usersPerPage = 1_000;

/** Reads the heads of all users, in pages. */
export async function* readHeads(db: Knex): AsyncGenerator<readonly UserHeads[]> {
  let after = '';
  for (;;) {
    const { rows } = await db.raw(headsOfPage, { after, limit: usersPerPage });
    if (rows.length === 0) return;
    yield rows.map(toUserHeads);
    after = rows.at(-1).user_id;
  }
}

/**
 * Reads the hashes that the chains of users have now at the places of earlier heads.
 * @returns in the order of `places`; a hash is null where nothing is at the place.
 */
export async function readHashesAt(
  db: Knex,
  places: readonly { readonly userId: string; readonly decisions: number; readonly archive: number }[],
): Promise<{ readonly decisions: Buffer | null; readonly archive: Buffer | null }[]> {
  const { rows } = await db.raw(hashesAt, [JSON.stringify(places.map((each, place) => ({ place, ...each })))]);
  return rows;
}

interface HeadsRow {
  readonly user_id: string;
  readonly salt: Buffer;
  readonly sequence: number | null;
  readonly hash: Buffer | null;
  readonly archive_sequence: number | null;
  readonly archive_hash: Buffer | null;
}

const toUserHeads = (row: HeadsRow): UserHeads => ({
  userId: row.user_id,
  salt: row.salt,
  ...(row.hash === null ? {} : { decisions: { sequence: row.sequence!, hash: row.hash } }),
  ...(row.archive_hash === null ? {} : { archive: { sequence: row.archive_sequence!, hash: row.archive_hash } }),
});

// The last decisions of a cart can be without a hash while workers of an older version run.
const headsOfPage = `
  select u.user_id, u.salt, last.sequence, last.hash, archived.archive_sequence, archived.hash as archive_hash
  from cart_users u
  left join lateral (
    select sequence, hash from cart_commands c where c.user_id = u.user_id and hash is not null
    order by sequence desc limit 1
  ) as last on true
  left join lateral (
    select archive_sequence, hash from cart_histories h where h.user_id = u.user_id and hash is not null
    order by archive_sequence desc limit 1
  ) as archived on true
  where u.user_id > :after order by u.user_id limit :limit`;

const hashesAt = `
  select (select hash from cart_commands c where c.user_id = asked."userId" and sequence = decisions) as decisions,
         (select hash from cart_histories h where h.user_id = asked."userId" and archive_sequence = archive) as archive
  from jsonb_to_recordset(?::jsonb) as asked (place integer, "userId" text, decisions integer, archive integer)
  order by place`;
