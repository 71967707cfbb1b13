import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { answerFile, fileAnswers, fileRoute, findFolder, pageHeaders, type ServedFile, toServed } from './files';
import { defineRoute, type Route } from './route';

/** The files of the page, by the path of their route. */
export interface ApiPagePorts {
  readonly files: ReadonlyMap<string, ServedFile>;
}

const html = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Event-sourced cart: the API</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="docs/swagger-ui.css">
  </head>
  <body>
    <div id="api"></div>
    <script src="docs/swagger-ui-bundle.js"></script>
    <script src="docs/start.js"></script>
  </body>
</html>
`;

// By default Swagger UI sends the address of the description to a validator of another origin.
const startScript = `SwaggerUIBundle({ url: 'openapi.json', dom_id: '#api', validatorUrl: null });
`;

const sources = [
  { name: 'readApiPage', path: '/docs', type: 'text/html', summary: 'This page', read: () => html },
  {
    name: 'readApiPageStart',
    path: '/docs/start.js',
    type: 'text/javascript',
    summary: 'The script that starts Swagger UI',
    read: () => startScript,
  },
  {
    name: 'readSwaggerUi',
    path: '/docs/swagger-ui-bundle.js',
    type: 'text/javascript',
    summary: 'Swagger UI',
    read: () => readVendored('swagger-ui-bundle.js'),
  },
  {
    name: 'readSwaggerUiStyle',
    path: '/docs/swagger-ui.css',
    type: 'text/css',
    summary: 'The style of Swagger UI',
    read: () => readVendored('swagger-ui.css'),
  },
] as const;

/** Swagger UI needs no inline script or style; images in its style are `data:` addresses. */
const headers = pageHeaders();

/** A page that shows the description of the API, and sends requests to it. */
export const apiPageRoutes: readonly Route<ApiPagePorts>[] = sources.map(({ name, path, type, summary }) =>
  defineRoute(
    { ...fileRoute, name, path, summary, answers: fileAnswers('The file.', [type]), problems: {} },
    async ({ files }: ApiPagePorts, request) => answerFile(request.headers, files.get(path)!, type, headers),
  ),
);

/** Reads the files of the page. @throws Error if this installation lacks those of Swagger UI. */
export const loadApiPage = (): ApiPagePorts => ({
  files: new Map(sources.map(({ path, read }) => [path, toServed(read())])),
});

const readVendored = (name: string): string =>
  readFileSync(join(findFolder('vendor/swagger-ui', 'copy it with the code.'), name), 'utf8');
