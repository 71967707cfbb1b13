import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import Ajv from 'ajv/dist/2020';
import { parse } from 'yaml';
import { loadConfig } from '../../src/config';
import { serverSettings } from '../../src/embedded/temporal/dev-server';

interface Service {
  image?: string;
  build?: string;
  command?: string[];
  environment?: Record<string, string | number>;
  ports?: unknown[];
  network_mode?: string;
  healthcheck?: { test?: string[]; disable?: boolean };
  depends_on?: Record<string, { condition: string }>;
}

const root = path.join(__dirname, '../..');
const read = (file: string) => readFileSync(path.join(root, file), 'utf8');

const compose: { services: Record<string, Service>; configs: Record<string, { content: string }> } = parse(
  read('docker-compose.yml'),
  { merge: true },
);
const services = Object.entries(compose.services);
const ours = services.filter(([, { build }]) => build !== undefined);

const dependencies = services.flatMap(([, { depends_on = {} }]) => Object.entries(depends_on));
const steps = new Set(
  dependencies.filter(([, on]) => on.condition === 'service_completed_successfully').map(([to]) => to),
);
const roles = ours.filter(([name]) => !steps.has(name));

/** The default of a variable of the compose file: `${PASSWORD:-secret}` is `secret`, and so is `${PASSWORD-secret}`. */
const byDefault = (value: string | number) => String(value).replace(/\$\{\w+:?-([^}]*)\}/g, '$1');
const inBraces = (variable: string) => ['$', '{', variable, '}'].join('');
const settings = ({ environment = {} }: Service) =>
  Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, byDefault(value)]));

