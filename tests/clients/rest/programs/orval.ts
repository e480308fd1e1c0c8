// orval: its functions for fetch, and what zod makes of each body.

import {
  getConnection,
  listConnections,
  repairConnection,
  type ErrorBody,
  type RelationshipType,
  type RepairedConnection,
} from '../orval/fetch.js';
import { getConnectionResponse, listConnectionsResponse } from '../orval/zod.js';
import type { Caller, Outcome } from './outcome.js';

interface Result {
  data: unknown;
  status: number;
}

async function outcome<Value>(call: Promise<Result>, read: (data: unknown) => Value): Promise<Outcome<Value>> {
  const { data, status } = await call;
  return status < 300 ? { status, value: read(data) } : { status, error: (data as ErrorBody).error };
}

export function connect({ url, key }: Caller) {
  // See orval-fetch.ts.
  const options = { url, headers: key === null ? undefined : { authorization: `Bearer ${key}` } };
  return {
    list: (relationship_type?: RelationshipType) =>
      outcome(listConnections({ relationship_type }, options), (list) => listConnectionsResponse.parse(list)),
    get: (id: string) => outcome(getConnection(id, options), (one) => getConnectionResponse.parse(one)),
    repair: (connection_id: string, contentType?: string) => {
      const headers = { ...options.headers, ...(contentType && { 'content-type': contentType }) };
      const call = repairConnection({ connection_id }, { ...options, headers });
      return outcome(call, (repaired) => (repaired as RepairedConnection).id);
    },
  };
}
