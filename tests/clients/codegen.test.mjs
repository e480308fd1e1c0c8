// graphql-codegen over the running server's introspection, TypeScript's strict compiler over a program that uses what it
// wrote, and that program.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { GraphQLClient } from 'graphql-request';

import { startDemo } from '../support/demo.mjs';
import { OTHER_SSO_ONLY, proveFacts } from './support/facts.mjs';
import './support/quiet.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const run = (program, options, environment) =>
  execFileSync(`${here}node_modules/.bin/${program}`, options, {
    cwd: here,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'inherit', 'inherit'],
  });

const demo = await startDemo();
rmSync(`${here}generated/codegen`, { recursive: true, force: true });
run('graphql-codegen', ['--silent', '--config', 'codegen/codegen.mjs'], {
  GRAPHQL_URL: `${demo.url}/graphql`,
  GRAPHQL_KEY: demo.keys.northwind,
});
run('tsc', ['--project', 'codegen']);
const { Connections, lines, outcome } = await import('./generated/codegen/js/codegen/program.js');
const typed = await import('./generated/codegen/js/generated/codegen/graphql/graphql.js');
after(() => demo.stop());

describe('graphql-codegen', () => {
  proveFacts(demo, 'application/graphql-response+json', ({ url, key, fetch }) => {
    const client = new GraphQLClient(url, { headers: key === null ? {} : { authorization: `Bearer ${key}` }, fetch });
    const send = (name, variables) => client.request(typed[`${name}Document`], variables);
    return {
      read: send,
      write: send,
      explain: ({ response }) => ({ status: response.status, code: response.errors[0].extensions.code }),
    };
  });

  describe('a program in strict TypeScript', () => {
    const connections = new Connections(`${demo.url}/graphql`, demo.keys.superuser);

    it('shows the list', async () => {
      const shown = lines(await connections.list({ first: 20 }));
      assert.equal(shown[0], 'Contoso Leads, sells, complete, may 2, SELLER');
      assert.equal(shown.at(-1), 'Coho Lending, buys, in SSO alone, may 1, no card');
      await demo.scenario('down');
      const [first] = lines(await connections.list({ first: 1 }).finally(() => demo.scenario('ok')));
      assert.equal(first, 'Contoso Leads, sells, complete, may unknown, SELLER');
    });

    it('repairs, and knows each refusal by its code', async () => {
      const repair = async (input) => outcome(await connections.repair(input));
      assert.equal(await repair({ connectionId: OTHER_SSO_ONLY, dryRun: true }), 'WOULD_CREATE');
      assert.equal(await repair({ connectionId: OTHER_SSO_ONLY }), 'CREATED');
      assert.match(await repair({ connectionId: OTHER_SSO_ONLY }), /^done before: .+ \(COMPLETED\)$/);
      assert.match(await repair({ connectionId: 'ffffffffffffffffffffffff' }), /^check the id: .+ \(nothing there\)$/);
    });
  });
});
