import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(__dirname, '../..');

const sourcesIn = (folder: string): string[] =>
  readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => path.join(folder, file));

/** What a file imports: packages by name, files of the project by their path from the root. */
function importsOf(file: string): string[] {
  const source = readFileSync(path.join(root, file), 'utf8');
  const specifiers = [...source.matchAll(/(?:\bfrom|\bimport|\brequire(?:\.resolve)?\()\s*\(?'([^']+)'/g)];
  return specifiers.map(([, specifier]) =>
    specifier!.startsWith('.') ? path.join(path.dirname(file), specifier!) : specifier!,
  );
}

const arrowsFrom = (folder: string) =>
  sourcesIn(folder).flatMap((file) => importsOf(file).map((target) => ({ file, target })));

const forbidden = (folder: string, isForbidden: (target: string) => boolean) =>
  arrowsFrom(folder).filter(({ target }) => isForbidden(target));

describe('imports', () => {
  it('are found at all', () => {
    expect(arrowsFrom('src').length).toBeGreaterThan(100);
    expect(importsOf('workflows/cart.ts')).toContain('src/domain/handle');
  });

  it('of the rules stay among the rules', () => {
    expect(forbidden('src/domain', (target) => !target.startsWith('src/domain/'))).toEqual([]);
  });

  it('of the workflow reach only the rules, ids, search attribute keys, and the types of the activities', () => {
    const allowed = /^(workflows\/|src\/domain\/|src\/temporal\/(ids|search-attribute-keys)$|@temporalio\/workflow$)/;
    expect(forbidden('workflows', (target) => !allowed.test(target))).toEqual([
      { file: 'workflows/cart.ts', target: 'activities' },
    ]);
    expect(readFileSync(path.join(root, 'workflows/cart.ts'), 'utf8')).toContain(
      "import type { Activities } from '../activities'",
    );
  });

  it('of the command side never reach the query side or knex', () => {
    expect(forbidden('src/commands', (target) => /^(src\/queries|knex|pg$)/.test(target))).toEqual([]);
  });

  it('of the query side never reach the command side or Temporal', () => {
    expect(
      forbidden('src/queries', (target) => /^(src\/commands|src\/temporal|workflows|@temporalio)/.test(target)),
    ).toEqual([]);
  });

  it('of the activities reach Postgres and the rules, not HTTP', () => {
    expect(forbidden('activities', (target) => /^(src\/(commands|queries|http)|express)/.test(target))).toEqual([]);
  });

  it('of what both sides share reach neither side', () => {
    const sides = /^src\/(commands|queries)\//;
    for (const folder of ['src/http', 'src/postgres', 'src/temporal']) {
      expect(forbidden(folder, (target) => sides.test(target))).toEqual([]);
    }
  });
});

describe('process.env', () => {
  it('is read in src/config.ts alone', () => {
    const readers = ['src', 'workflows', 'activities']
      .flatMap(sourcesIn)
      .filter((file) => readFileSync(path.join(root, file), 'utf8').includes('process.env'));
    expect(readers).toEqual(['src/config.ts']);
  });
});
