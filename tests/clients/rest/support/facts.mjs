// Every generated client finds out the same about the demo with odd values: the list, by id, a repair, and each refusal.
// A client is given by its program's `connect`, see programs/outcome.ts.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

/** In SSO alone until a superuser repairs it. */
const MISSING = 'c00000000000000000000009';
const PRESENT = 'c00000000000000000000001';
const NOBODYS = 'f'.repeat(24);

/**
 * The facts, as tests. `started` has the demo and the client's `connect` by the time they run; `sendsAnyType` tells
 * whether a program can send a body as another type than JSON.
 */
export function proveFacts(started, { sendsAnyType }) {
  const as = (holder) => {
    const { demo, connect } = started;
    return connect({ url: demo.url, key: demo.keys[holder] ?? holder });
  };
  const raw = async (path) => {
    const { url, keys } = started.demo;
    return (await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${keys.northwind}` } })).json();
  };
  const whileDown = async (look) => {
    await started.demo.scenario('down');
    await look().finally(() => started.demo.scenario('ok'));
  };

  describe('reads', () => {
    it('the list with its odd values, each as it is on the wire', async () => {
      const list = await raw('/connections');
      assert.deepEqual(await as('northwind').list(), { status: 200, value: list });
      // So odd values were compared.
      const named = (name) => list.find(({ connected_account }) => connected_account.name === name);
      const { account_entity: contoso, ui_state } = named('Contoso Leads');
      assert.deepEqual([contoso.website, contoso.source, contoso.module_ids, ui_state], [
        'www.contoso.example',
        'magic',
        { not: 'a list' },
        ['odd'],
      ]);
      assert.equal(named('Tailspin Brokers').ui_state.zoom, Infinity);
      assert.equal(named('Litware Marketing').created_at, '0001-01-01T00:00:00.000Z');
    });

    for (const type of ['seller', 'buyer']) {
      it(`the list's entries of type ${type}`, async () => {
        const { status, value } = await as('northwind').list(type);
        assert.equal(status, 200);
        assert.deepEqual(value, await raw(`/connections?relationship_type=${type}`));
        assert.ok(value.length > 0 && value.every(({ relationship_type }) => relationship_type === type));
      });
    }

    it('the list while SSO is down', () =>
      whileDown(async () => {
        const { status, value } = await as('northwind').list();
        assert.deepEqual([status, value.length], [200, 8]);
        assert.ok(value.every(({ permissions }) => permissions.length === 0));
      }));

    it('each connection by id', async () => {
      for (let number = 1; number <= 8; number += 1) {
        for (const kind of ['b', 'c']) {
          const id = `${kind}${number.toString(16).padStart(23, '0')}`;
          assert.deepEqual(await as('northwind').get(id), { status: 200, value: await raw(`/connections/${id}`) });
        }
      }
    });
  });

  describe('repairs', () => {
    it('a connection that exists in SSO alone, and finds it', async () => {
      const { status, value: id } = await as('superuser').repair(MISSING);
      assert.equal(status, 201);
      const found = await as('superuser').get(id);
      assert.deepEqual(found, { status: 200, value: await raw(`/connections/${MISSING}`) });
      assert.equal(found.value.connected_account.name, 'Woodgrove Partners');
    });
  });

  describe('reads each refusal', () => {
    const refusals = [
      ['a malformed id', 400, 'invalid id', () => as('northwind').get('nonsense')],
      ['a malformed connection_id', 400, 'invalid connection_id', () => as('superuser').repair('nonsense')],
      ['no key', 401, 'authentication failed', () => as(null).list()],
      ['a wrong key', 401, 'authentication failed', () => as('lck_nonsense').get(PRESENT)],
      ["a user's repair", 401, 'not authorized', () => as('northwind').repair(PRESENT)],
      ['an unknown connection', 404, 'connection not found', () => as('northwind').get(NOBODYS)],
      ['a repair of what is there', 409, 'has this connection already', () => as('superuser').repair(PRESENT)],
      ['a repair of what SSO does not know', 422, 'SSO does not list', () => as('superuser').repair(NOBODYS)],
    ];
    for (const [name, status, text, call] of refusals) {
      it(`${status}: ${name}`, async () => {
        const refusal = await call();
        assert.equal(refusal.status, status);
        assert.ok(refusal.error.includes(text), refusal.error);
      });
    }

    if (sendsAnyType) {
      it('415: a body that is declared as another type', async () => {
        const refusal = await as('superuser').repair(PRESENT, 'text/plain');
        assert.deepEqual(refusal, { status: 415, error: 'the Content-Type must be application/json' });
      });
    }

    it('503: a repair while SSO is down', () =>
      whileDown(async () => {
        const refusal = await as('superuser').repair(NOBODYS);
        assert.equal(refusal.status, 503);
        assert.ok(refusal.error.includes('SSO is unavailable'), refusal.error);
      }));
  });
}
