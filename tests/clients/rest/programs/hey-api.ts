// @hey-api/openapi-ts: its client for fetch, and what zod makes of each body.

import { createClient } from '../hey-api/client/index.js';
import { getConnection, listConnections, repairConnection } from '../hey-api/sdk.gen.js';
import type { ErrorBody, ListedConnection, RelationshipType } from '../hey-api/types.gen.js';
import {
  zErrorBody,
  zGetConnectionResponse,
  zListConnectionsResponse,
  zRepairConnectionResponse,
} from '../hey-api/zod.gen.js';
import type { Caller, Outcome } from './outcome.js';

interface Result<Data> {
  data?: Data;
  error?: unknown;
  response?: Response;
}

async function outcome<Data, Value>(
  call: Promise<Result<Data>>,
  read: (data: unknown) => Value,
): Promise<Outcome<Value>> {
  const { data, error, response } = await call;
  if (response === undefined) throw error;
  if (data === undefined) return { status: response.status, error: zErrorBody.parse(error).error };
  return { status: response.status, value: read(data) };
}

export function connect({ url, key }: Caller) {
  const client = createClient({ baseUrl: url, ...(key !== null && { auth: key }) });
  return {
    list: (relationship_type?: RelationshipType) =>
      outcome(listConnections({ client, query: { relationship_type } }), (list) =>
        zListConnectionsResponse.parse(list),
      ),
    get: (id: string) => outcome(getConnection({ client, path: { id } }), (one) => zGetConnectionResponse.parse(one)),
    repair: (connection_id: string, contentType = 'application/json') =>
      outcome(
        repairConnection({ client, body: { connection_id }, headers: { 'Content-Type': contentType } }),
        (repaired) => zRepairConnectionResponse.parse(repaired).id,
      ),
  };
}

/** What the types keep a program from; never called. */
export function mistakes(entry: ListedConnection, refusal: ErrorBody): unknown[] {
  const { account_entity, connected_account, ui_state } = entry;
  return [
    // @ts-expect-error: there may be no entity
    account_entity.name,
    // @ts-expect-error: the partner may have no LeadConduit account
    connected_account.id.length,
    // @ts-expect-error: what is stored need not be an object
    Object.keys(ui_state),
    // @ts-expect-error: a refusal has no code
    refusal.code,
  ];
}
