import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(__dirname, '../..');

/** `target` is a file of the project without its extension, or the name of a package. */
interface Arrow {
  readonly file: string;
  readonly target: string;
}

/** What the files whose path matches `from` may not import. */
interface Rule {
  readonly title: string;
  readonly from: RegExp;
  readonly isForbidden: (target: string, file: string) => boolean;
  /** An import that breaks the rule. */
  readonly example: Arrow;
}

const isOurs = (target: string) => /^(src|workflows|activities)(\/|$)/.test(target);
const ours = (folders: string) => new RegExp(`^src/(${folders})(/|$)`);
const onlyOurs = (allowed: RegExp) => (target: string) => isOurs(target) && !allowed.test(target);

const rules: readonly Rule[] = [
  {
    title: 'the rules import only each other',
    from: /^src\/domain\//,
    isForbidden: (target) => !ours('domain').test(target),
    example: { file: 'src/domain/decide.ts', target: 'src/contract/ids' },
  },
  {
    title: 'the contract imports only the rules and @temporalio/common',
    from: /^src\/contract\//,
    isForbidden: (target) => !ours('contract|domain').test(target) && target !== '@temporalio/common',
    example: { file: 'src/contract/ids.ts', target: '@temporalio/client' },
  },
  {
    title: 'the workflow imports only the rules, the contract and @temporalio/workflow',
    from: /^workflows\//,
    isForbidden: (target) => !/^(workflows\/|src\/(domain|contract)\/|@temporalio\/workflow$)/.test(target),
    example: { file: 'workflows/cart.ts', target: 'activities/index' },
  },
  {
    title: 'Postgres imports only the contract and the rules',
    from: /^src\/postgres\//,
    isForbidden: onlyOurs(ours('postgres|contract|domain')),
    example: { file: 'src/postgres/archive.ts', target: 'src/temporal/connection' },
  },
  {
    title: 'Temporal imports only the archive of Postgres, the contract, the rules and the configuration',
    from: /^src\/temporal\//,
    isForbidden: onlyOurs(ours('temporal|postgres/archive|contract|domain|config')),
    example: { file: 'src/temporal/histories/runs.ts', target: 'src/postgres/database' },
  },
  {
    title: 'the activities import only the delivery, Postgres, Temporal, the contract and the rules',
    from: /^activities\//,
    isForbidden: onlyOurs(/^(activities|src\/(delivery|postgres|temporal|contract|domain))\//),
    example: { file: 'activities/project-cart.ts', target: 'src/recovery/heal' },
  },
  {
    title: 'the delivery imports only Postgres, Temporal, the contract and the rules',
    from: /^src\/delivery\//,
    isForbidden: onlyOurs(ours('delivery|postgres|temporal|contract|domain')),
    example: { file: 'src/delivery/deliver.ts', target: 'src/recovery/heal' },
  },
  {
    title: 'the lists of heads import only Postgres, and how keys are read',
    from: /^src\/heads\//,
    isForbidden: onlyOurs(ours('heads|postgres|ed25519')),
    example: { file: 'src/heads/keys.ts', target: 'src/config' },
  },
  {
    title: 'only the worker imports the workflow or the activities',
    from: /^src\/(?!worker\/)/,
    isForbidden: (target) => /^(workflows|activities)(\/|$)/.test(target),
    example: { file: 'src/commands/send-command.ts', target: 'workflows/cart' },
  },
  {
    title: 'only ops imports recovery',
    from: /^(workflows|activities|src\/(?!ops\/|recovery\/))/,
    isForbidden: (target) => ours('recovery').test(target),
    example: { file: 'src/worker/cart-worker.ts', target: 'src/recovery/heal' },
  },
  {
    title: 'the embedded servers import only the configuration and the contract',
    from: /^src\/embedded\//,
    isForbidden: onlyOurs(ours('embedded|config|contract')),
    example: { file: 'src/embedded/start.ts', target: 'src/roles/run-process' },
  },
  {
    title: 'HTTP imports only the rules, and of Postgres only what its errors are',
    from: /^src\/http\//,
    isForbidden: onlyOurs(ours('http|domain|timeout|postgres/database')),
    example: { file: 'src/http/app.ts', target: 'src/postgres/catalogue' },
  },
  {
    title: 'access imports only HTTP and the rules',
    from: /^src\/access\//,
    isForbidden: onlyOurs(ours('access|http|domain')),
    example: { file: 'src/access/policy.ts', target: 'src/config' },
  },
  {
    title: 'only who puts a process together imports access',
    from: /^(workflows|activities|src\/(?!access\/|roles\/|main))/,
    isForbidden: (target) => ours('access').test(target),
    example: { file: 'src/commands/carts.ts', target: 'src/access/policy' },
  },
  {
    title: 'the command side imports neither the query side nor a client of Postgres',
    from: /^src\/commands\//,
    isForbidden: (target) => ours('queries').test(target) || /^(knex|pg)$/.test(target),
    example: { file: 'src/commands/carts.ts', target: 'knex' },
  },
  {
    title: 'the query side imports neither the command side nor Temporal',
    from: /^src\/queries\//,
    isForbidden: (target) => ours('commands|temporal').test(target) || target.startsWith('@temporalio/'),
    example: { file: 'src/queries/carts.ts', target: '@temporalio/client' },
  },
];

const filesIn = (folder: string): string[] =>
  readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => path.join(folder, file));

