// graphql-js, the reference implementation, as an oracle: for each request it says whether the server must execute it, which
// kind of refusal it must give else, and what an answer must hold. The corpus takes each rule of validation in turn, then
// syntax, choice of operation, variables and limits; then valid requests are broken at random.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { parse, validate } from 'graphql';

import { startDemo } from '../support/demo.mjs';
import { choice, sizes, syntax, variables } from './oracle/corpus.mjs';
import { executed, failures, written } from './oracle/execution.mjs';
import { broken } from './oracle/mutations.mjs';
import { judge, rules, schema, verdictOf } from './oracle/oracle.mjs';
import { examples } from './oracle/rules.mjs';
import { seeds } from './oracle/seeds.mjs';
import { ask, assertForm, isLong, MOST_ERRORS } from './support.mjs';

const BROKEN = isLong ? 20_000 : 1_500;
// A seed of one's own finds other mistakes: JUDGES_SEED=… repeats a run.
const FIRST_SEED = Number(process.env.JUDGES_SEED ?? 1);

let demo;
const count = { requests: 0, executed: 0, refused: 0 };
before(async () => (demo = await startDemo()));
after(async () => {
  console.log(`graphql-js judged ${count.requests} requests: ${count.executed} executed, ${count.refused} refused`);
  await demo.stop();
});

/** One request at both; throws where they disagree. */
async function compare({ key = 'northwind', ...request }) {
  const opinion = judge(request);
  const asked = await ask(demo, key, request);
  count.requests += 1;
  count[opinion.verdict === 'executed' ? 'executed' : 'refused'] += 1;
  assertForm(asked);
  const verdict = verdictOf(asked.answer);
  if (verdict !== opinion.verdict) {
    const says = (of, reasons = []) => [of, ...reasons.slice(0, 3)].join('\n        ');
    const reasons = asked.answer.errors?.map((error) => error.message);
    throw new Error(`graphql-js: ${says(opinion.verdict, opinion.reasons)}\n    the server: ${says(verdict, reasons)}`);
  }
  if (verdict !== 'executed') return;
  const expected = await executed(opinion, request, demo, key);
  assert.equal(written(asked.answer.data), written(expected.data));
  const [actual, all] = [failures(asked.answer), failures(expected)];
  if (all.length <= MOST_ERRORS) assert.deepEqual(actual, all);
  else assert.ok(actual.length === MOST_ERRORS && actual.every((failure) => all.includes(failure)));
}

const asRequest = (example) => (typeof example === 'string' ? { query: example } : example);

/** Compares many, and fails with all that disagree, so that one mistake hides no other. */
async function compareAll(requests) {
  const disagreements = [];
  for (const request of requests) {
    try {
      await compare(asRequest(request));
    } catch (error) {
      disagreements.push(`${JSON.stringify(request).slice(0, 2_000)}\n    ${error.message}`);
    }
  }
  if (disagreements.length === 0) return;
  throw new Error(
    `they disagree on ${disagreements.length} of ${requests.length}:\n  ${disagreements.slice(0, 20).join('\n  ')}`,
  );
}

test('the corpus has examples for each rule of the specification', () => {
  const expected = rules.map((rule) => rule.name).filter((name) => name !== 'SingleFieldSubscriptionsRule');
  assert.deepEqual(Object.keys(examples), expected);
});

for (const rule of rules) {
  const { invalid, valid } = examples[rule.name] ?? {};
  if (!invalid) continue;
  test(`${rule.name}: the server refuses what breaks it, and executes what comes close`, async () => {
    for (const { query } of invalid.map(asRequest)) {
      assert.notEqual(validate(schema, parse(query), [rule]).length, 0, `${query} breaks it`);
    }
    for (const request of valid.map(asRequest)) {
      assert.equal(judge(request).verdict, 'executed', `${request.query} is sound`);
    }
    await compareAll([...invalid, ...valid]);
  });
}

test('the server and graphql-js agree on what is GraphQL', () => compareAll(syntax));
test('they agree on which operation is chosen', () => compareAll(choice));
test('they agree on what variables may hold', () => compareAll(variables));
test('limits are where they are said to be', () => compareAll(sizes));

test('valid requests of every kind are executed', async () => {
  for (const seed of seeds) assert.equal(judge(seed).verdict, 'executed', JSON.stringify(judge(seed).reasons));
  await compareAll(seeds);
});

test(`they agree on ${BROKEN} requests broken at random`, async () => {
  const requests = Array.from({ length: BROKEN }, (_, index) => broken(seeds, FIRST_SEED + index));
  // A dry run that lost its flag would write, if it were staff's.
  for (const request of requests) if (request.query.includes('mutation')) delete request.key;
  const before = { ...count };
  await compareAll(requests);
  const executions = count.executed - before.executed;
  assert.ok(
    executions > BROKEN / 10 && executions < BROKEN / 2,
    `${executions} of ${BROKEN} were executed: neither few nor most`,
  );
});
