import { readPrivateKey } from '../heads/keys';
import { signedLines } from '../heads/list';
import { writeHeads } from '../heads/write-heads';
import { readHeads } from '../postgres/log/read-heads';
import type { OpsContext, RegisterOp } from './context';
import { examples } from './options';

export const registerHeads: RegisterOp = (program, run) => {
  program
    .command('heads')
    .description('write a signed list of the heads of all hash chains, to be kept outside of the database')
    .option('--out <file>', 'the file; without it, the list goes to standard output')
    .addHelpText('after', examples('heads --out heads.jsonl', 'verify --heads heads.jsonl'))
    .action(({ out }: { out?: string }) => run((context) => heads(context, out)));
};

async function heads(context: OpsContext, out: string | undefined): Promise<number> {
  const privateKey = await readPrivateKey(context.config.heads);
  if (out === undefined) {
    const lines = signedLines(readHeads(context.db), privateKey, new Date().toISOString());
    for await (const line of lines) context.print(line.trimEnd());
  } else {
    const users = await writeHeads(context.db, privateKey, out);
    context.print(`The heads of ${users} users were written to ${out}`);
  }
  return 0;
}
