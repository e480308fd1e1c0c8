// schema.graphql as its readers see it: all of it described, nothing that a linter minds. It is an export of the server's,
// so what is to be mended is mended there.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import graphqlEslint from '@graphql-eslint/eslint-plugin';
import { ESLint } from 'eslint';
import {
  buildClientSchema,
  getIntrospectionQuery,
  getNullableType,
  isInputObjectType,
  isIntrospectionType,
  isListType,
  isNonNullType,
  isSpecifiedScalarType,
  lexicographicSortSchema,
  printSchema,
} from 'graphql';

import { startDemo } from '../support/demo.mjs';
import { schema } from './oracle/oracle.mjs';
import { ask, ROOT } from './support.mjs';

const types = Object.values(schema.getTypeMap()).filter(
  (type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type),
);

/** All that can have a description: [coordinate, thing]. */
const things = types.flatMap((type) => [
  [type.name, type],
  ...(type.getValues?.() ?? []).map((value) => [`${type}.${value.name}`, value]),
  ...Object.values(type.getFields?.() ?? {}).flatMap((field) => [
    [`${type}.${field.name}`, field],
    ...(field.args ?? []).map((argument) => [`${type}.${field.name}(${argument.name}:)`, argument]),
  ]),
]);

test('every type, field, argument and value is described, in a sentence', () => {
  assert.ok(things.length > 200);
  for (const [coordinate, { description }] of things) {
    assert.match(description ?? '', /[A-Za-z].*[.!?)]$/s, coordinate);
  }
});

test('whatever may be null says when it is, and what may be left out what that means', () => {
  const mayBeNull = (type) =>
    !isNonNullType(type) || (isListType(getNullableType(type)) && mayBeNull(getNullableType(type).ofType));
  const nullable = things.filter(([, thing]) => thing.type && mayBeNull(thing.type));
  assert.ok(nullable.length > 50);
  const silent = nullable.filter(([, thing]) => !/\b(null|default)\b/.test(thing.description ?? ''));
  assert.deepEqual(
    silent.map(([coordinate]) => coordinate),
    [],
  );
});

test('introspection tells all of it, descriptions too', async () => {
  const demo = await startDemo();
  const { answer } = await ask(demo, 'northwind', { query: getIntrospectionQuery({ inputValueDeprecation: true }) });
  await demo.stop();
  const written = (schema) => printSchema(lexicographicSortSchema(schema));
  assert.equal(written(buildClientSchema(answer.data)), written(schema));
});

test('graphql-schema-linter minds nothing', () => {
  // All rules but the alphabetical orders: fields stand in the order of their meaning, which the contract gives.
  const rules = [
    'arguments-have-descriptions',
    'defined-types-are-used',
    'deprecations-have-a-reason',
    'descriptions-are-capitalized',
    'enum-values-all-caps',
    'enum-values-have-descriptions',
    'fields-are-camel-cased',
    'fields-have-descriptions',
    'input-object-values-are-camel-cased',
    'input-object-values-have-descriptions',
    'relay-connection-arguments-spec',
    'relay-connection-types-spec',
    'relay-page-info-spec',
    'types-are-capitalized',
    'types-have-descriptions',
  ];
  const linter = fileURLToPath(new URL('node_modules/.bin/graphql-schema-linter', import.meta.url));
  const run = spawnSync(linter, ['--format', 'json', '--rules', rules.join(','), `${ROOT}/schema.graphql`], {
    encoding: 'utf8',
  });
  assert.equal(run.stderr, '');
  assert.deepEqual(JSON.parse(run.stdout).errors, []);
});

const configs = graphqlEslint.configs;

/** The contract's names and shapes where a rule would have it otherwise. */
const schemaRules = {
  ...configs['flat/schema-recommended'].rules,
  ...configs['flat/schema-relay'].rules,
  // The exporter writes one line inline and more as a block.
  '@graphql-eslint/description-style': 'off',
  // Account.accountId: `id` is Relay's, and accounts have three ids.
  '@graphql-eslint/no-typename-prefix': 'off',
  // Cards and partners have LC's ids; what is part of something else has none.
  '@graphql-eslint/strict-id-in-types': [
    'error',
    {
      acceptedIdTypes: ['ID', 'ObjectID'],
      exceptions: {
        types: [
          'ConnectedAccount',
          'FieldChange',
          'PageInfo',
          'Provenance',
          'RepairPlan',
          'SourceStatus',
          'UiState',
          'Viewer',
        ],
        suffixes: ['Connection', 'Edge', 'Payload', 'Error'],
      },
    },
  ],
  // Connections have `nodes` beside `edges`, and a few short lists come whole.
  '@graphql-eslint/relay-edge-types': [
    'error',
    { withEdgeSuffix: true, shouldImplementNode: true, listTypeCanWrapOnlyEdgeType: false },
  ],
  // The trail of repairs is paged forwards alone.
  '@graphql-eslint/relay-arguments': ['error', { includeBoth: false }],
};

async function lint(files, rules, schemaFile = 'schema.graphql') {
  const graphQLConfig = { schema: `${ROOT}/${schemaFile}`, documents: `${ROOT}/tests/judges/documents/*.graphql` };
  const eslint = new ESLint({
    cwd: ROOT,
    overrideConfigFile: true,
    overrideConfig: {
      files: ['**/*.graphql'],
      plugins: { '@graphql-eslint': graphqlEslint },
      languageOptions: { parser: graphqlEslint.parser, parserOptions: { graphQLConfig } },
      linterOptions: { reportUnusedDisableDirectives: 'error' },
      rules,
    },
  });
  const results = await eslint.lintFiles(files);
  const complaints = results.flatMap(({ filePath, messages }) =>
    messages.map(({ line, ruleId, message }) => `${filePath}:${line} ${ruleId} ${message}`),
  );
  return { files: results.length, complaints };
}

test('graphql-eslint minds nothing in the schema: recommended, and Relay', async () => {
  assert.deepEqual(await lint('schema.graphql', schemaRules), { files: 1, complaints: [] });
});

test('graphql-eslint minds nothing in the documents', async () => {
  const { files, complaints } = await lint(
    'tests/judges/documents/*.graphql',
    configs['flat/operations-recommended'].rules,
  );
  assert.ok(files >= 6);
  assert.deepEqual(complaints, []);
});
