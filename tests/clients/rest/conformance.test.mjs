// Live responses about odd values, held against both descriptions by ajv; and the collections that Postman's own
// converter makes of the descriptions, whose requests are sent.
//
// A server address without a host: <https://github.com/postmanlabs/postman-app-support/issues/9057>.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import Ajv from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import Converter from 'openapi-to-postmanv2';

import { startOddDemo } from './support/odd-demo.mjs';

const paths = { 3.1: '/openapi.json', '3.0': '/openapi-3.0.json' };

for (const [version, path] of Object.entries(paths)) {
  describe(`what the server says of itself at ${path}`, () => {
    let demo;
    let document;
    const read = async (path) =>
      (await fetch(`${demo.url}${path}`, { headers: { authorization: `Bearer ${demo.keys.northwind}` } })).json();

    before(async () => {
      demo = await startOddDemo();
      document = await read(path);
      assert.ok(document.openapi.startsWith(version));
    });

    after(() => demo?.stop());

    it('is what ajv finds in its responses', async () => {
      const ajv = new Ajv({ strict: false, allErrors: true });
      addFormats(ajv);
      ajv.addSchema({ ...document, $id: 'openapi' });
      const assertFits = (schema, value) => {
        const isValid = ajv.compile({ $ref: `openapi#${schema}` });
        assert.ok(isValid(value), JSON.stringify(isValid.errors, null, 2));
      };
      const list = await read('/connections');
      assert.equal(list.length, 10);
      assertFits('/components/responses/ReconciledList/content/application~1json/schema', list);
      for (const { id } of list.filter(({ status }) => status === 'completed')) {
        assertFits('/components/schemas/SingleConnection', await read(`/connections/${id}`));
      }
      assertFits('/components/schemas/ErrorBody', await read('/connections/nonsense'));
    });

    it('is imported by Postman, with an address that requests can be sent to', async () => {
      const { result, reason, output } = await new Promise((resolve, reject) => {
        const done = (error, conversion) => (error ? reject(error) : resolve(conversion));
        Converter.convertV2({ type: 'json', data: document }, { requestNameSource: 'Fallback' }, done);
      });
      assert.ok(result, reason);
      const [{ data: collection }] = output;
      const { value: baseUrl } = collection.variable.find(({ key }) => key === 'baseUrl');
      assert.equal(baseUrl, 'http://127.0.0.1:8080');
      const requests = [];
      const collect = ({ item, request }) => (item ? item.forEach(collect) : requests.push(request));
      collect(collection);
      assert.equal(requests.length, 11);
      for (const { method, url } of requests) {
        assert.deepEqual(url.host, ['{{baseUrl}}']);
        if (method !== 'GET' || url.path.some((part) => part.startsWith(':'))) continue;
        // As a user does who has another server: by the variable.
        const sent = `${url.host[0]}/${url.path.join('/')}`.replace('{{baseUrl}}', demo.url);
        const { status } = await fetch(sent, { headers: { authorization: `Bearer ${demo.keys.northwind}` } });
        assert.equal(status, 200, sent);
      }
    });
  });
}
