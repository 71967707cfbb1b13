import type { Knex } from 'knex';
import type { RecordedDecision } from '../domain/handle';
import { compareLog } from '../postgres/log/compare-log';
import { genesisHash, hashEvent } from '../postgres/log/hash-chain';
import { readLogs, type StoredLog } from '../postgres/log/read-logs';
import { isRecordedAs } from '../postgres/log/rows';
import { buildReadModel } from '../postgres/read-model/build';
import { readStoredModel, type StoredReadModel, toStoredModel } from '../postgres/read-model/stored';
import { readModelTables } from '../postgres/read-model/tables';

/** Something that is wrong with a cart, with its place. */
export interface Finding {
  readonly userId: string;
  readonly where: 'commands' | 'events' | 'hash chain' | 'read model' | 'histories';
  readonly version?: number;
  readonly sequence?: number;
  readonly what: string;
}

/** The result of verifying one cart. */
export interface Verification {
  readonly userId: string;
  readonly decisions: number;
  readonly events: number;
  /** How many decisions are in Temporal's histories or the archive. The others were deleted and never archived. */
  readonly inHistories: number;
  readonly findings: readonly Finding[];
}

/**
 * Compares all data of one cart: Temporal's histories = log in Postgres = hash chain = fold of the events = read model.
 * @param decisions the decisions of the cart that are in histories, in order.
 */
export async function verifyCart(
  db: Knex,
  userId: string,
  decisions: readonly RecordedDecision[],
): Promise<Verification> {
  const { log, stored } = await db.transaction(
    async (trx) => ({ log: (await readLogs(trx, [userId]))[0]!, stored: await readStoredModel(trx, userId) }),
    { isolationLevel: 'repeatable read', readOnly: true },
  );
  const findings = [
    ...checkSequences(log),
    ...checkEvents(log),
    ...checkChain(log),
    ...checkHistories(log, decisions),
    ...(await checkReadModel(db, log, stored)),
  ];
  return {
    userId,
    decisions: log.commands.length,
    events: log.events.length,
    inHistories: decisions.length,
    findings: findings.map((finding) => ({ userId, ...finding })),
  };
}

type FindingOfCart = Omit<Finding, 'userId'>;

function checkSequences({ commands }: StoredLog): FindingOfCart[] {
  const wrong = commands.find(({ sequence }, index) => sequence !== index + 1);
  if (wrong === undefined) return [];
  const place = commands.indexOf(wrong) + 1;
  return [
    { where: 'commands', sequence: place, what: `decision ${place} is missing; ${wrong.sequence} is in its place` },
  ];
}

function checkEvents({ commands, events }: StoredLog): FindingOfCart[] {
  const bySequence = new Map(commands.map((command) => [command.sequence, command]));
  const findings: FindingOfCart[] = [];
  const gap = events.findIndex(({ event }, index) => event.version !== index + 1);
  if (gap !== -1) {
    const what = `the event of version ${gap + 1} is missing; version ${events[gap]!.event.version} is in its place`;
    findings.push({ where: 'events', version: gap + 1, what });
  }
  events.forEach(({ event, sequence }, index) => {
    const { version } = event;
    const command = bySequence.get(sequence);
    if (command === undefined || !isRecordedAs(command.commandId, event.commandId, sequence)) {
      findings.push({ where: 'events', version, what: `its command ${event.commandId} is not decision ${sequence}` });
    } else if (command.outcome !== 'applied') {
      findings.push({
        where: 'events',
        version,
        what: `its command ${event.commandId} is on record as ${command.outcome}`,
      });
    }
    if (index > 0 && sequence < events[index - 1]!.sequence) {
      findings.push({ where: 'events', version, what: 'it comes before an event of an earlier decision' });
    }
  });
  return findings;
}

function checkChain({ userId, events }: StoredLog): FindingOfCart[] {
  const findings: FindingOfCart[] = [];
  let expected: Buffer = genesisHash;
  for (const { event, previousHash, hash } of events) {
    const { version } = event;
    if (!previousHash.equals(expected)) {
      findings.push({ where: 'hash chain', version, what: 'its previous hash is not the hash of the previous event' });
    }
    if (!hashEvent(previousHash, userId, event).equals(hash)) {
      findings.push({ where: 'hash chain', version, what: 'its hash does not match its content' });
    }
    expected = hash;
  }
  return findings;
}

function checkHistories(
  { userId, commands, events }: StoredLog,
  decisions: readonly RecordedDecision[],
): FindingOfCart[] {
  const stored = {
    userId,
    commands: new Map(commands.map((command) => [command.sequence, command])),
    // Hashes of the current content of the rows. `checkChain` compares them with the stored hashes.
    events: new Map(
      events.map(({ event, previousHash }) => [
        event.version,
        { previousHash, hash: hashEvent(previousHash, userId, event) },
      ]),
    ),
  };
  return [...compareLog(stored, decisions)].map(({ place, what }) => ({ where: 'histories', ...place, what }));
}

async function checkReadModel(db: Knex, log: StoredLog, stored: StoredReadModel): Promise<FindingOfCart[]> {
  if (log.commands.length === 0 && stored.carts === null) return [];
  let expected: StoredReadModel;
  try {
    expected = await toStoredModel(db, buildReadModel(log));
  } catch (error) {
    return [{ where: 'events', what: `folding them failed: ${(error as Error).message}` }];
  }
  return readModelTables
    .filter((table) => JSON.stringify(expected[table]) !== JSON.stringify(stored[table]))
    .map((table) => ({
      where: 'read model',
      what: `${table} differs from what the log folds to: run ops rebuild --from log --user`,
    }));
}
