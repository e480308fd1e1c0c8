// The operations in documents/ are such as a frontend or an operator sends. Each executes without an error, and together
// they use all of the schema: every type, field, argument, input field and value that can be given.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import {
  getNamedType,
  isAbstractType,
  isEnumType,
  isInputObjectType,
  isIntrospectionType,
  isSpecifiedScalarType,
  parse,
  print,
  separateOperations,
  TypeInfo,
  typeFromAST,
  visit,
  visitWithTypeInfo,
} from 'graphql';

import { startDemo } from '../support/demo.mjs';
import { schema } from './oracle/oracle.mjs';
import { ask, assertForm } from './support.mjs';

const FOLDER = new URL('documents/', import.meta.url);
const operations = Object.assign(
  {},
  ...readdirSync(FOLDER).map((name) => separateOperations(parse(readFileSync(new URL(name, FOLDER), 'utf8')))),
);

const northwind = 'a00000000000000000000001';
const inSync = 'c00000000000000000000001';
const ssoOnly = 'c00000000000000000000009';
const drifted = { drift: ['MISSING_LOCALLY', 'MISSING_IN_SSO', 'FIELD_MISMATCH'] };
const repair = { connectionId: ssoOnly, accountId: northwind, reason: 'the invitation was missed' };

/** What is asked, by whom, in this order. Variables may come from what an earlier one answered last, by operation. */
const STEPS = [
  ['CurrentViewer', 'northwind', {}],
  ['CurrentViewer', 'superuser', {}],
  ['ConnectionList', 'northwind', { first: 4 }],
  [
    'ConnectionList',
    'northwind',
    ({ ConnectionList }) => ({ first: 4, after: ConnectionList.connections.pageInfo.endCursor }),
  ],
  [
    'ConnectionList',
    'contoso',
    { filter: { relationshipType: 'BUYER', search: 'north', hasPermission: ['view_submission_docs'] } },
  ],
  [
    'ConnectionList',
    'northwind',
    { filter: { relationshipType: 'SELLER', status: ['COMPLETED', 'SSO_ONLY'] }, withCards: false },
  ],
  [
    'ConnectionList',
    'northwind',
    { filter: { updatedSince: '2024-04-01T00:00:00Z' }, orderBy: { field: 'CREATED_AT', direction: 'ASC' } },
  ],
  ['ConnectionList', 'northwind', { filter: { drift: ['IN_SYNC'] }, consistency: 'FAIL_OPEN' }],
  ['ConnectionList', 'northwind', { filter: { drift: ['UNKNOWN'] }, consistency: 'LOCAL_ONLY' }],
  ['PreviousConnections', 'northwind', { last: 3 }],
  [
    'PreviousConnections',
    'northwind',
    ({ PreviousConnections }) => ({ last: 3, before: PreviousConnections.connections.pageInfo.startCursor }),
  ],
  ['ConnectionDetail', 'northwind', { id: inSync }],
  ['ConnectionDetail', 'northwind', { id: ssoOnly, consistency: 'REQUIRE_SSO' }],
  ['RefreshOne', 'northwind', ({ CurrentViewer }) => ({ id: CurrentViewer.viewer.account.id })],
  [
    'RefreshMany',
    'northwind',
    ({ PreviousConnections }) => ({ ids: PreviousConnections.connections.nodes.map((node) => node.id) }),
  ],
  ['TenantDrift', 'superuser', { account: northwind, filter: drifted, first: 2 }],
  [
    'TenantDrift',
    'superuser',
    ({ TenantDrift }) => ({
      account: northwind,
      filter: drifted,
      after: TenantDrift.account.connections.pageInfo.endCursor,
    }),
  ],
  ['TenantBackwards', 'superuser', { account: northwind, last: 2 }],
  [
    'TenantBackwards',
    'superuser',
    ({ TenantBackwards }) => ({
      account: northwind,
      last: 2,
      before: TenantBackwards.account.connections.pageInfo.startCursor,
    }),
  ],
  ['RepairConnection', 'superuser', { input: { ...repair, dryRun: true } }],
  ['RepairConnection', 'superuser', { input: repair }],
  ['RepairConnection', 'superuser', { input: repair }],
  ['RepairTrail', 'superuser', { id: ssoOnly, first: 1 }],
  [
    'RepairTrail',
    'superuser',
    ({ RepairTrail }) => ({ id: ssoOnly, after: RepairTrail.connection.repairs.pageInfo.endCursor }),
  ],
  ['RefreshOne', 'superuser', ({ RepairTrail }) => ({ id: RepairTrail.connection.repairs.nodes[0].id })],
];

