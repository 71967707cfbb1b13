import { z } from 'zod';
import { mergePrefix } from '../contract/ids';
import { limits } from '../domain/limits';
import { commandIdExample, id } from '../http/validation';

const longestWaitSeconds = 30;

/** The headers of a command. */
export const commandHeaders = z.object({
  'Idempotency-Key': z
    .string()
    .meta({ examples: [commandIdExample] })
    .transform((text) => text.trim().replace(/^"(.*)"$/, '$1'))
    .pipe(id)
    .refine((key) => !key.startsWith(mergePrefix), `must not begin with ${mergePrefix}`)
    .optional()
    .meta({ description: 'The id of the command, with or without quotes. A repeat gets the first outcome again.' }),
  'If-Match': z
    .string()
    .meta({ examples: ['*'] })
    .transform((text, context) => {
      if (text.trim() === '*') return undefined;
      const tags = entityTags.test(text) ? [...text.matchAll(entityTag)].map(([tag]) => tag) : [];
      if (tags.length > 0 && tags.length <= limits.expectedVersions) return versionsOf(tags);
      context.addIssue({
        code: 'custom',
        message: `must be 1 to ${limits.expectedVersions} ETags of the cart, quoted versions, as in "7"`,
        input: text,
      });
      return z.NEVER;
    })
    .optional()
    .meta({
      description: 'The versions of which the cart must have one. `*` requires nothing, as every user has a cart.',
    }),
  Prefer: z
    .string()
    .meta({ examples: ['wait=5'] })
    .optional()
    .transform(readWaitSeconds)
    .meta({ description: `\`wait=<seconds>\`, at most ${longestWaitSeconds}: wait for the outcome.` }),
});

export type CommandHeaders = z.output<typeof commandHeaders>;

const entityTag = /(?:W\/)?"[\x21\x23-\x7e]*"/g;
const entityTags = new RegExp(`^\\s*${entityTag.source}(?:\\s*,\\s*${entityTag.source})*\\s*$`);

/** A tag that is weak, or that begins with no version, matches no cart (RFC 9110, 13.1.1). See `etagOf`. */
const versionsOf = (tags: readonly string[]): number[] => [
  ...new Set(tags.flatMap((tag) => /^"(0|[1-9]\d{0,14})(?:\.[\w-]+)?"$/.exec(tag)?.[1] ?? []).map(Number)),
];

/** Reads the seconds of `Prefer: wait=<seconds>` (RFC 7240), at most 30; 0 if the client does not want to wait. */
function readWaitSeconds(header: string | undefined): number {
  const seconds = /(?:^|[,;])\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:$|[,;])/i.exec(header ?? '')?.[1];
  return Math.min(Number(seconds ?? 0), longestWaitSeconds);
}
