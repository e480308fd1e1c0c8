// Apollo Client 3.

import { after, describe } from 'node:test';
// Its modules are made for bundlers; Node takes the CommonJS ones.
import core from 'apollo-client-3/core/core.cjs';
import { createPersistedQueryLink } from 'apollo-client-3/link/persisted-queries/persisted-queries.cjs';
import { relayStylePagination } from 'apollo-client-3/utilities/utilities.cjs';

import { startDemo } from '../support/demo.mjs';
import { proveApollo } from './support/apollo.mjs';
import { possibleTypes } from './support/cache-rules.mjs';
import './support/quiet.mjs';

const demo = await startDemo();
const types = await possibleTypes(demo);
after(() => demo.stop());

describe('Apollo Client 3', () => {
  // It sends `Accept: */*`.
  proveApollo(demo, 'application/json', {
    modules: { ...core, createPersistedQueryLink, relayStylePagination },
    possibleTypes: types,
    explain: ({ graphQLErrors, networkError }) => {
      const [{ extensions }] = networkError?.result?.errors ?? graphQLErrors;
      return { status: networkError?.statusCode ?? null, code: extensions.code };
    },
  });
});
