import type { Knex } from 'knex';
import { isKeptAs } from './fork';
import { chain, genesisHash } from './hash-chain';
import type { CartLog } from './project-whole';

/** What Postgres has of a cart where a history tells decisions of it. */
export type Standing = 'nothing' | 'the same' | 'something else';

/**
 * How Postgres stands to what the histories tell of these carts. One statement, however many carts and decisions.
 * `the same` is what `assertSame` would let pass, with a read model that is as far as the log.
 */
export async function readStandings(db: Knex, logs: readonly CartLog[]): Promise<Standing[]> {
  const told = logs.map(({ userId, decisions }, place) => {
    const events = decisions.flatMap((decision) => decision.events);
    return {
      place,
      user_id: userId,
      first: decisions[0]?.sequence,
      last: decisions.at(-1)?.sequence,
      first_version: events[0]?.version,
      last_version: events.at(-1)?.version,
    };
  });
  const { rows } = await db.raw(standingSql, { told: JSON.stringify(told) });
  return rows.map((row: StandingRow, place: number) => standingOf(row, logs[place]!));
}

interface StandingRow {
  readonly modelled: number | null;
  readonly logged: number | null;
  readonly commands: readonly { readonly id: string; readonly outcome: string }[] | null;
  readonly previous_hash: Buffer | null;
  readonly hashes: Buffer | null;
}

const standingSql = `
  select carts.sequence as modelled,
         (select max(sequence) from cart_commands c where c.user_id = told.user_id) as logged,
         (select json_agg(json_build_object('id', command_id, 'outcome', outcome) order by sequence) from cart_commands c
          where c.user_id = told.user_id and sequence between first and last) as commands,
         (select previous_hash from cart_events e where e.user_id = told.user_id and version = first_version)
           as previous_hash,
         (select string_agg(hash, '' order by version) from cart_events e
          where e.user_id = told.user_id and version between first_version and last_version) as hashes
  from json_to_recordset(:told) as told (place integer, user_id text, first integer, last integer,
                                         first_version integer, last_version integer)
  left join carts using (user_id) order by place`;

function standingOf(row: StandingRow, { userId, decisions }: CartLog): Standing {
  if (row.modelled === null && row.logged === null) return 'nothing';
  const { commands, hashes } = row;
  const isSame =
    row.modelled === row.logged &&
    commands?.length === decisions.length &&
    decisions.every(({ sequence, command, outcome }, index) => {
      const kept = commands[index]!;
      return kept.outcome === outcome && isKeptAs(kept.id, command.commandId, sequence);
    });
  if (!isSame) return 'something else';
  const events = decisions.flatMap((decision) => decision.events);
  const chained = chain(row.previous_hash ?? genesisHash, userId, events);
  const toldHashes = Buffer.concat(chained.map(({ hash }) => hash));
  return toldHashes.equals(hashes ?? Buffer.alloc(0)) ? 'the same' : 'something else';
}
