import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { conditional, hasCurrent } from './conditional';
import type { Answer } from './route';

/** A file, as it is sent. */
export interface ServedFile {
  readonly text: string;
  readonly etag: string;
}

export const toServed = (text: string): ServedFile => ({
  text,
  etag: `"${createHash('sha256').update(text).digest('base64url')}"`,
});

/**
 * Finds a folder of the project. Compiled code is in folders of different depths.
 * @param advice what to do where there is none.
 * @throws Error with this advice.
 */
export function findFolder(name: string, advice: string): string {
  for (let above = __dirname; ; above = dirname(above)) {
    const folder = join(above, name);
    if (existsSync(folder)) return folder;
    if (above === dirname(above)) {
      throw new Error(`There is no folder ${name} beside or above ${__dirname}: ${advice}`);
    }
  }
}

const described = { ETag: z.string() };

/** What the routes of files have in common. */
export const fileRoute = { method: 'get', access: 'everybody', rate: 'public', headers: conditional } as const;

/** How a file of one of these types is answered. */
export const fileAnswers = (description: string, types: readonly string[]) => ({
  200: { description, textTypes: types, headers: described },
  304: { description: 'The client has this file.', headers: described },
});

/** Answers with the file, or 304 where the client has it. */
export function answerFile(
  request: z.output<typeof conditional>,
  { text, etag }: ServedFile,
  type: string,
  more: Readonly<Record<string, string>>,
): Answer {
  const headers = { 'Content-Type': `${type}; charset=utf-8`, ETag: etag, ...more };
  return hasCurrent(request, etag) ? { status: 304, headers } : { status: 200, headers, body: text };
}

/** The headers of a page. It has no inline script or style, and talks to its own origin and to this one. */
export const pageHeaders = (origin?: string) => ({
  'Cache-Control': 'no-cache',
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    ["connect-src 'self'", origin].filter(Boolean).join(' '),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
});