const instructions = read('Dockerfile')
  .replace(/^#.*\n/gm, '')
  .replace(/\\\n/g, ' ')
  .split('\n')
  .flatMap((line) => (/^[A-Z]+ /.test(line) ? [line.split(/\s+/)] : []));
const instructionsOf = (kind: string) => instructions.filter(([word]) => word === kind).map(([, ...words]) => words);
const stages = instructionsOf('FROM').flatMap((words) => words.slice(2));

const isExact = (image: string) => /^(postgres:\d+\.\d+|[a-z0-9/-]+:\d+\.\d+\.\d+)(-[a-z0-9.-]+)?$/.test(image);
const isLoopback = (port: unknown) => /^127\.0\.0\.1:\d+:\d+$/.test(String(port));

function describeConfig(variables: Record<string, string>): string {
  try {
    return JSON.stringify(loadConfig(variables));
  } catch (error) {
    return String(error);
  }
}

/** Whether src/config.ts returns another configuration when this variable changes. */
const isReadByConfig = (name: string, value: string) =>
  describeConfig({ [name]: `${value}0` }) !== describeConfig({ [name]: `${value}1` }) ||
  describeConfig({ [name]: `${value}0` }) !== describeConfig({});

describe('docker-compose.yml', () => {
  it('has the settings with which the embedded Temporal gives carts of a dead worker to another one', () => {
    const content: Record<string, [{ value: unknown }]> = parse(compose.configs['temporal-dynamic-config']!.content);
    const values = Object.fromEntries(Object.entries(content).map(([name, [{ value }]]) => [name, value]));
    expect(values).toMatchObject(serverSettings);
  });

  it('is valid according to the compose specification', () => {
    const validate = new Ajv({ allErrors: true, strict: false, validateFormats: false }).compile(
      JSON.parse(read('test/schemas/compose-spec.json')),
    );
    validate(compose);
    expect(validate.errors ?? []).toEqual([]);
  });

  it('pins every image to an exact version', () => {
    expect(services.filter(([, { image }]) => !isExact(image ?? 'none'))).toEqual([]);
  });

  it('names the image of the roles after the version in package.json', () => {
    const { name, version } = JSON.parse(read('package.json'));
    expect(new Set(ours.map(([, { image }]) => image))).toEqual(new Set([`${name}:${version}`]));
  });

  it('publishes ports to this machine only', () => {
    const published = services.flatMap(([, { ports = [] }]) => ports);
    expect(published).not.toEqual([]);
    expect(published.filter((port) => !isLoopback(port))).toEqual([]);
    expect(services.filter(([, { network_mode }]) => network_mode !== undefined)).toEqual([]);
  });

  it('checks the health of every service that keeps running', () => {
    const unchecked = services.filter(
      ([name, { healthcheck }]) => !steps.has(name) && (!healthcheck?.test || healthcheck.disable),
    );
    expect(unchecked.map(([name]) => name)).toEqual([]);
  });

  it('starts a service when the steps before it are done and the services it needs are healthy', () => {
    const wrong = dependencies.filter(([to, { condition }]) => !steps.has(to) && condition !== 'service_healthy');
    expect(wrong).toEqual([]);
  });

  it('migrates, and runs the command API, the query API and the worker, each from a main file that exists', () => {
    const commands = ours.map(([, { command }]) => command?.join(' '));
    expect(commands.toSorted()).toEqual([
      'node dist/src/main-commands.js',
      'node dist/src/main-migrate.js',
      'node dist/src/main-queries.js',
      'node dist/src/main-worker.js',
    ]);
    expect(commands.filter((command) => !existsSync(sourceOf(command!)))).toEqual([]);
  });

  it('sets no variable that no role reads', () => {
    const variables = ours.flatMap(([, service]) => Object.entries(settings(service)));
    expect(variables.filter(([name, value]) => !isReadByConfig(name, value))).toEqual([]);
  });

  it.each(roles)('gives %s valid settings, and publishes the port on which it listens', (_name, service) => {
    const { port, databaseUrl, temporal } = loadConfig(settings(service));
    const hosts = [databaseUrl!, ...(temporal.isExternal ? [`grpc://${temporal.connection.address}`] : [])];
    expect(Object.keys(compose.services)).toEqual(expect.arrayContaining(hosts.map((url) => new URL(url).hostname)));
    expect(service.ports ?? []).toEqual(service.ports === undefined ? [] : [`127.0.0.1:${port}:${port}`]);
  });

  it.each(roles)('says of %s who may call, and lets the environment say otherwise', (_name, service) => {
    expect(loadConfig(settings(service)).access.isOff).toBe(true);
    const { AUTH, AUTH_JWKS_URL, AUTH_ISSUER } = service.environment!;
    expect([AUTH, AUTH_JWKS_URL, AUTH_ISSUER]).toEqual(['AUTH-off', 'AUTH_JWKS_URL-', 'AUTH_ISSUER-'].map(inBraces));
  });

  it('migrates as the owner of the database', () => {
    const { POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB } = settings(compose.services['cart-postgres']!);
    const owner = settings(compose.services['cart-schema']!).DATABASE_URL;
    expect(owner).toBe(`postgres://${POSTGRES_USER}:${POSTGRES_PASSWORD}@cart-postgres:5432/${POSTGRES_DB}`);
  });

  it('gives each role a login of the group that it needs, with the password in its address', () => {
    const logins = compose.services['cart-logins']!;
    const calls = logins.command!.at(-1)!.matchAll(/^give_login (\w+) (\w+) "\$\$(\w+)"$/gm);
    const given = [...calls].map(([, login, group, variable]) => [login!, [group, settings(logins)[variable!]]]);
    const expected = { commands: 'cart_sender', queries: 'cart_reader', worker: 'cart_writer' };
    const used = roles.map(([name, role]) => {
      const { username, password, host, pathname } = new URL(settings(role).DATABASE_URL!);
      expect([username, host, pathname]).toEqual([name, 'cart-postgres:5432', '/carts']);
      return [username, [expected[name as keyof typeof expected], password]];
    });
    expect(Object.fromEntries(given)).toEqual(Object.fromEntries(used));
  });
});

describe('Dockerfile', () => {
  it('pins every image to an exact version', () => {
    const images = instructionsOf('FROM').flatMap(([image]) => (stages.includes(image!) ? [] : [image!]));
    expect(images).not.toEqual([]);
    expect(images.filter((image) => !isExact(image))).toEqual([]);
  });

  it('copies only files that exist and that .dockerignore includes', () => {
    const sources = instructionsOf('COPY').flatMap((words) =>
      words[0]!.startsWith('--from=') ? [] : words.slice(0, -1),
    );
    const kept = read('.dockerignore').match(/(?<=^!).+$/gm);
    expect(sources.filter((source) => !existsSync(path.join(root, source)))).toEqual([]);
    expect([...new Set(sources)].toSorted()).toEqual(kept?.toSorted());
  });

  it('copies everything that the build compiles', () => {
    const { include } = JSON.parse(read('tsconfig.build.json'));
    expect(instructionsOf('COPY').map(([source]) => source)).toEqual(expect.arrayContaining(include));
  });

  it('runs a main file that exists, as a user who is not root', () => {
    const command = instructionsOf('CMD').map((words) => JSON.parse(words.join(' ')).join(' '));
    expect(command.map((words) => existsSync(sourceOf(words)))).toEqual([true]);
    expect(instructionsOf('USER')).toEqual([['node']]);
  });
});

/** `node dist/src/main-worker.js` is made from src/main-worker.ts. */
function sourceOf(command: string): string {
  return path.join(root, command.replace(/^node dist\/(.*)\.js$/, '$1.ts'));
}
