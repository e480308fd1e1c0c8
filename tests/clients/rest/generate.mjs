// Generates every client from both descriptions into generated/<version>/, by what its users have by default, and
// compiles the programs over those in TypeScript: strictly, which is the first half of their test.

import { execFile } from 'node:child_process';
import { copyFileSync, cpSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));
const descriptions = { 3.1: 'openapi.json', '3.0': 'openapi-3.0.json' };
const versions = Object.keys(descriptions);

/** Runs a program of npm's or PyPI's; its output is shown where it fails. */
async function run(program, ...options) {
  try {
    const { stdout, stderr } = await promisify(execFile)(`${here}${program}`, options, { cwd: here });
    return stdout + stderr;
  } catch (error) {
    throw new Error(`${program} ${options.join(' ')}\n${error.stdout}${error.stderr}`);
  }
}

const write = (name, value) => writeFileSync(`${here}generated/${name}`, JSON.stringify(value));

/** By openapi-generator, all in one process of Java's. */
async function byOpenapiGenerator() {
  const code = { apiDocs: 'false', modelDocs: 'false', apiTests: 'false', modelTests: 'false' };
  const properties = (version) => ({
    python: { packageName: `client_${version.replace('.', '_')}` },
    'typescript-fetch': {},
    javascript: { usePromises: true },
    java: {},
    rust: {},
  });
  const configurations = versions.flatMap((version) =>
    Object.entries(properties(version)).map(([generatorName, additionalProperties]) => {
      const configuration = `generated/${version}-${generatorName}.json`;
      write(`${version}-${generatorName}.json`, {
        generatorName,
        inputSpec: `${here}generated/${version}.json`,
        outputDir: `${here}generated/${version}/${generatorName}`,
        additionalProperties,
        globalProperties: code,
      });
      return configuration;
    }),
  );
  const options = ['--fail-fast', '--threads', '2'];
  const output = await run('.venv/bin/openapi-generator-cli', 'batch', ...options, ...configurations);
  const failures = output.split('\n').filter((line) => /\b(ERROR|Exception)\b/.test(line));
  if (failures.length > 0) throw new Error(`openapi-generator:\n${failures.join('\n')}`);
}

async function byOrval(version) {
  const output = (client) => ({ target: `./${version}/orval/${client}.ts`, client });
  const override = { mutator: { path: `./${version}/programs/orval-fetch.ts`, name: 'send' } };
  const configuration = {
    fetch: { input: `./${version}.json`, output: { ...output('fetch'), override } },
    zod: { input: `./${version}.json`, output: output('zod') },
  };
  writeFileSync(`${here}generated/orval-${version}.config.cjs`, `module.exports = ${JSON.stringify(configuration)};\n`);
  await run('node_modules/.bin/orval', '--config', `generated/orval-${version}.config.cjs`);
}

async function byHeyApi(version) {
  const names = ['@hey-api/typescript', '@hey-api/client-fetch', '@hey-api/sdk', 'zod'];
  const plugins = names.flatMap((name) => ['-p', name]);
  const paths = ['-i', `./generated/${version}.json`, '-o', `generated/${version}/hey-api`];
  await run('node_modules/.bin/openapi-ts', ...paths, ...plugins);
}

async function byDatamodelCodeGenerator(version) {
  const models = ['--input', `generated/${version}.json`, '--input-file-type', 'openapi', '--formatters', 'builtin'];
  // By default it takes what 3.0 requires to be never null.
  const nullable = version === '3.0' ? ['--strict-nullable'] : [];
  const output = ['--output-model-type', 'pydantic_v2.BaseModel', '--output', `generated/${version}/models.py`];
  await run('.venv/bin/datamodel-codegen', ...models, ...nullable, ...output);
}

/** The programs over the clients; JavaScript's modules name each other in a way that only bundlers resolve. */
async function compile(version) {
  const folder = `${here}generated/${version}`;
  await run('node_modules/.bin/tsc', '--project', `generated/${version}/programs`);
  const programs = readdirSync(`${folder}/programs`).filter((name) => /\.(ts|js)$/.test(name));
  await build({
    entryPoints: programs.map((name) => `${folder}/programs/${name}`),
    outdir: `${folder}/js`,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    // Some of what is bundled calls `require`.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'warning',
  });
}

rmSync(`${here}generated`, { recursive: true, force: true });
for (const version of versions) {
  // Beside what they are written over, so that one program is compiled with either version.
  cpSync(`${here}programs`, `${here}generated/${version}/programs`, { recursive: true });
  copyFileSync(`${here}../../../${descriptions[version]}`, `${here}generated/${version}.json`);
}
await Promise.all([
  byOpenapiGenerator(),
  ...versions.flatMap((version) => [byOrval(version), byHeyApi(version), byDatamodelCodeGenerator(version)]),
]);
await Promise.all(versions.map(compile));
