import { homedir } from 'node:os';
import path from 'node:path';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { z } from 'zod';

const port = (fallback: number) => z.coerce.number().int().min(1).max(65_535).default(fallback);

/** The algorithms of signatures that tokens may have: none whose key is a shared secret. */
const signatures = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const;

/** Whether nobody between this process and the address can answer in its place. */
function isAuthentic(text: string): boolean {
  const { protocol, hostname, username } = new URL(text);
  return username === '' && (protocol === 'https:' || ['127.0.0.1', '[::1]', 'localhost'].includes(hostname));
}

const list = z
  .string()
  .default('')
  .transform((text) => text.split(',').filter((each) => each !== ''));

const hostname = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/, 'must be names without scheme and port, in lower case');

const origin = z
  .string()
  .refine(
    (text) => URL.canParse(text) && new URL(text).origin === text,
    'must be origins such as https://shop.example',
  );

/** A number of hops, or the addresses and networks of the proxies. */
const proxies = z.union([z.coerce.number().int().min(0).max(10), list]).default(0);

const environment = z.object({
  HOST: z.string().default('127.0.0.1'),
  PORT: z.coerce.number().int().min(1).max(65_535).optional(),
  ALLOWED_HOSTS: list.pipe(z.array(hostname)),
  CORS_ORIGINS: list.pipe(z.array(origin)),
  COMMAND_API_ORIGIN: origin.optional(),
  TRUSTED_PROXIES: proxies,
  RATE_LIMITS: z.enum(['off', 'process', 'postgres']).optional(),
  RATE_LIMIT_FACTOR: z.coerce.number().positive().default(1),
  KEEP_ALIVE_SECONDS: z.coerce.number().min(1).default(65),
  MAX_CONNECTIONS: z.coerce.number().int().min(1).default(10_000),
  TEMPORAL_PORT: port(7233),
  TEMPORAL_UI_PORT: port(8233),
  POSTGRES_PORT: port(5433),
  TEMPORAL_ADDRESS: z.string().min(1).optional(),
  TEMPORAL_UI_URL: z.url().optional(),
  TEMPORAL_TASK_QUEUE: z.string().min(1).default('carts'),
  TEMPORAL_CLI_PATH: z.string().min(1).optional(),
  TEMPORAL_TEST_SERVER_PATH: z.string().min(1).optional(),
  AUTH: z.literal('off').optional(),
  AUTH_JWKS_URL: z
    .url({ protocol: /^https?$/, abort: true })
    .refine(isAuthentic, 'must be https, except on this machine')
    .optional(),
  AUTH_ISSUER: z.string().min(1).optional(),
  AUTH_AUDIENCE: z.string().min(1).default('carts'),
  AUTH_STAFF_AUDIENCE: z.string().min(1).default('carts-staff'),
  AUTH_ALGORITHMS: z
    .string()
    .default('RS256,PS256,ES256,EdDSA')
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(signatures))),
  GUEST_KEY_FILE: z.string().min(1).optional(),
  GUEST_DAYS: z.coerce.number().positive().default(30),
  NODE_ENV: z.string().default(''),
  HEADS_PRIVATE_KEY_FILE: z.string().min(1).optional(),
  HEADS_PUBLIC_KEY_FILE: z.string().min(1).optional(),
  HEADS_DIR: z.string().min(1).optional(),
  HEADS_INTERVAL_MINUTES: z.coerce.number().positive().default(60),
  LATE_COMMAND_MINUTES: z.coerce.number().positive().default(60),
  CACHED_CARTS: z.coerce.number().int().min(2).optional(),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  CART_DATA_DIR: z.string().min(1).default('.data'),
  CART_CACHE_DIR: z.string().min(1).optional(),
  XDG_CACHE_HOME: z.string().min(1).optional(),
  PATH: z.string().default(''),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
});

/**
 * Reads all settings from the environment. No other code reads `process.env`.
 * @throws Error that names each invalid variable and says what it should be.
 */
export function loadConfig(variables: NodeJS.ProcessEnv = process.env) {
  const present = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ''));
  const parsed = environment.safeParse(present);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
    throw new Error(`These environment variables are not valid:\n${problems.join('\n')}`);
  }
  const env = parsed.data;
  const temporal = loadClientConnectConfig({ overrideEnvVars: variables as Record<string, string> });
  return {
    host: env.HOST,
    port: env.PORT,
    http: {
      origins: { hosts: [...env.ALLOWED_HOSTS, env.HOST], allowed: env.CORS_ORIGINS },
      trustedProxies: env.TRUSTED_PROXIES,
      rateLimits: rateLimitsOf(env.RATE_LIMITS ?? env.AUTH ?? 'process', env.RATE_LIMIT_FACTOR),
      keepAliveMs: env.KEEP_ALIVE_SECONDS * 1_000,
      maxConnections: env.MAX_CONNECTIONS,
    },
    logLevel: env.LOG_LEVEL,
    databaseUrl: env.DATABASE_URL,
    access: {
      isOff: env.AUTH === 'off',
      keySetUrl: env.AUTH_JWKS_URL === undefined ? undefined : new URL(env.AUTH_JWKS_URL),
      issuer: env.AUTH_ISSUER,
      audience: env.AUTH_AUDIENCE,
      staffAudience: env.AUTH_STAFF_AUDIENCE,
      algorithms: env.AUTH_ALGORITHMS,
      guestKeyFile: env.GUEST_KEY_FILE,
      guestDays: env.GUEST_DAYS,
      isProduction: env.NODE_ENV === 'production',
    },
    lateAfterMs: env.LATE_COMMAND_MINUTES * 60_000,
    cachedCarts: env.CACHED_CARTS,
    heads: {
      privateKeyFile: env.HEADS_PRIVATE_KEY_FILE,
      publicKeyFile: env.HEADS_PUBLIC_KEY_FILE,
      folder: env.HEADS_DIR,
      intervalMs: env.HEADS_INTERVAL_MINUTES * 60_000,
    },
    pages: {
      commandOrigin: env.COMMAND_API_ORIGIN,
      staffAudience: env.AUTH_STAFF_AUDIENCE,
      isOpen: env.AUTH === 'off',
    },
    webUiUrl: env.TEMPORAL_UI_URL?.replace(/\/$/, ''),
    temporal: {
      isExternal: env.TEMPORAL_ADDRESS !== undefined,
      connection: temporal.connectionOptions,
      namespace: temporal.namespace ?? 'default',
      taskQueue: env.TEMPORAL_TASK_QUEUE,
    },
    embedded: {
      dataDir: path.resolve(env.CART_DATA_DIR),
      cacheDir: path.resolve(
        env.CART_CACHE_DIR ?? path.join(env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache'), 'event-sourced-cart'),
      ),
      temporalPort: env.TEMPORAL_PORT,
      temporalUiPort: env.TEMPORAL_UI_PORT,
      postgresPort: env.POSTGRES_PORT,
      temporalCliPath: env.TEMPORAL_CLI_PATH,
      testServerPath: env.TEMPORAL_TEST_SERVER_PATH,
      searchPath: env.PATH,
    },
  };
}

const rateLimitsOf = (counted: 'off' | 'process' | 'postgres', factor: number) =>
  counted === 'off' ? undefined : { factor, isShared: counted === 'postgres' };

export type Config = ReturnType<typeof loadConfig>;
