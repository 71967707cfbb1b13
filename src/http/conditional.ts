import { z } from 'zod';

/** The header of a conditional request. */
export const conditional = z.object({
  'If-None-Match': z
    .string()
    .optional()
    .meta({ examples: ['"1"'] }),
});

/**
 * Whether the client already has what the tag names.
 *
 * Not `req.fresh`: it is false for each conditional request of `fetch()`, which adds `Cache-Control: no-cache`.
 */
export function hasCurrent(headers: z.output<typeof conditional>, etag: string): boolean {
  const tags = (headers['If-None-Match'] ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes(etag) || tags.includes('*');
}
