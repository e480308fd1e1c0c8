// What docs/frontend.md has a frontend developer write, as it stands there: its types are generated, its files compiled and
// run. Its page is React's, which is not installed here; the lines of curl are run by tests/it/documents.rs.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { startDemo } from '../support/demo.mjs';
import { OTHER_SSO_ONLY } from './support/facts.mjs';
import './support/quiet.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const folder = `${here}generated/frontend/`;
const document = readFileSync(`${here}../../docs/frontend.md`, 'utf8');

/** The files of the document: each is the block under a paragraph that begins with the file's name. */
const files = Object.fromEntries(
  [...document.matchAll(/\n\n`([\w./]+)`(?:.|\n(?!\n))*\n\n```tsx?\n([^]*?)\n```/g)].map(([, name, text]) => [name, text]),
);

const demo = await startDemo();
after(() => demo.stop());

rmSync(folder, { recursive: true, force: true });
const write = (name, text) => {
  mkdirSync(dirname(`${folder}${name}`), { recursive: true });
  writeFileSync(`${folder}${name}`, text.replaceAll('http://localhost:8080', demo.url));
};
for (const name of ['codegen.ts', 'src/queries.ts', 'src/client.ts']) write(name, files[name]);
// So that Node finds what is compiled, which a bundler does by itself.
write('package.json', '{ "type": "commonjs" }');
write(
  'tsconfig.json',
  JSON.stringify({
    compilerOptions: {
      strict: true,
      module: 'commonjs',
      moduleResolution: 'bundler',
      target: 'es2022',
      lib: ['es2022', 'dom'],
      types: [],
      skipLibCheck: true,
      noEmitOnError: true,
      rootDir: 'src',
      outDir: 'js',
    },
    files: ['src/program.ts'],
  }),
);
write(
  'src/program.ts',
  `import { createClient } from './client';
import { Connections, Repair } from './queries';

export async function start(url: string, key: string) {
  const client = createClient(url, key);
  return {
    list: async () => (await client.query({ query: Connections, variables: { first: 20 } })).data!.connections,
    repair: async (connectionId: string) =>
      (await client.mutate({ mutation: Repair, variables: { connectionId } })).data!.repairConnection,
  };
}

export function mistake(connections: Awaited<ReturnType<Awaited<ReturnType<typeof start>>['list']>>) {
  // @ts-expect-error: permissions may be unknown
  return connections.edges[0].node.permissions.length;
}
`,
);
mkdirSync(`${folder}node_modules/@apollo`, { recursive: true });
symlinkSync(`${here}node_modules/apollo-client-4`, `${folder}node_modules/@apollo/client`);
const run = (program, options) =>
  execFileSync(`${here}node_modules/.bin/${program}`, options, {
    cwd: folder,
    env: { ...process.env, KEY: demo.keys.northwind },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
run('graphql-codegen', []);
run('tsc', ['--project', '.']);
const { start } = createRequire(import.meta.url)(`${folder}js/program.js`);

describe("the frontend developer's start", () => {
  it('has the files that its text names', () => {
    assert.deepEqual(Object.keys(files), ['codegen.ts', 'src/queries.ts', 'src/client.ts', 'src/main.tsx', 'src/App.tsx']);
  });

  it('lists, and shows what is repaired in the list that it has', async () => {
    const { list, repair } = await start(`${demo.url}/graphql`, demo.keys.superuser);
    const before = await list();
    assert.deepEqual([before.totalCount, before.degraded, before.edges.length], [10, false, 10]);
    assert.equal(before.edges.at(-1).node.status, 'SSO_ONLY');
    const repaired = await repair(OTHER_SSO_ONLY);
    assert.deepEqual(repaired.userErrors, []);
    const after = await list();
    assert.deepEqual([after.edges.length, after.edges.at(-1).node.status], [10, 'COMPLETED']);
    assert.equal(after.edges.at(-1).node.id, before.edges.at(-1).node.id);
    const [refusal] = (await repair(OTHER_SSO_ONLY)).userErrors;
    assert.equal(refusal.code, 'ALREADY_EXISTS');
  });

  it('knows all types of each interface', async () => {
    const { possibleTypes } = await import('./support/cache-rules.mjs');
    const [, named] = files['src/client.ts'].match(/possibleTypes: (\{.*\}),/);
    const types = new Function(`return ${named}`)();
    assert.deepEqual(types, await possibleTypes(demo));
  });
});
