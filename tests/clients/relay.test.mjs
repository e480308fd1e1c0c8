// Relay: its compiler over the committed schema, and its runtime over what the compiler wrote.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import compiler from 'relay-compiler';
import relay from 'relay-runtime';

import { startDemo } from '../support/demo.mjs';
import { EMBEDDED } from './support/cache-rules.mjs';
import { OTHER_SSO_ONLY, proveFacts, restList } from './support/facts.mjs';
import { artifactOf, sharedModule } from './support/relay-documents.mjs';
import './support/quiet.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const generated = `${here}generated/relay`;
rmSync(generated, { recursive: true, force: true });
for (const folder of ['src', 'artifacts']) mkdirSync(`${generated}/${folder}`, { recursive: true });
const { file, text } = sharedModule();
writeFileSync(`${generated}/src/${file}`, text);
copyFileSync(`${here}relay/ConnectionsList.js`, `${generated}/src/ConnectionsList.js`);
// What the compiler writes is CommonJS, which Node takes without a bundler.
writeFileSync(`${generated}/package.json`, '{ "type": "commonjs" }');
execFileSync(compiler, ['--noWatchman', 'relay.config.json'], { cwd: here, stdio: ['ignore', 'ignore', 'inherit'] });
const artifact = (name) => createRequire(import.meta.url)(`${generated}/artifacts/${name}.graphql`);

const demo = await startDemo();
after(() => demo.stop());

/** The network layer of Relay's own guide. */
function newEnvironment({ key, fetch = globalThis.fetch }) {
  const network = relay.Network.create(async ({ text: query }, variables) => {
    const answer = await fetch(`${demo.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }) },
      body: JSON.stringify({ query, variables }),
    });
    return answer.json();
  });
  return new relay.Environment({
    network,
    store: new relay.Store(new relay.RecordSource()),
    getDataID: ({ id }, typename) => (EMBEDDED.includes(typename) ? null : id),
  });
}

const write = (environment, mutation, variables) =>
  new Promise((resolve, reject) => {
    relay.commitMutation(environment, { mutation, variables, onCompleted: resolve, onError: reject });
  });

describe('Relay', () => {
  // fetch's own Accept: */*.
  proveFacts(demo, 'application/json', ({ key, fetch }) => {
    const environment = newEnvironment({ key, fetch });
    return {
      read: (name, variables) =>
        relay.fetchQuery(environment, artifact(artifactOf(name, 'query')), variables).toPromise(),
      write: (name, variables) => write(environment, artifact(artifactOf(name, 'mutation')), variables),
      // An answer without data is an error, of which the answer is the source; the status stays in the network layer.
      explain: ({ source }) => ({ status: null, code: source.errors[0].extensions.code }),
    };
  });

  describe('the store', () => {
    const fragment = artifact('ConnectionsList_account');
    const { paginationRequest, paginationMetadata } = relay.getPaginationMetadata(fragment, 'ConnectionsList');
    const { identifierInfo } = relay.getRefetchMetadata(fragment, 'ConnectionsList');

    /** A list on the screen, as `usePaginationFragment` keeps it. */
    async function show(variables) {
      const environment = newEnvironment({ key: demo.keys.superuser });
      const query = artifact('ConnectionsListQuery');
      environment.retain(relay.createOperationDescriptor(query, variables));
      const { viewer } = await relay.fetchQuery(environment, query, variables).toPromise();
      const selector = relay.getSelector(fragment, viewer.account);
      let { data } = environment.lookup(selector);
      environment.subscribe(environment.lookup(selector), (snapshot) => ({ data } = snapshot));
      const load = (direction, count, cursor) => {
        const owner = selector.owner.variables;
        const variables = relay.getPaginationVariables(direction, count, cursor, owner, {}, paginationMetadata);
        variables[identifierInfo.identifierQueryVariableName] = data[identifierInfo.identifierField];
        return relay.fetchQuery(environment, paginationRequest, variables).toPromise();
      };
      return {
        environment,
        nodes: () => data.connections.edges.map(({ node }) => node),
        pageInfo: () => data.connections.pageInfo,
        loadNext: (count) => load('forward', count, data.connections.pageInfo.endCursor),
        loadPrevious: (count) => load('backward', count, data.connections.pageInfo.startCursor),
        partnerships: () => {
          const records = Object.values(environment.getStore().getSource().toJSON());
          return records.filter((record) => record?.__typename === 'Partnership');
        },
      };
    }

    for (const direction of ['forward', 'backward']) {
      it(`pages ${direction} through a refetchable fragment, by the account’s global id`, async () => {
        const isForward = direction === 'forward';
        const list = await show(isForward ? { first: 3 } : { last: 3 });
        const lengths = [list.nodes().length];
        while (isForward ? list.pageInfo().hasNextPage : list.pageInfo().hasPreviousPage) {
          await (isForward ? list.loadNext(3) : list.loadPrevious(3));
          lengths.push(list.nodes().length);
        }
        assert.deepEqual(lengths, [3, 6, 9, 10]);
        const ids = list.nodes().map(({ connectionId }) => connectionId);
        assert.deepEqual(ids, (await restList(demo)).map(({ id }) => id));
        assert.equal(list.partnerships().length, 10);
      });
    }

    it('holds one entity before and after a repair, and a list on the screen shows it repaired', async () => {
      const list = await show({ first: 20 });
      const place = list.nodes().findIndex(({ connectionId }) => connectionId === OTHER_SSO_ONLY);
      assert.equal(list.nodes()[place].status, 'SSO_ONLY');
      const input = { connectionId: OTHER_SSO_ONLY };
      const { repairConnection } = await write(list.environment, artifact(artifactOf('Repair', 'mutation')), { input });
      assert.equal(repairConnection.outcome, 'CREATED');
      const { id, status, connectionId } = list.nodes()[place];
      assert.deepEqual([id, status], [repairConnection.partnership.id, 'COMPLETED']);
      assert.notEqual(connectionId, OTHER_SSO_ONLY);
      assert.equal(list.partnerships().length, 10);
    });
  });
});
