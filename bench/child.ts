import { DefaultLogger, Runtime } from '@temporalio/worker';
import pino from 'pino';
import { allowEverybody, createAuthorize } from '../src/access/authorize';
import { localIssuer, openLocalKeys } from '../src/access/local-keys';
import { type AppOptions, listen } from '../src/http/app';
import { createRateLimits } from '../src/http/rate-limits';
import { openCommandApi } from '../src/roles/command-api';
import { openPages } from '../src/roles/pages';
import { openQueryApi } from '../src/roles/query-api';
import type { Role, RoleOptions } from '../src/roles/role';
import { appOf } from '../src/roles/serve';
import { openWorker } from '../src/roles/worker';
import { openBareReads } from './alternatives/bare-reads';
import { openDbos } from './alternatives/dbos';
import { openEmmett } from './alternatives/emmett';
import { openPlainPostgres } from './alternatives/plain-postgres';
import { openRestate } from './alternatives/restate';
import { openSimpleWorker } from './alternatives/simple-worker';
import type { ChildOptions, Opened, Question, Told, Usage } from './children';

const logger = pino({ level: 'error' }, pino.destination({ dest: 2, sync: true }));

/** The kinds of process: a role of the cart as it runs in production, or an alternative. */
const openers: Readonly<Record<string, (options: ChildOptions) => Promise<Opened>>> = {
  cart: async (options) => serve(await openWorker({ ...roleOptions(options), lateAfterMs: 3_600_000 })),
  'many-carts': async (options) =>
    serve(await openWorker({ ...roleOptions(options), lateAfterMs: 3_600_000, cachedCarts: 20_000 })),
  commands: async (options) => serve(await openCommandApi(roleOptions(options))),
  queries: async (options) => serve([await openQueryApi(roleOptions(options)), openPages(pageSettings)]),
  'commands-with-tokens': async (options) =>
    serve(await openCommandApi(roleOptions(options)), await withTokens(options)),
  'queries-with-tokens': async (options) => serve(await openQueryApi(roleOptions(options)), await withTokens(options)),
  floor: openSimple('floor'),
  tutorial: openSimple('tutorial'),
  update: openSimple('update'),
  emmett: openEmmett,
  restate: openRestate,
  dbos: openDbos,
  plain: openPlainPostgres,
  'bare-reads': openBareReads,
};

const roleOptions = ({ address, databaseUrl }: ChildOptions): RoleOptions => ({
  temporal: { connection: { address }, namespace: 'default', taskQueue: 'carts' },
  databaseUrl,
  logger,
});

type Access = Pick<AppOptions, 'authorize' | 'rateLimits'>;

const pageSettings = { staffAudience: 'carts-staff', isOpen: true };

async function serve(roles: Role | readonly Role[], access: Access = { authorize: allowEverybody }): Promise<Opened> {
  const { port } = await listen(appOf([roles].flat(), { ...access, logger }), '127.0.0.1', 0);
  return { port };
}

/** Tokens are verified and requests counted, as by default, but none is too many. */
const withTokens = async ({ keysDir }: ChildOptions): Promise<Access> => ({
  authorize: createAuthorize(localIssuer(await openLocalKeys(keysDir)), undefined),
  rateLimits: createRateLimits(1_000),
});

function openSimple(design: string) {
  return (options: ChildOptions) => {
    Runtime.install({ logger: new DefaultLogger('ERROR') });
    return openSimpleWorker(design, options, (commandId) => tell({ handled: commandId }));
  };
}

const tell = (told: Told) => void process.send!(told);

const [kind, options] = process.argv.slice(2);

// The process that measures is gone, for whatever reason.
process.on('disconnect', () => process.exit());

void openers[kind!]!(JSON.parse(options!)).then(({ port = 0, startedWorkflows }) => {
  process.on('message', (question: Question) => {
    if (question === 'collect') global.gc?.();
    const { user, system } = process.cpuUsage();
    const usage: Usage = {
      cpuMs: (user + system) / 1_000,
      rss: process.memoryUsage.rss(),
      startedWorkflows: startedWorkflows?.() ?? 0,
    };
    tell({ usage });
  });
  tell({ port });
});
