// What every client has to find out about the demo, each in its own way. A client is given as
//
//   connect({ url, key, fetch }) → { read(name, variables), write(name, variables), explain(error) }
//
// where `read` and `write` send one of support/documents.mjs with the client's default settings and give its data, and
// `explain` takes { status, code } out of what the client throws; status is null where the client does not tell it.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { asRest } from './as-rest.mjs';
import { recordingFetch } from './recording-fetch.mjs';

/** In SSO alone until a superuser repairs them; one for these facts, one for a client's own tests. */
export const SSO_ONLY = 'c00000000000000000000009';
export const OTHER_SSO_ONLY = 'c0000000000000000000000a';

const PAGE = 3;

/** Without what clients add for themselves. */
const plain = (value) => JSON.parse(JSON.stringify(value, (name, value) => (name.startsWith('__') ? undefined : value)));

export async function restList(demo, key = demo.keys.northwind) {
  const answer = await fetch(`${demo.url}/connections`, { headers: { authorization: `Bearer ${key}` } });
  assert.equal(answer.status, 200);
  return answer.json();
}

/**
 * The facts, as tests. `mediaType` is what the server answers with to the Accept that the client sends by default.
 */
export function proveFacts(demo, mediaType, connect) {
  const exchanges = [];
  const as = (key) => connect({ url: `${demo.url}/graphql`, key, fetch: recordingFetch(exchanges) });
  const northwind = as(demo.keys.northwind);
  const superuser = as(demo.keys.superuser);
  const nodesOf = ({ connections }) => connections.edges.map(({ node }) => node);

  describe('reads', () => {
    it('the list with its nested entities, equal to REST in every field', async () => {
      const { connections } = await northwind.read('Connections', { first: 20 });
      assert.deepEqual(nodesOf({ connections }).map(asRest), await restList(demo));
      assert.equal(connections.totalCount, 10);
      assert.equal(connections.degraded, false);
      const { node } = connections.edges[0];
      assert.equal(node.accountEntity.connected, 'SELLER');
      assert.deepEqual(node.customEntities.map(({ name }) => name), ['Contoso, home insurance', 'Contoso, returns']);
    });

    it('the first page', async () => {
      const { connections } = await northwind.read('Connections', { first: PAGE });
      assert.deepEqual(nodesOf({ connections }).map(asRest), (await restList(demo)).slice(0, PAGE));
      assert.equal(connections.pageInfo.hasNextPage, true);
      assert.equal(connections.pageInfo.hasPreviousPage, false);
      assert.equal(connections.pageInfo.startCursor, connections.edges[0].cursor);
      assert.equal(connections.pageInfo.endCursor, connections.edges.at(-1).cursor);
    });

    it('page after page to the end: each connection once, in order', async () => {
      const pages = [];
      let pageInfo = { hasNextPage: true, endCursor: null };
      while (pageInfo.hasNextPage) {
        const data = await northwind.read('Connections', { first: PAGE, after: pageInfo.endCursor });
        pages.push(nodesOf(data).map(({ connectionId }) => connectionId));
        ({ pageInfo } = data.connections);
      }
      assert.deepEqual(pages.map(({ length }) => length), [3, 3, 3, 1]);
      assert.deepEqual(pages.flat(), (await restList(demo)).map(({ id }) => id));
    });

    it('the other side of a connection, with that account’s key', async () => {
      const data = await as(demo.keys.contoso).read('Connections', { first: 20 });
      assert.deepEqual(nodesOf(data).map(asRest), await restList(demo, demo.keys.contoso));
      assert.equal(nodesOf(data)[0].relationshipType, 'BUYER');
    });

    it('degraded data while SSO is down: data, no error, permissions unknown', async () => {
      await demo.scenario('down');
      try {
        const data = await northwind.read('Connections', { first: 20 });
        assert.equal(data.connections.degraded, true);
        assert.deepEqual(nodesOf(data).map(asRest), await restList(demo));
        assert.equal(nodesOf(data).length, 8, 'LC’s rows');
        assert.ok(nodesOf(data).every(({ permissions }) => permissions === null));
        assert.equal(exchanges.at(-1).isDegraded, true);
      } finally {
        await demo.scenario('ok');
      }
    });

    it('aliases, conditions, fragments on interfaces, and variables that are absent or null', async () => {
      const { connections } = await northwind.read('Connections', { first: 20 });
      const { id } = nodesOf({ connections })[0];
      const filter = { relationshipType: 'BUYER' };
      const short = await northwind.read('Shapes', { id, isDetailed: false, filter });
      const { account, ...me } = short.me;
      assert.deepEqual(plain(me), { isSuperuser: false, userEmail: null });
      assert.equal(account.name, 'Northwind Insurance');
      const buyers = nodesOf({ connections }).filter(({ relationshipType }) => relationshipType === 'BUYER');
      assert.deepEqual(short.filtered.nodes.map(({ id }) => id), buyers.map(({ id }) => id));
      assert.equal(short.filtered.totalCount, buyers.length);
      assert.equal(short.found.totalCount, 10, 'no filter where the variable is absent');
      const customEntities = nodesOf({ connections })[0].customEntities.map(({ id, name }) => ({ id, label: name }));
      assert.equal(short.node.__typename, 'Partnership');
      const partner = { company: 'Contoso Leads' };
      assert.deepEqual(plain(short.node), { id, status: 'COMPLETED', partner, customEntities });

      const ofAccount = { id: account.id, isDetailed: true, filter: null, search: { search: 'CONTOSO' } };
      const detailed = await northwind.read('Shapes', ofAccount);
      assert.equal(detailed.filtered.totalCount, 10, 'no filter where the variable is null');
      assert.equal(detailed.found.totalCount, 1);
      assert.deepEqual(plain(detailed.node), { id: account.id, name: account.name });
      const { node: nodeInDetail } = await northwind.read('Shapes', { id, isDetailed: true });
      assert.deepEqual(plain(nodeInDetail.accountEntity.moduleIds), ['leadconduit-salesforce.outbound.create_contact']);
      assert.ok(!('customEntities' in nodeInDetail));
    });
  });

  describe('repairs', () => {
    const input = { connectionId: SSO_ONLY };

    it('a connection that exists in SSO alone', async () => {
      const before = nodesOf(await superuser.read('Connections', { first: 20 }));
      const { repairConnection } = await superuser.write('Repair', { input: { ...input, reason: 'lost message' } });
      assert.deepEqual(repairConnection.userErrors, []);
      assert.equal(repairConnection.outcome, 'CREATED');
      const rest = await restList(demo);
      const place = before.findIndex(({ connectionId }) => connectionId === SSO_ONLY);
      assert.equal(before[place].status, 'SSO_ONLY');
      assert.equal(rest[place].status, 'completed');
      assert.deepEqual(asRest(repairConnection.partnership), rest[place]);
      assert.equal(repairConnection.partnership.id, before[place].id, 'its global id is stable for life');
    });

    it('nothing the second time, and says so as data: ALREADY_EXISTS, with the connection that is there', async () => {
      const { repairConnection } = await superuser.write('Repair', { input });
      assert.equal(repairConnection.outcome, null);
      assert.equal(repairConnection.partnership, null);
      const [{ code, field, retryable, message, existing }] = repairConnection.userErrors;
      assert.equal(code, 'ALREADY_EXISTS');
      assert.deepEqual(field, ['connectionId']);
      assert.equal(retryable, false);
      assert.match(message, /./);
      const nodes = nodesOf(await superuser.read('Connections', { first: 20 }));
      const partnership = nodes.find(({ id }) => id === existing.id);
      assert.equal(partnership.connectionId, existing.connectionId);
      assert.equal(partnership.status, 'COMPLETED');
    });
  });

  describe('tells apart', () => {
    const refusal = async (client, promise) => {
      const error = await promise.then((data) => assert.fail(`no error, but ${JSON.stringify(data)}`), (error) => error);
      return client.explain(error);
    };

    it('a cursor that is none: CURSOR_INVALID', async () => {
      const { code } = await refusal(northwind, northwind.read('Connections', { first: PAGE, after: 'nonsense' }));
      assert.equal(code, 'CURSOR_INVALID');
    });

    it('a key that is missing or wrong: UNAUTHENTICATED, 401', async () => {
      for (const key of [null, 'lck_nonsense']) {
        const nobody = as(key);
        const { status, code } = await refusal(nobody, nobody.read('Connections', { first: PAGE }));
        assert.equal(code, 'UNAUTHENTICATED');
        assert.ok(status === null || status === 401, `status ${status}`);
        assert.equal(exchanges.at(-1).status, 401);
      }
    });

    it('a repair by somebody who is no superuser: SUPERUSER_REQUIRED', async () => {
      const { code } = await refusal(northwind, northwind.write('Repair', { input: { connectionId: OTHER_SSO_ONLY } }));
      assert.equal(code, 'SUPERUSER_REQUIRED');
    });
  });

  it(`is answered, refusals too, with the media type that it prefers: ${mediaType}`, () => {
    assert.ok(exchanges.some(({ status }) => status === 401));
    for (const { accept, contentType } of exchanges) {
      assert.equal(contentType, `${mediaType}; charset=utf-8`, `Accept: ${accept}`);
    }
  });
}
