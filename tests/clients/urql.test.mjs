// urql, with its document cache's place taken by the normalised one (graphcache).

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { Client, fetchExchange } from '@urql/core';
import { cacheExchange } from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';
import { persistedExchange } from '@urql/exchange-persisted';
import { getIntrospectionQuery } from 'graphql';

import { startDemo } from '../support/demo.mjs';
import { EMBEDDED } from './support/cache-rules.mjs';
import { documents } from './support/documents.mjs';
import { OTHER_SSO_ONLY, proveFacts } from './support/facts.mjs';
import { provePersistedQueries } from './support/persisted-queries.mjs';
import './support/quiet.mjs';
import { recordingFetch } from './support/recording-fetch.mjs';

const demo = await startDemo();
const url = `${demo.url}/graphql`;
const newClient = ({ key, exchanges = [], fetch }) => {
  const headers = key === null ? {} : { authorization: `Bearer ${key}` };
  return new Client({ url, fetch, fetchOptions: { headers }, exchanges: [...exchanges, fetchExchange] });
};
const withoutTypenames = (data) =>
  JSON.parse(JSON.stringify(data, (name, value) => (name === '__typename' ? undefined : value)));
const dataOf = ({ data, error }) => {
  if (error) throw error;
  return data;
};
const schema = dataOf(await newClient({ key: demo.keys.northwind }).query(getIntrospectionQuery(), {}).toPromise());
after(() => demo.stop());

describe('urql', () => {
  proveFacts(demo, 'application/graphql-response+json', ({ key, fetch }) => {
    const client = newClient({ key, fetch });
    return {
      read: async (name, variables) => dataOf(await client.query(documents[name], variables).toPromise()),
      write: async (name, variables) => dataOf(await client.mutation(documents[name], variables).toPromise()),
      explain: ({ response, graphQLErrors: [{ extensions }] }) => ({ status: response.status, code: extensions.code }),
    };
  });

  describe('its normalised cache, which knows the schema', () => {
    const newCachingClient = ({ fetch, resolvers = { Query: { connections: relayPagination() } } } = {}) => {
      const keys = Object.fromEntries(EMBEDDED.map((type) => [type, () => null]));
      const cache = cacheExchange({ schema, keys, resolvers });
      return newClient({ key: demo.keys.superuser, exchanges: [cache], fetch });
    };
    const all = { first: 20 };
    const nodesOf = ({ connections }) => connections.edges.map(({ node }) => node);
    const read = async (client, variables, context) =>
      dataOf(await client.query(documents.Connections, variables, context).toPromise());

    it('gathers the pages into one list', async () => {
      const client = newCachingClient();
      let data = await read(client, { first: 3 });
      for (const length of [6, 9, 10]) {
        const { hasNextPage, endCursor } = data.connections.pageInfo;
        assert.equal(hasNextPage, true);
        data = await read(client, { first: 3, after: endCursor });
        assert.equal(nodesOf(data).length, length);
      }
      assert.equal(data.connections.pageInfo.hasNextPage, false);
      assert.deepEqual(nodesOf(data), nodesOf(await read(newCachingClient(), all)));
    });

    it('holds one entity before and after a repair, and a list on the screen shows it repaired', async () => {
      const exchanges = [];
      const client = newCachingClient({ fetch: recordingFetch(exchanges) });
      const shown = [];
      const list = client.query(documents.Connections, all);
      const watching = list.subscribe((result) => shown.push(nodesOf(dataOf(result))));
      while (shown.length === 0) await setTimeout(5);
      const place = shown[0].findIndex(({ connectionId }) => connectionId === OTHER_SSO_ONLY);
      assert.equal(shown[0][place].status, 'SSO_ONLY');

      const input = { connectionId: OTHER_SSO_ONLY };
      const { repairConnection } = dataOf(await client.mutation(documents.Repair, { input }).toPromise());
      assert.equal(repairConnection.outcome, 'CREATED');

      assert.deepEqual(shown.at(-1)[place], repairConnection.partnership);
      assert.equal(shown.at(-1).length, 10);
      assert.equal(exchanges.length, 2, 'the list was not asked for again');
      watching.unsubscribe();
    });

    it('shows through fragments on interfaces what the server said', async () => {
      const [{ id }] = nodesOf(await read(newCachingClient(), all));
      for (const isDetailed of [true, false]) {
        // relayPagination knows pages alone, and here a list is asked for its count.
        const clients = [newCachingClient({ resolvers: {} }), newClient({ key: demo.keys.superuser })];
        const [cached, plain] = await Promise.all(
          clients.map((client) => client.query(documents.Shapes, { id, isDetailed }).toPromise()),
        );
        assert.deepEqual(withoutTypenames(dataOf(cached)), withoutTypenames(dataOf(plain)));
      }
    });

    it('keeps partners apart that have no LC account', async () => {
      const client = newCachingClient();
      const whole = nodesOf(await read(client, all));
      const withoutAccount = whole.map(({ connectedAccount }) => connectedAccount).filter(({ id }) => id === null);
      assert.deepEqual(withoutAccount.map(({ name }) => name), ['Proseware Direct', 'Coho Lending']);
      assert.deepEqual(nodesOf(await read(client, all, { requestPolicy: 'cache-only' })), whole);
    });
  });

  provePersistedQueries(demo, {
    // It sends short documents by GET, too.
    taughtBy: 'GET',
    connect: ({ key, fetch, byGet }) => {
      const persisted = persistedExchange({ preferGetForPersistedQueries: byGet, enableForMutation: true });
      const client = newClient({ key, fetch, exchanges: [persisted] });
      return {
        read: async (text, variables) => dataOf(await client.query(text, variables).toPromise()),
        write: async (text, variables) => dataOf(await client.mutation(text, variables).toPromise()),
      };
    },
  });
});