const types = Object.values(schema.getTypeMap()).filter(
  (type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type),
);
const fieldsOf = (type) => Object.values(type.getFields?.() ?? {});

/** Everything that a request can name, by the coordinates of the specification. */
function everything() {
  const inputs = types.flatMap((type) =>
    isInputObjectType(type) ? fieldsOf(type) : fieldsOf(type).flatMap((field) => field.args),
  );
  const enums = new Set(inputs.map((input) => getNamedType(input.type)).filter(isEnumType));
  return [
    ...types.map((type) => type.name),
    ...types.flatMap((type) => fieldsOf(type).map((field) => `${type}.${field.name}`)),
    ...types.flatMap((type) =>
      fieldsOf(type).flatMap((field) => (field.args ?? []).map(({ name }) => `${type}.${field.name}(${name}:)`)),
    ),
    ...[...enums].flatMap((type) => type.getValues().map((value) => `${type}.${value.name}`)),
  ];
}

/** What of the schema an operation names with these variables. */
function usedBy(document, variables) {
  const used = new Set();
  const look = new TypeInfo(schema);
  visit(
    document,
    visitWithTypeInfo(look, {
      OperationDefinition: () => void used.add(look.getType().name),
      Field({ name }) {
        used.add(getNamedType(look.getType()).name);
        // A field of an interface is one of each object behind it.
        const parent = look.getParentType();
        const objects = isAbstractType(parent) ? schema.getPossibleTypes(parent) : [];
        for (const type of [parent, ...objects]) used.add(`${type}.${name.value}`);
      },
      InlineFragment: () => void used.add(look.getType().name),
      FragmentDefinition: () => void used.add(look.getType().name),
      Argument: ({ name }) => void used.add(`${look.getParentType()}.${look.getFieldDef()?.name}(${name.value}:)`),
      ObjectField: ({ name }) => void used.add(`${getNamedType(look.getParentInputType())}.${name.value}`),
      EnumValue: ({ value }) => void used.add(`${getNamedType(look.getInputType())}.${value}`),
      VariableDefinition: ({ variable, type }) =>
        useValue(variables[variable.name.value], getNamedType(typeFromAST(schema, type))),
    }),
  );

  function useValue(value, type) {
    used.add(type.name);
    if (Array.isArray(value)) for (const item of value) useValue(item, type);
    else if (isEnumType(type)) used.add(`${type}.${value}`);
    else if (isInputObjectType(type)) {
      for (const [name, inner] of Object.entries(value ?? {})) {
        used.add(`${type}.${name}`);
        useValue(inner, getNamedType(type.getFields()[name].type));
      }
    }
  }
  return used;
}

let demo;
before(async () => (demo = await startDemo()));
after(() => demo.stop());

const used = new Set();
const answers = {};

for (const [index, [operation, key, variablesOrSource]] of STEPS.entries()) {
  test(`${index + 1}: ${operation} is answered without an error`, async () => {
    const variables = typeof variablesOrSource === 'function' ? variablesOrSource(answers) : variablesOrSource;
    const asked = await ask(demo, key, { query: print(operations[operation]), operationName: operation, variables });
    assertForm(asked);
    assert.equal(asked.answer.errors, undefined, JSON.stringify(asked.answer.errors));
    answers[operation] = asked.answer.data;
    for (const name of usedBy(operations[operation], variables)) used.add(name);
  });
}

test('every document is among them', () => {
  assert.deepEqual(Object.keys(operations).sort(), [...new Set(STEPS.map(([operation]) => operation))].sort());
});

test('they use all of the schema', () => {
  const all = everything();
  assert.deepEqual(
    all.filter((name) => !used.has(name)),
    [],
  );
  console.log(
    `documents: ${Object.keys(operations).length} operations in ${STEPS.length} requests use all ${all.length} of the schema`,
  );
});
