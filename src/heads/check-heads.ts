import type { KeyObject } from 'node:crypto';
import type { Knex } from 'knex';
import { commitmentOf } from '../postgres/log/hash-chain';
import { readHashesAt, readHeads, type UserHeads } from '../postgres/log/read-heads';
import { readRepairs } from '../postgres/log/repairs';
import type { HeadsList, ListedHeads } from './list';
import { explains } from './sign-repair';

/** A chain that is not as it was when a list of heads was signed. */
export interface HeadsFinding {
  /** The user; where nobody knows it any more, the commitment. */
  readonly userId: string;
  readonly where: 'heads';
  readonly sequence?: number;
  readonly what: string;
}

/**
 * Compares all chains with a list of earlier heads: finds a chain that was rewritten as a whole, one that was cut, and
 * a user who is gone. What a repair with a signed note replaced is no finding.
 * @param userId only this user.
 */
export async function checkHeads(
  db: Knex,
  { heads, takenAt }: HeadsList,
  publicKey: KeyObject,
  userId?: string,
): Promise<HeadsFinding[]> {
  const findings: HeadsFinding[] = [];
  const unseen = new Set(heads.keys());
  for await (const page of readHeads(db)) {
    const known = page.flatMap((user) => {
      const listed = heads.get(commitmentOf(user));
      if (listed !== undefined) unseen.delete(listed.user);
      return listed === undefined || (userId !== undefined && user.userId !== userId) ? [] : [{ user, listed }];
    });
    findings.push(...(await compare(db, known, takenAt, publicKey)));
  }
  if (userId !== undefined) return findings;
  const gone = [...unseen].map((commitment) => ({
    userId: commitment,
    where: 'heads' as const,
    what: `a user who had a chain at ${takenAt} is gone, or has another salt`,
  }));
  return [...findings, ...gone];
}

interface Known {
  readonly user: UserHeads;
  readonly listed: ListedHeads;
}

async function compare(
  db: Knex,
  known: readonly Known[],
  takenAt: string,
  publicKey: KeyObject,
): Promise<HeadsFinding[]> {
  const places = known.map(({ user, listed }) => ({
    userId: user.userId,
    decisions: listed.decisions?.sequence ?? 0,
    archive: listed.archive?.sequence ?? 0,
  }));
  const hashes = await readHashesAt(db, places);
  const findings: HeadsFinding[] = [];
  for (const [index, { user, listed }] of known.entries()) {
    const { userId } = user;
    for (const chain of ['decisions', 'archive'] as const) {
      const then = listed[chain];
      const now = hashes[index]![chain]?.toString('hex');
      if (then === undefined || then.hash === now) continue;
      const repairs = await readRepairs(db, userId);
      if (repairs.some((repair) => explains(repair, publicKey, user, then))) continue;
      const what =
        now === undefined
          ? `the chain of ${chain} was cut: it had ${then.sequence} at ${takenAt}`
          : `the chain of ${chain} was rewritten: it had another hash here at ${takenAt}`;
      findings.push({ userId, where: 'heads', sequence: then.sequence, what });
    }
  }
  return findings;
}
