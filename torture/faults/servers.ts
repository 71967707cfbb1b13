import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { type Down, type Fault, type FaultContext, nothingToHeal } from './fault';

/** What happens to Postgres and Temporal. */
export function serverFaults(context: FaultContext): Fault[] {
  return [
    killed('postgres', context),
    paused('postgres', context),
    readOnlyPostgres(context),
    lockedCart(context),
    killed('temporal', context),
    paused('temporal', context),
  ];
}

const downs = { postgres: 'Postgres', temporal: 'Temporal' } as const satisfies Record<string, Down>;

function killed(name: 'postgres' | 'temporal', { world }: FaultContext): Fault {
  let isKilled = false;
  return {
    name: `kill-${name}`,
    touches: name,
    takesDown: downs[name],
    async inject() {
      isKilled = true;
      await world[name].kill();
      return undefined;
    },
    async heal() {
      if (!isKilled) return;
      await world[name].start();
      isKilled = false;
    },
  };
}

function paused(name: 'postgres' | 'temporal', { world }: FaultContext): Fault {
  return {
    name: `pause-${name}`,
    touches: name,
    takesDown: downs[name],
    async inject() {
      await world[name].pause();
      return undefined;
    },
    heal: () => world[name].resume(),
  };
}

/** Every transaction that does not say otherwise is read-only, as after a disk has become full or on a standby. */
function readOnlyPostgres(context: FaultContext): Fault {
  const set = (value: string) =>
    askPostgres(context, [`alter system set default_transaction_read_only = ${value}`, 'select pg_reload_conf()']);
  let isReadOnly = false;
  return {
    name: 'readonly-postgres',
    touches: 'postgres',
    async inject() {
      isReadOnly = true;
      await set('on');
      return undefined;
    },
    async heal() {
      if (!isReadOnly) return;
      await set('off');
      isReadOnly = false;
    },
  };
}

/** Somebody's transaction holds the row of one cart. */
function lockedCart(context: FaultContext): Fault {
  return {
    name: 'lock-cart',
    touches: 'postgres',
    async inject() {
      const cart = context.random.pick(context.carts);
      const client = await connect(context);
      await client.query('begin');
      await client.query('select 1 from carts where user_id = $1 for update', [cart]);
      await delay(6_000);
      await client.end();
      return [cart];
    },
    heal: nothingToHeal,
  };
}

async function askPostgres(context: FaultContext, statements: readonly string[]): Promise<void> {
  const client = await connect(context);
  try {
    // Without this the second `alter system` would be rejected as a write.
    await client.query('set default_transaction_read_only = off');
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

async function connect({ world }: FaultContext): Promise<Client> {
  const client = new Client({ connectionString: world.postgres.current().url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}
