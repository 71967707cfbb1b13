import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { z } from 'zod';
import { answerFile, fileAnswers, fileRoute, findFolder, pageHeaders, type ServedFile, toServed } from '../http/files';
import { Problem } from '../http/problem';
import { defineRoute, type Route } from '../http/route';
import { requestProblems, userId } from '../http/validation';

/** The pages, as they are built. */
export interface PagePorts {
  readonly html: ServedFile;
  /** Scripts and styles, by names that have a hash of their content. */
  readonly assets: ReadonlyMap<string, ServedFile>;
  /** The headers of each page. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What the pages are to know. */
export interface PageSettings {
  /** The origin of the command side, where it is not that of the pages. */
  readonly commandOrigin?: string | undefined;
  /** The audience of the tokens of staff. */
  readonly staffAudience: string;
  /** Whether everybody may do everything. */
  readonly isOpen: boolean;
}

const types: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.css': 'text/css', '.txt': 'text/plain' };

/** Every page is the same document, in which a script shows what belongs to its path. */
const pages = [
  { name: 'readStartPage', path: '/', summary: 'The start page' },
  { name: 'readShopPage', path: '/shop', summary: 'A storefront to try' },
  { name: 'readTimePage', path: '/time', summary: 'The past of the own cart' },
  { name: 'readTimePageOf', path: '/time/{userId}', summary: 'The past of a cart' },
  { name: 'readOperationsPage', path: '/ops', summary: 'What is going on, for staff' },
] as const;

const pageRoutesOf = pages.map(({ name, path, summary }) => {
  const hasUser = path.includes('{userId}');
  return defineRoute(
    {
      ...{ ...fileRoute, name, path, summary },
      ...(hasUser ? { params: z.object({ userId }) } : {}),
      answers: fileAnswers('The page.', ['text/html']),
      problems: hasUser ? requestProblems : {},
    },
    async ({ html, headers }: PagePorts, request) => answerFile(request.headers, html, 'text/html', headers),
  );
});

const assetName = z
  .string()
  .regex(/^[\w.-]+$/)
  .meta({ examples: ['main.js'] });

const assetRoute = defineRoute(
  {
    ...{ ...fileRoute, name: 'readAsset', path: '/assets/{name}', summary: 'A script or a style of the pages' },
    params: z.object({ name: assetName }),
    answers: fileAnswers('The file.', Object.values(types)),
    problems: { ...requestProblems, 404: ['route_not_found'] },
  },
  async ({ assets }: PagePorts, { params: { name }, headers }) => {
    const file = assets.get(name);
    if (file === undefined) throw new Problem(404, 'route_not_found', `There is no file ${name}.`);
    // Another content has another name.
    return answerFile(headers, file, types[extname(name)]!, { 'Cache-Control': 'public, max-age=31536000, immutable' });
  },
);

/** The pages for people: under `/`, beside the API that they use. */
export const pageRoutes: readonly Route<PagePorts>[] = [...pageRoutesOf, assetRoute];

/** Reads the built pages. @throws Error if they are not built. */
export function loadPages({ commandOrigin, staffAudience, isOpen }: PageSettings): PagePorts {
  const folder = findFolder('web/dist', 'build the pages with: npm run build:web');
  const settings = JSON.stringify({ commands: commandOrigin, staffAudience, isOpen });
  const html = readFileSync(join(folder, 'index.html'), 'utf8').replace(
    'content="{}"',
    `content="${settings.replaceAll('"', '&quot;')}"`,
  );
  const names = readdirSync(join(folder, 'assets')).filter((name) => extname(name) in types);
  const assets = names.map((name) => [name, toServed(readFileSync(join(folder, 'assets', name), 'utf8'))] as const);
  return { html: toServed(html), assets: new Map(assets), headers: pageHeaders(commandOrigin) };
}
