// A small program over types that were generated from openapi.json. What the compiler makes of it is half of the test: that
// it compiles, and that each line under `@ts-expect-error` would not.

import createClient from 'openapi-fetch';

import type { components, paths } from '../generated/openapi.js';

type Listed = components['schemas']['ListedConnection'];

export class Connections {
  readonly #client;

  constructor(baseUrl: string, key: string) {
    this.#client = createClient<paths>({ baseUrl, headers: { authorization: `Bearer ${key}` } });
  }

  /** The entries, and whether they are LeadConduit's alone. */
  async list(relationship_type?: components['schemas']['RelationshipType']) {
    const query = { ...(relationship_type && { relationship_type }) };
    const { data, error, response } = await this.#client.GET('/connections', { params: { query } });
    if (error) throw new Error(error.error);
    return { degraded: response.headers.get('x-connections-degraded') === 'true', connections: data };
  }

  async get(id: string): Promise<string> {
    const { data, error, response } = await this.#client.GET('/connections/{id}', { params: { path: { id } } });
    if (data) return `${data.connected_account.name}, ${data.relationship_type}`;
    return why(response, error);
  }

  /** The new row's id, or the status and why there is none. */
  async repair(connection_id: string): Promise<string> {
    const { data, error, response } = await this.#client.POST('/connections', { body: { connection_id } });
    return data ? data.id : why(response, error);
  }
}

/** A refusal. Some, like 431, come without a body. */
function why({ status }: Response, error: components['schemas']['ErrorBody'] | undefined): string {
  return `${status}: ${error?.error ?? 'no more is said'}`;
}

/** What is stored need not be an object. */
function notes(uiState: Listed['ui_state']): number {
  return typeof uiState === 'object' && uiState !== null ? Object.keys(uiState).length : 0;
}

/** One line for each connection. */
export function lines(connections: Listed[]): string[] {
  return connections.map(({ connected_account, relationship_type, status, permissions, account_entity, ui_state }) =>
    [
      connected_account.name,
      relationship_type === 'seller' ? 'sells' : 'buys',
      status === 'completed' ? 'complete' : 'in SSO alone',
      `may ${permissions.length}`,
      account_entity?.connected ?? 'no card',
      `${notes(ui_state)} notes`,
    ].join(', '),
  );
}

/** What the types keep a client from; never called. */
export function mistakes({ account_entity, connected_account, invitation_id, status, ui_state }: Listed): unknown[] {
  return [
    // @ts-expect-error: there may be no card
    account_entity.name,
    // @ts-expect-error: the partner may have no LeadConduit account
    connected_account.id.length,
    // @ts-expect-error: not every connection began with an invitation
    invitation_id.length,
    // @ts-expect-error: no such status
    status === 'pending',
    // @ts-expect-error: what is stored need not be an object
    ui_state.has_setup_buyer_delivery,
    // @ts-expect-error: no such parameter value
    new Connections('', '').list('both'),
  ];
}
