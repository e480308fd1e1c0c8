// graphql-request: a client without a cache.

import { after, describe } from 'node:test';
import { GraphQLClient } from 'graphql-request';

import { startDemo } from '../support/demo.mjs';
import { documents } from './support/documents.mjs';
import { proveFacts } from './support/facts.mjs';
import './support/quiet.mjs';

const demo = await startDemo();
after(() => demo.stop());

describe('graphql-request', () => {
  proveFacts(demo, 'application/graphql-response+json', ({ url, key, fetch }) => {
    const headers = key === null ? {} : { authorization: `Bearer ${key}` };
    const client = new GraphQLClient(url, { headers, fetch });
    const send = (name, variables) => client.request(documents[name], variables);
    return {
      read: send,
      write: send,
      explain: ({ response }) => ({ status: response.status, code: response.errors[0].extensions.code }),
    };
  });
});
