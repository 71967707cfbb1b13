import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { CartView } from './shapes';

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

/** The tag of a cart: its version, and where lines have warnings, a hash of those, which change without a version. */
export function etagOf({ version, items }: CartView): string {
  const warnings = items.map((item) => item.warnings ?? []);
  if (warnings.every((ofLine) => ofLine.length === 0)) return `"${version}"`;
  return `"${version}.${createHash('sha256').update(JSON.stringify(warnings)).digest('base64url').slice(0, 12)}"`;
}
