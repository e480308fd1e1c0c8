// Apollo Client 4.

import { after, describe } from 'node:test';
import * as core from 'apollo-client-4';
import { createPersistedQueryLink } from 'apollo-client-4/link/persisted-queries';
import { relayStylePagination } from 'apollo-client-4/utilities';

import { startDemo } from '../support/demo.mjs';
import { proveApollo } from './support/apollo.mjs';
import { possibleTypes } from './support/cache-rules.mjs';
import './support/quiet.mjs';

const demo = await startDemo();
const types = await possibleTypes(demo);
after(() => demo.stop());

describe('Apollo Client 4', () => {
  proveApollo(demo, 'application/graphql-response+json', {
    modules: { ...core, createPersistedQueryLink, relayStylePagination },
    possibleTypes: types,
    // It reads an answer of this media type whatever its status, and does not tell the status.
    explain: (error) => ({ status: null, code: core.CombinedGraphQLErrors.is(error) && error.errors[0].extensions.code }),
  });
});
