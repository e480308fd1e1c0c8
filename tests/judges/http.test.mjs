// GraphQL over HTTP, judged by the audits of graphql-http: one test for each, MUST, SHOULD and MAY alike.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { serverAudits } from 'graphql-http';

import { startDemo } from '../support/demo.mjs';

let demo;
before(async () => (demo = await startDemo()));
after(() => demo.stop());

const withKey = (url, { headers, ...options } = {}) =>
  fetch(url, { ...options, headers: { ...headers, authorization: `Bearer ${demo.keys.northwind}` } });

const audits = serverAudits({ url: () => `${demo.url}/graphql`, fetchFn: withKey });

test('the list of audits is the whole one of graphql-http 1.23', () => {
  assert.equal(audits.length, 61);
  assert.equal(new Set(audits.map((audit) => audit.id)).size, 61);
});

for (const { id, name, fn } of audits) {
  test(`${id}: the server ${name}`, async () => {
    const result = await fn();
    assert.equal(result.status, 'ok', result.reason);
  });
}
