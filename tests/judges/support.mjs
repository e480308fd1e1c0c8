// What all judges need: the committed schema, a client that keeps every header and key as it came, and what must hold of
// each error whatever was asked.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
export const SDL = readFileSync(`${ROOT}/schema.graphql`, 'utf8');

/** The program that is judged, as ../support/demo.mjs finds it. */
export const BINARY = process.env.LC_CONNECTIONS || `${ROOT}/target/debug/lc-connections`;

/** The closed list of codes, as it is documented. */
export const CODES = readFileSync(`${ROOT}/docs/frontend.md`, 'utf8')
  .match(/<!-- error codes: begin -->(.*)<!-- error codes: end -->/s)[1]
  .match(/(?<=^\| `)[A-Z_]+(?=` \|)/gm);

export const MOST_ERRORS = 10;
const LONGEST_MESSAGE = 200;

/** Whether the long run was asked for. */
export const isLong = process.env.JUDGES_LONG === '1';

/** Asks a demo by POST; answers `{status, answer}`, the answer parsed. */
export async function ask(demo, key, request) {
  const response = await fetch(`${demo.url}/graphql`, {
    method: 'POST',
    headers: {
      accept: 'application/graphql-response+json',
      authorization: `Bearer ${demo.keys[key]}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify(request),
  });
  return { status: response.status, answer: await response.json() };
}

/** Judges an answer's form: its status, and each of its errors. */
export function assertForm({ status, answer }) {
  const { data, errors, ...others } = answer;
  assert.deepEqual(Object.keys(others), [], 'an answer has data and errors alone');
  assert.equal(status, 'data' in answer ? 200 : 400, 'executed is 200, refused is 400');
  if (!('data' in answer)) assert.ok(errors, 'a refusal says why');
  if (errors === undefined) return;
  assert.ok(Array.isArray(errors) && errors.length > 0, 'errors are there only when there are any');
  assert.ok(errors.length <= MOST_ERRORS, `at most ${MOST_ERRORS} errors`);
  for (const { message, locations, path, extensions, ...unknown } of errors) {
    assert.deepEqual(Object.keys(unknown), []);
    assert.ok(typeof message === 'string' && message !== '', 'each error has a message');
    assert.ok([...message].length <= LONGEST_MESSAGE, `a message has at most ${LONGEST_MESSAGE} characters`);
    assert.ok(CODES.includes(extensions?.code), `the code ${extensions?.code} is in the list`);
    assert.notEqual(extensions.code, 'INTERNAL');
    assert.match(extensions.requestId, /^[A-Za-z0-9._-]{1,64}$/);
    for (const { line, column } of locations ?? []) assert.ok(line >= 1 && column >= 1, 'places count from 1');
    if (!('data' in answer)) assert.equal(path, undefined, 'what was not executed failed at no path');
  }
}
