// Writes the files that the check of the client needs and that are not in git: the types of the API, from the
// description of its routes, and the example of the README.
// Usage: npm run generate
import { readFileSync, writeFileSync } from 'node:fs';
import openapiTypescript, { astToString } from 'openapi-typescript';
import { guestRoute } from '../src/access/guest-route.ts';
import { commandRoutes } from '../src/commands/routes.ts';
import { describeApi } from '../src/http/openapi.ts';
import { queryRoutes } from '../src/queries/routes.ts';

const place = (file) => new URL(file, import.meta.url);

const description = describeApi([...commandRoutes, guestRoute, ...queryRoutes]);
writeFileSync(place('src/api.ts'), astToString(await openapiTypescript(description)));

const readme = readFileSync(place('../README.md'), 'utf8');
writeFileSync(place('readme-example.ts'), /<!-- client -->\s*```ts\n(.*?)```/s.exec(readme)[1]);
