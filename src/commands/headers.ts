import { z } from 'zod';
import { id } from '../http/validation';

const longestWaitSeconds = 30;

/** The headers of a command. */
export const commandHeaders = z.object({
  'Idempotency-Key': z
    .string()
    .transform((text) => text.trim().replace(/^"(.*)"$/, '$1'))
    .pipe(id)
    .optional()
    .meta({ description: 'The id of the command, with or without quotes. A repeat gets the first outcome again.' }),
  'If-Match': z
    .string()
    .transform((text, context) => {
      if (text.trim() === '*') return undefined;
      const version = /^"(\d{1,15})"$/.exec(text.trim())?.[1];
      if (version !== undefined) return Number(version);
      context.addIssue({
        code: 'custom',
        message: 'must be one ETag of the cart, a quoted version, as in "7"',
        input: text,
      });
      return z.NEVER;
    })
    .optional()
    .meta({ description: 'The version that the cart must have. `*` requires nothing, as every user has a cart.' }),
  Prefer: z
    .string()
    .optional()
    .transform(readWaitSeconds)
    .meta({ description: `\`wait=<seconds>\`, at most ${longestWaitSeconds}: wait for the outcome.` }),
});

export type CommandHeaders = z.output<typeof commandHeaders>;

/** Reads the seconds of `Prefer: wait=<seconds>` (RFC 7240), at most 30; 0 if the client does not want to wait. */
function readWaitSeconds(header: string | undefined): number {
  const seconds = /(?:^|[,;])\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:$|[,;])/i.exec(header ?? '')?.[1];
  return Math.min(Number(seconds ?? 0), longestWaitSeconds);
}
