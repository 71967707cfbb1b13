import { createHash, type KeyObject, sign, verify } from 'node:crypto';
import { commitmentOf } from '../postgres/log/hash-chain';
import type { Head, UserHeads } from '../postgres/log/read-heads';

/** The heads of one user as a list has them. Hashes are in hexadecimal digits. */
export interface ListedHeads {
  /** The commitment to the user: SHA-256 of salt and user id. */
  readonly user: string;
  readonly decisions?: { readonly sequence: number; readonly hash: string };
  readonly archive?: { readonly sequence: number; readonly hash: string };
}

/** A list of heads that was signed. */
export interface HeadsList {
  readonly takenAt: string;
  readonly heads: ReadonlyMap<string, ListedHeads>;
}

const format = 1;

/**
 * The lines of a signed list, one at a time: when it was taken, the heads of each user, and an Ed25519 signature of the
 * SHA-256 of all bytes before it, in base64.
 */
export async function* signedLines(
  pages: AsyncIterable<readonly UserHeads[]>,
  privateKey: KeyObject,
  takenAt: string,
): AsyncGenerator<string> {
  const digest = createHash('sha256');
  const line = (value: unknown): string => {
    const text = `${JSON.stringify(value)}\n`;
    digest.update(text);
    return text;
  };
  yield line({ format, takenAt });
  for await (const page of pages) for (const heads of page) yield line(toListed(heads));
  const signature = sign(null, digest.digest(), privateKey).toString('base64');
  yield `${JSON.stringify({ signature })}\n`;
}

const toListed = ({ decisions, archive, ...user }: UserHeads): ListedHeads => ({
  user: commitmentOf(user),
  ...(decisions && { decisions: toHex(decisions) }),
  ...(archive && { archive: toHex(archive) }),
});

const toHex = ({ sequence, hash }: Head) => ({ sequence, hash: hash.toString('hex') });

/** Reads a signed list. @throws Error if it is not one, or was changed since it was signed. */
export function readList(text: string, publicKey: KeyObject): HeadsList {
  const end = text.trimEnd().lastIndexOf('\n') + 1;
  const signed = text.slice(0, end);
  const { signature } = parse(text.slice(end)) as { signature?: unknown };
  const digest = createHash('sha256').update(signed).digest();
  if (typeof signature !== 'string' || !verify(null, digest, publicKey, Buffer.from(signature, 'base64'))) {
    throw new Error('The signature does not match: this list of heads was changed, or signed with another key.');
  }
  const [first, ...rest] = signed.trimEnd().split('\n').map(parse);
  const header = first as { format?: unknown; takenAt: string };
  if (header.format !== format) throw new Error(`This is not a list of heads of format ${format}.`);
  const heads = rest as ListedHeads[];
  return { takenAt: header.takenAt, heads: new Map(heads.map((each) => [each.user, each])) };
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new Error('This is not a list of heads.', { cause: error });
  }
}