const files = ['src', 'workflows', 'activities'].flatMap(filesIn);
const textOf = (file: string) => readFileSync(path.join(root, file), 'utf8');

function importsOf(file: string): string[] {
  const specifiers = [...textOf(file).matchAll(/(?:\bfrom\s+|\bimport\s*\(?|\brequire(?:\.resolve)?\()\s*'([^']+)'/g)];
  return specifiers.map(([, specifier]) =>
    specifier!.startsWith('.') ? path.join(path.dirname(file), specifier!) : specifier!,
  );
}

const arrows: readonly Arrow[] = files.flatMap((file) => importsOf(file).map((target) => ({ file, target })));

const broken = ({ from, isForbidden }: Rule, all: readonly Arrow[]) =>
  all.filter(({ file, target }) => from.test(file) && isForbidden(target, file));

/** `src/postgres` for `src/postgres/log/rows`, `src/config` for `src/config.ts`, `workflows` for `workflows/cart`. */
const folderOf = (file: string) => /^(src\/[^/.]+|[^/]+)/.exec(file)![1]!;

/** The first circle of imports among first-level folders, imports of types included; undefined where there is none. */
function findCircle(all: readonly Arrow[]): string[] | undefined {
  const next = new Map<string, Set<string>>();
  for (const { file, target } of all.filter((arrow) => isOurs(arrow.target))) {
    const [from, to] = [folderOf(file), folderOf(target)];
    if (from !== to) next.set(from, (next.get(from) ?? new Set()).add(to));
  }
  const visited = new Set<string>();
  const visit = (folder: string, trail: readonly string[]): string[] | undefined => {
    if (trail.includes(folder)) return [...trail.slice(trail.indexOf(folder)), folder];
    if (visited.has(folder)) return undefined;
    visited.add(folder);
    for (const target of next.get(folder) ?? []) {
      const circle = visit(target, [...trail, folder]);
      if (circle !== undefined) return circle;
    }
    return undefined;
  };
  for (const folder of next.keys()) {
    const circle = visit(folder, []);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

describe('imports', () => {
  it('are found', () => {
    expect(arrows.length).toBeGreaterThan(300);
    expect(importsOf('workflows/cart.ts')).toContain('src/domain/handle');
    expect(importsOf('src/worker/bundle.ts')).toContain('workflows/cart');
  });

  describe.each(rules)('$title', (rule) => {
    it('is obeyed', () => {
      expect(broken(rule, arrows)).toEqual([]);
    });

    it('is broken by one forbidden import', () => {
      expect(broken(rule, [...arrows, rule.example])).toEqual([rule.example]);
    });
  });

  it('form no circle among the first-level folders', () => {
    expect(findCircle(arrows)).toBeUndefined();
  });

  it('form a circle with one import back', () => {
    const back = { file: 'src/domain/decide.ts', target: 'src/http/problem' };
    expect(findCircle([...arrows, back])).toContain('src/domain');
    const long = { file: 'src/contract/ids.ts', target: 'src/roles/role' };
    expect(findCircle([...arrows, long])).toContain('src/contract');
  });
});

describe('statements', () => {
  const outside = (allowed: RegExp, statement: RegExp) =>
    files.filter((file) => !allowed.test(file) && statement.test(textOf(file)));
  const writes = (tables: string) =>
    new RegExp(
      `(insert into|update|delete from)\\s+(${tables})\\b|\\('(${tables})'\\)\\s*\\.(insert|update|delete|merge)`,
    );

  it('are only in src/postgres and src/queries', () => {
    expect(outside(/^src\/(postgres|queries)\//, /\.raw\(|\b(db|trx)\('/)).toEqual([]);
  });

  it('write the log only in the projection', () => {
    expect(
      outside(/^src\/postgres\/(projection|migrations)\//, writes('cart_commands|cart_events|cart_users')),
    ).toEqual([]);
    expect(writes('cart_commands|cart_events|cart_users').test(textOf('src/postgres/projection/write.ts'))).toBe(true);
  });

  it('write the read model only in the projection and in a rebuild', () => {
    const tables = writes('carts|cart_items|cart_item_history');
    expect(outside(/^src\/postgres\/(projection|migrations|read-model\/(replace|tables))/, tables)).toEqual([]);
    expect(tables.test(textOf('src/postgres/projection/write.ts'))).toBe(true);
  });
});

describe('process.env', () => {
  it('is read only in src/config.ts', () => {
    expect(files.filter((file) => textOf(file).includes('process.env'))).toEqual(['src/config.ts']);
  });
});
