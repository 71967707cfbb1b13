// Fails if a comment line is longer than 120 characters, because Biome does not wrap comments.
// Usage: node scripts/comment-length.mjs [file or folder …], by default the whole project.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

const maxLength = 120;
// Migrations are never edited once they have been applied, and files of others are kept as they came.
const skippedFolder = /^(node_modules|dist|migrations|vendor|\.(?!ci$).+)$/;
// Generated from the description of the API.
const skippedFile = path.normalize('client/src/api.ts');

// TypeScript files contain SQL, in which `--` begins a comment.
const commentPatterns = [
  { file: /\.([cm]?[jt]s)$/, comment: /^\s*(\/\/|\/?\*|--\s)|\s\/[/*]\s/ },
  { file: /\.(ya?ml|sh)$|(^|\/)(Dockerfile|\.ci\/run)$/, comment: /(^|\s)#\s/ },
];

function filesIn(place) {
  if (statSync(place).isFile()) return [place];
  return readdirSync(place, { withFileTypes: true })
    .filter((entry) => entry.isFile() || (entry.isDirectory() && !skippedFolder.test(entry.name)))
    .map((entry) => path.join(place, entry.name))
    .filter((found) => found !== skippedFile)
    .flatMap(filesIn);
}

function longCommentsIn(file) {
  const comment = commentPatterns.find((pattern) => pattern.file.test(file))?.comment;
  if (comment === undefined) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .map((text, index) => ({ text, place: `${file}:${index + 1}` }))
    .filter(({ text }) => [...text].length > maxLength && comment.test(text))
    .map(({ text, place }) => `${place}: a comment line of ${[...text].length} characters`);
}

const places = process.argv.length > 2 ? process.argv.slice(2) : ['.'];
const findings = places.flatMap(filesIn).flatMap(longCommentsIn);
for (const finding of findings) console.error(finding);
process.exitCode = findings.length > 0 ? 1 : 0;
