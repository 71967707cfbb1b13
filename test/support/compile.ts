import { execFileSync } from 'node:child_process';
import path from 'node:path';

const root = path.resolve(__dirname, '../..');

/** Compiles the project as `npm run build` does. @returns the folder of the code. Remove it after the tests. */
export function compile(name: string): string {
  const folder = path.join(root, '.tmp', `${name}-${process.pid}`);
  const tsc = require.resolve('typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', folder], { cwd: root });
  execFileSync(process.execPath, [path.join(folder, 'src/main-bundle.js')]);
  return folder;
}
