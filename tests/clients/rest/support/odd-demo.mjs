// The demo with odd values in its tables, as another program may write them. Like ../../../support/demo.mjs, it gives
// what it has started, or prints it on one line and ends when its standard input does.

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';

import { startDemo } from '../../../support/demo.mjs';

const TEMPORARY = tmpdir();
const ODD_VALUES = readFileSync(new URL('odd-values.sql', import.meta.url), 'utf8');

/** Starts one demo, and writes the odd values. */
export async function startOddDemo() {
  const folder = mkdtempSync(`${TEMPORARY}/lc-connections-odd-`);
  // Where the demo makes its own folder, which it does not tell.
  process.env.TMPDIR = folder;
  const demo = await startDemo();
  const [database] = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('demo.db'));
  // Node.js 20 has no SQLite, Python has.
  const write = 'import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=30).executescript(sys.stdin.read())';
  execFileSync('python3', ['-c', write, `${folder}/${database}`], { input: ODD_VALUES });
  return {
    ...demo,
    async stop() {
      await demo.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { url, ssoUrl, keys, stop } = await startOddDemo();
  console.log(JSON.stringify({ url, ssoUrl, keys }));
  process.stdin.resume();
  await once(process.stdin, 'end');
  await stop();
}
