import type { Knex } from 'knex';
import { readArchiveChain } from '../postgres/archive-chain';
import { readChainedLog, type StoredLog } from '../postgres/log/read-logs';
import { isRecordedAs } from '../postgres/log/rows';
import { checkArchive, checkChain } from '../postgres/log/verify-chain';
import { buildReadModel } from '../postgres/read-model/build';
import { readStoredModel, type StoredReadModel, toStoredModel } from '../postgres/read-model/stored';
import { readModelTables } from '../postgres/read-model/tables';
import type { HistoryRecord } from '../temporal/histories/read-decisions';
import { findUnfinished } from './unfinished-tasks';
import { checkHistories, placeOf } from './verify-histories';

/** Something that is wrong with a cart, with its place. */
export interface Finding {
  readonly userId: string;
  readonly where: 'commands' | 'events' | 'hash chain' | 'archive' | 'read model' | 'histories' | 'heads';
  readonly version?: number;
  readonly sequence?: number;
  readonly what: string;
}

/** The result of verifying one cart. */
export interface Verification {
  readonly userId: string;
  readonly decisions: number;
  readonly events: number;
  /**
   * How many decisions, or the commands that led to them, are in Temporal's histories or the archive. The others were
   * deleted and never archived.
   */
  readonly inHistories: number;
  readonly findings: readonly Finding[];
}

/**
 * Compares all that is known of a cart: Temporal's histories, the log in Postgres, its hash chain, its fold, the read
 * model.
 */
export async function verifyCart(db: Knex, userId: string, histories: HistoryRecord): Promise<Verification> {
  const { log, salt, decisions, stored, archived } = await db.transaction(
    async (trx) => ({
      ...(await readChainedLog(trx, userId)),
      stored: await readStoredModel(trx, userId),
      archived: await readArchiveChain(trx, userId),
    }),
    { isolationLevel: 'repeatable read', readOnly: true },
  );
  const recorded = decisions.map(({ decision }) => decision);
  const unfinished = await findUnfinished(recorded, histories);
  const findings = [
    ...checkSequences(log),
    ...checkEvents(log),
    ...checkChain(log, salt, decisions),
    ...checkArchive(userId, salt, archived),
    ...checkHistories(recorded, histories, (decision) => unfinished.has(placeOf(decision))),
    ...(await checkReadModel(db, log, stored)),
  ];
  const placesInHistories = new Set([...histories.projected, ...histories.others].map(placeOf));
  return {
    userId,
    decisions: log.commands.length,
    events: log.events.length,
    inHistories: recorded.map(placeOf).filter((place) => placesInHistories.has(place) || unfinished.has(place)).length,
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
