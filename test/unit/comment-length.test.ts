import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const script = path.resolve(__dirname, '../../scripts/comment-length.mjs');
const folder = mkdtempSync(path.join(tmpdir(), 'comment-length-'));
afterAll(() => rmSync(folder, { recursive: true }));

function check(file: string, line: string) {
  writeFileSync(path.join(folder, file), `\n${line}\n`);
  const { status, stderr } = spawnSync(process.execPath, [script, path.join(folder, file)], { encoding: 'utf8' });
  return { status, stderr };
}
const fill = (text: string, length: number) => text.padEnd(length, 'x');

describe('a comment line', () => {
  it.each([
    ['a.ts', '// '],
    ['a.ts', '/** '],
    ['a.ts', '   * '],
    ['a.ts', '  -- '],
    ['a.ts', 'const a = 1; // '],
    ['a.mjs', '// '],
    ['a.yml', '# '],
    ['a.sh', 'exit 0 # '],
  ])('of 121 characters in %s that begins with "%s" is found', (file, start) => {
    const { status, stderr } = check(file, fill(start, 121));
    expect(status).toBe(1);
    expect(stderr).toContain(`${file}:2: `);
    expect(check(file, fill(start, 120))).toEqual({ status: 0, stderr: '' });
  });

  it('is no line of code', () => {
    expect(check('a.ts', fill("const url = 'https://", 200))).toEqual({ status: 0, stderr: '' });
  });
});
