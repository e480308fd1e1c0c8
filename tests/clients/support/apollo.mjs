// What is tested of Apollo Client, whichever its version: the shared facts, its normalised cache, persisted queries.
// A version is given as its modules' exports and as a way to explain what it throws.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';

import { EMBEDDED } from './cache-rules.mjs';
import { documents } from './documents.mjs';
import { OTHER_SSO_ONLY, proveFacts } from './facts.mjs';
import { provePersistedQueries, sha256 } from './persisted-queries.mjs';

export function proveApollo(demo, mediaType, { modules, possibleTypes, explain }) {
  const { ApolloClient, HttpLink, InMemoryCache, createPersistedQueryLink, gql, relayStylePagination } = modules;
  const url = `${demo.url}/graphql`;
  const parsed = Object.fromEntries(Object.entries(documents).map(([name, text]) => [name, gql(text)]));
  const headersOf = (key) => (key === null ? {} : { authorization: `Bearer ${key}` });

  proveFacts(demo, mediaType, ({ key, fetch }) => {
    const link = new HttpLink({ uri: url, headers: headersOf(key), fetch });
    const client = new ApolloClient({ link, cache: new InMemoryCache({ possibleTypes }) });
    return {
      // The cache is judged below; here each reading asks the server.
      read: async (name, variables) =>
        (await client.query({ query: parsed[name], variables, fetchPolicy: 'network-only' })).data,
      write: async (name, variables) => (await client.mutate({ mutation: parsed[name], variables })).data,
      explain,
    };
  });

  describe('the normalised cache', () => {
    // All arguments but those that choose a page.
    const connections = relayStylePagination(['filter', 'orderBy', 'consistency']);
    const newClient = () =>
      new ApolloClient({
        link: new HttpLink({ uri: url, headers: headersOf(demo.keys.superuser) }),
        cache: new InMemoryCache({
          possibleTypes,
          typePolicies: {
            ...Object.fromEntries(EMBEDDED.map((type) => [type, { keyFields: false, merge: true }])),
            Account: { fields: { connections } },
            Query: { fields: { connections } },
          },
        }),
      });
    const partnershipsIn = (client) =>
      Object.values(client.cache.extract()).filter(({ __typename }) => __typename === 'Partnership');
    const all = { first: 20 };
    const nodesOf = ({ data }) => data.connections.edges.map(({ node }) => node);

    it('gathers the pages that fetchMore brings into one list', async () => {
      const client = newClient();
      const list = client.watchQuery({ query: parsed.Connections, variables: { first: 3 } });
      const shown = [];
      const watching = list.subscribe(({ data }) => data?.connections && shown.push(data.connections.edges.length));
      const toShow = async (length) => {
        while (shown.at(-1) !== length) await setTimeout(5);
      };
      for (const length of [3, 6, 9]) {
        await toShow(length);
        const { hasNextPage, endCursor } = list.getCurrentResult().data.connections.pageInfo;
        assert.equal(hasNextPage, true);
        await list.fetchMore({ variables: { after: endCursor } });
      }
      await toShow(10);
      const { edges, pageInfo } = list.getCurrentResult().data.connections;
      watching.unsubscribe();
      assert.equal(pageInfo.hasNextPage, false);
      const { data } = await newClient().query({ query: parsed.Connections, variables: all });
      assert.deepEqual(edges, data.connections.edges);
      assert.equal(partnershipsIn(client).length, 10);
    });

    it('holds one entity before and after a repair, and a list on the screen shows it repaired', async () => {
      const client = newClient();
      const shown = [];
      const watching = client
        .watchQuery({ query: parsed.Connections, variables: all })
        .subscribe((result) => result.data?.connections && shown.push(nodesOf(result)));
      while (shown.length === 0) await setTimeout(5);
      const place = shown[0].findIndex(({ connectionId }) => connectionId === OTHER_SSO_ONLY);
      const { id } = shown[0][place];
      const entities = () => partnershipsIn(client).filter((entity) => entity.id === id);
      const [before] = entities();
      assert.equal(before.status, 'SSO_ONLY');

      const variables = { input: { connectionId: OTHER_SSO_ONLY } };
      const { data } = await client.mutate({ mutation: parsed.Repair, variables });
      assert.equal(data.repairConnection.outcome, 'CREATED');

      assert.equal(partnershipsIn(client).length, 10, 'none was added');
      const [after] = entities();
      assert.equal(after.status, 'COMPLETED');
      assert.notEqual(after.connectionId, before.connectionId, 'it has its row’s id now');
      assert.deepEqual(shown.at(-1)[place], data.repairConnection.partnership, 'without another request');

      // What a refusal shows of it is that entity too.
      const again = await client.mutate({ mutation: parsed.Repair, variables });
      assert.equal(again.data.repairConnection.userErrors[0].existing.id, id);
      assert.equal(partnershipsIn(client).length, 10);
      watching.unsubscribe();
    });

    it('holds one entity, whichever way it was found', async () => {
      const client = newClient();
      const { data } = await client.query({ query: parsed.Connections, variables: { first: 1 } });
      const [{ id, connectionId, invitationId }] = nodesOf({ data });
      const byId = gql('query ById($id: ObjectID!) { connection(id: $id) { id drift } }');
      for (const key of [connectionId, invitationId]) {
        await client.query({ query: byId, variables: { id: key } });
      }
      const byNode = gql('query ByNode($ids: [ID!]!) { nodes(ids: $ids) { id ... on Partnership { localId } } }');
      await client.query({ query: byNode, variables: { ids: [id] } });
      const [entity, ...others] = partnershipsIn(client);
      assert.deepEqual(others, []);
      assert.deepEqual([entity.connectionId, entity.drift, entity.localId], [connectionId, 'IN_SYNC', connectionId]);
    });

    it('keeps partners apart that have no LC account', async () => {
      const client = newClient();
      const { data } = await client.query({ query: parsed.Connections, variables: all });
      const partners = nodesOf({ data }).map(({ connectedAccount }) => connectedAccount);
      const withoutAccount = partners.filter(({ id }) => id === null).map(({ name }) => name);
      assert.deepEqual(withoutAccount, ['Proseware Direct', 'Coho Lending']);
      const cached = client.readQuery({ query: parsed.Connections, variables: all });
      assert.deepEqual(nodesOf({ data: cached }).map(({ connectedAccount }) => connectedAccount), partners);
    });

    it('takes two queries that want different parts of an object, without losing either', async () => {
      const client = newClient();
      const parts = ['uiState { raw }', 'uiState { hasSetupBuyerDelivery }', 'provenance { local }', 'provenance { sso }']
        .concat(['connectedAccount { id name }', 'connectedAccount { id ssoId }'])
        .concat(['accountEntity { id name }', 'accountEntity { id website }'])
        .concat(['customEntities { id name }', 'customEntities { id source }']);
      const queries = [gql('{ viewer { isSuperuser } }'), gql('{ viewer { userEmail } }')].concat(
        parts.map((part) => gql(`{ connections(first: 20) { edges { node { id ${part} } } } }`)),
      );
      const answers = [];
      for (const query of queries) answers.push((await client.query({ query })).data);
      for (const [index, query] of queries.entries()) assert.deepEqual(client.readQuery({ query }), answers[index]);
    });

    it('takes a degraded list over a whole one: permissions turn unknown, and known again', async () => {
      const client = newClient();
      const read = async () =>
        nodesOf(await client.query({ query: parsed.Connections, variables: all, fetchPolicy: 'network-only' }));
      const whole = await read();
      await demo.scenario('down');
      const degraded = await read().finally(() => demo.scenario('ok'));
      const rows = whole.filter(({ status }) => status === 'COMPLETED');
      assert.deepEqual(degraded, rows.map((node) => ({ ...node, permissions: null })));
      assert.deepEqual(await read(), whole);
    });
  });

  provePersistedQueries(demo, {
    connect: ({ key, fetch, byGet }) => {
      const persisted = createPersistedQueryLink({ sha256, useGETForHashedQueries: byGet });
      const link = persisted.concat(new HttpLink({ uri: url, headers: headersOf(key), fetch }));
      const client = new ApolloClient({ link, cache: new InMemoryCache() });
      return {
        read: async (text, variables) =>
          (await client.query({ query: gql(text), variables, fetchPolicy: 'network-only' })).data,
        write: async (text, variables) => (await client.mutate({ mutation: gql(text), variables })).data,
      };
    },
  });
}
