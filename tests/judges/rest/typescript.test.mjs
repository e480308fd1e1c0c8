// openapi-typescript over openapi.json, TypeScript's strict compiler over a program that uses what it wrote, and that
// program, by openapi-fetch.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { startDemo } from '../../support/demo.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const run = (program, ...options) =>
  execFileSync(`${here}node_modules/.bin/${program}`, options, { cwd: here, stdio: ['ignore', 'ignore', 'inherit'] });

const MISSING = 'c00000000000000000000009';

describe('a program in strict TypeScript over generated types', () => {
  let demo;
  let generated;

  before(async () => {
    rmSync(`${here}generated`, { recursive: true, force: true });
    run('openapi-typescript', '../../../openapi.json', '--output', 'generated/openapi.d.ts');
    run('tsc', '--project', 'typescript');
    generated = await import('./generated/js/typescript/program.js');
    demo = await startDemo();
  });

  after(() => demo?.stop());

  it('shows the list, and that it is degraded', async () => {
    const connections = new generated.Connections(demo.url, demo.keys.northwind);
    const { degraded, connections: entries } = await connections.list();
    const shown = generated.lines(entries);
    assert.deepEqual([degraded, shown.length], [false, 10]);
    assert.equal(shown[0], 'Contoso Leads, sells, complete, may 2, seller, 0 notes');
    assert.equal(shown.at(-1), 'Coho Lending, buys, in SSO alone, may 1, no card, 0 notes');
    const { connections: buyers } = await connections.list('buyer');
    assert.ok(buyers.length > 0 && buyers.every(({ relationship_type }) => relationship_type === 'buyer'));
    await demo.scenario('down');
    const { degraded: alone, connections: rows } = await connections.list().finally(() => demo.scenario('ok'));
    assert.deepEqual([alone, rows.length, rows[0].permissions], [true, 8, []]);
  });

  it('repairs, finds what it repaired, and reads each refusal', async () => {
    const connections = new generated.Connections(demo.url, demo.keys.superuser);
    assert.equal(await connections.get(MISSING), '404: connection not found');
    const id = await connections.repair(MISSING);
    assert.match(id, /^[0-9a-f]{24}$/);
    for (const known of [id, MISSING]) assert.equal(await connections.get(known), 'Woodgrove Partners, seller');
    assert.match(await connections.repair(MISSING), /^409: /);
    assert.match(await connections.repair('f'.repeat(24)), /^422: /);
    assert.match(await connections.repair('nonsense'), /^400: invalid connection_id/);
    const user = new generated.Connections(demo.url, demo.keys.northwind);
    assert.equal(await user.repair(MISSING), '401: not authorized');
  });
});
