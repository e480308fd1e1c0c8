// Automatic persisted queries: a client sends the SHA-256 of its document, and the document itself only when the server
// does not know it yet. A client is given as
//
//   connect({ key, fetch, byGet }) → { read(text, variables), write(text, variables) }
//
// and by the method that it sends a document by when it wants GET for hashes.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';

import { OTHER_SSO_ONLY } from './facts.mjs';
import { recordingFetch } from './recording-fetch.mjs';

export const sha256 = (text) => createHash('sha256').update(text).digest('hex');

export function provePersistedQueries(demo, { taughtBy = 'POST', connect }) {
  const open = (byGet) => {
    const exchanges = [];
    return { exchanges, ...connect({ key: demo.keys.superuser, fetch: recordingFetch(exchanges), byGet }) };
  };
  const codesOf = ({ errors = [] }) => errors.map(({ extensions }) => extensions.code);
  // How a request travelled, what it bore, what it met.
  const summary = ({ method, parameters, errors }) =>
    [method, 'query' in parameters ? 'document' : 'hash', ...codesOf({ errors })];
  const totalOf = async (client, document) => (await client.read(document, { first: 1 })).connections.totalCount;

  describe('persisted queries', () => {
    for (const byGet of [true, false]) {
      const method = byGet ? 'GET' : 'POST';
      const document = `query PersistedBy${method}($first: Int) { connections(first: $first) { totalCount } }`;

      it(`by ${method}: the document travels once, then its hash alone`, async () => {
        const client = open(byGet);
        assert.equal(await totalOf(client, document), 10);
        assert.equal(await totalOf(client, document), 10);
        assert.deepEqual(client.exchanges.map(summary), [
          [method, 'hash', 'PERSISTED_QUERY_NOT_FOUND'],
          [byGet ? taughtBy : 'POST', 'document'],
          [method, 'hash'],
        ]);
        const [asked, taught] = client.exchanges;
        assert.equal(asked.errors[0].message, 'PersistedQueryNotFound');
        assert.equal(asked.status, asked.contentType.startsWith('application/json') ? 200 : 400);
        for (const { parameters } of client.exchanges) {
          const { version, sha256Hash } = parameters.extensions.persistedQuery;
          assert.deepEqual([version, sha256Hash], [1, sha256(taught.parameters.query)]);
        }
      });

      it(`by ${method}: what one client taught, another uses`, async () => {
        const client = open(byGet);
        assert.equal(await totalOf(client, document), 10);
        assert.deepEqual(client.exchanges.map(summary), [[method, 'hash']]);
      });
    }

    it('mutations stay POST', async () => {
      const client = open(true);
      const document = 'mutation Plan($input: RepairConnectionInput!) { repairConnection(input: $input) { outcome } }';
      const input = { connectionId: OTHER_SSO_ONLY, dryRun: true };
      await client.write(document, { input });
      await client.write(document, { input });
      assert.deepEqual(new Set(client.exchanges.map(({ method }) => method)), new Set(['POST']));
      assert.deepEqual(client.exchanges.flatMap(codesOf), ['PERSISTED_QUERY_NOT_FOUND']);
    });
  });
}
