import { type ArchiveRow, hashArchiveRow } from '../archive-chain';
import { checkFirstFormat, firstGenesis } from './first-format';
import { type FirstHashes, genesisOf, hashDecision, hashFormat, type SaltedUser } from './hash-chain';
import type { StoredDecision, StoredLog } from './read-logs';

/** What is wrong with a hash chain, and at which decision or event. */
export interface ChainFinding {
  readonly where: 'hash chain' | 'archive';
  readonly sequence?: number;
  readonly version?: number;
  readonly what: string;
}

/** Checks the hash chain over a cart's decisions, and the hashes of the first format that older events have. */
export function checkChain(
  { userId, events }: StoredLog,
  salt: Buffer | null,
  decisions: readonly StoredDecision[],
): ChainFinding[] {
  const heads = new Set(decisions.map(({ hash }) => hash?.toString('hex') ?? ''));
  const findings: ChainFinding[] = [...checkFirstFormat(userId, events, firstGenesis, heads)].map((problem) => ({
    where: 'hash chain',
    ...problem,
  }));
  if (decisions.length === 0) return findings;
  if (salt === null) return [...findings, { where: 'hash chain', what: 'the user has no salt in cart_users' }];
  const firstHashes = new Map(events.map((each) => [each.event.version, each]));
  return [...findings, ...checkDecisions({ userId, salt }, decisions, firstHashes)];
}

function checkDecisions(
  user: SaltedUser,
  decisions: readonly StoredDecision[],
  firstHashes: FirstHashes,
): ChainFinding[] {
  const links = decisions.map(({ decision: { sequence }, ...link }) => ({ sequence, ...link }));
  const hash = (index: number, previousHash: Buffer) =>
    hashDecision(previousHash, user, decisions[index]!.decision, firstHashes);
  return checkLinks(links, genesisOf('decisions', user), hash).map((problem) => ({ where: 'hash chain', ...problem }));
}

/** Checks the hash chain over a user's archived runs. */
export function checkArchive(userId: string, salt: Buffer | null, rows: readonly ArchiveRow[]): ChainFinding[] {
  if (rows.length === 0) return [];
  if (salt === null) return [{ where: 'archive', what: 'the user has no salt in cart_users' }];
  const user = { userId, salt };
  const links = rows.map((row) => ({
    sequence: row.archive_sequence,
    format: row.hash_format,
    previousHash: row.previous_hash,
    hash: row.hash,
  }));
  const hash = (index: number, previousHash: Buffer) =>
    hashArchiveRow(previousHash, user, links[index]!.sequence ?? 0, rows[index]!);
  return checkLinks(links, genesisOf('archive', user), hash).map(({ sequence, what }) => ({
    where: 'archive',
    what: `run ${rows[sequence - 1]!.run_id}: ${what}`,
  }));
}

interface StoredLink {
  readonly sequence: number | null;
  readonly format: number | null;
  readonly previousHash: Buffer | null;
  readonly hash: Buffer | null;
}

/** @param hashOf computes the hash of the entry with this index. @returns each problem with the place of the entry. */
function checkLinks(
  links: readonly StoredLink[],
  genesis: Buffer,
  hashOf: (index: number, previousHash: Buffer) => Buffer,
): { readonly sequence: number; readonly what: string }[] {
  const found: { sequence: number; what: string }[] = [];
  let expected: Buffer | null = genesis;
  for (const [index, { sequence, format, previousHash, hash }] of links.entries()) {
    const find = (what: string) => found.push({ sequence: index + 1, what });
    if (hash === null && previousHash === null && format === null) {
      find('it has no hash yet: a worker gives it one within an hour');
    } else if (hash === null || previousHash === null || format !== hashFormat) {
      find(`its hash is not one of format ${hashFormat}`);
    } else {
      if (sequence !== index + 1) find('one before it is missing');
      if (expected === null || !previousHash.equals(expected)) find('its previous hash is not the hash before it');
      if (!hashOf(index, previousHash).equals(hash)) find('its hash does not match its content');
    }
    expected = hash;
  }
  return found;
}
