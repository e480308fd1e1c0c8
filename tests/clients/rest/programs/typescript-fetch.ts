// openapi-generator's typescript-fetch.

import {
  Configuration,
  ConnectionsApi,
  ErrorBodyFromJSON,
  ListedConnectionToJSON,
  ResponseError,
  SingleConnectionToJSON,
  type InitOverrideFunction,
  type ListedConnection,
  type RelationshipType,
} from '../typescript-fetch/index.js';
import { onTheWire, type Caller, type Outcome } from './outcome.js';

async function outcome<Value>(call: Promise<Value>, status: number): Promise<Outcome<Value>> {
  try {
    return { status, value: await call };
  } catch (error) {
    if (!(error instanceof ResponseError)) throw error;
    const body = ErrorBodyFromJSON(await error.response.json());
    return { status: error.response.status, error: body.error };
  }
}

export function connect({ url, key }: Caller) {
  const credentials = key === null ? {} : { username: '', password: key };
  const api = new ConnectionsApi(new Configuration({ basePath: url, ...credentials }));
  return {
    list: (relationshipType?: RelationshipType) =>
      outcome(
        api.listConnections({ relationshipType }).then((list) => list.map(ListedConnectionToJSON).map(onTheWire)),
        200,
      ),
    get: (id: string) => outcome(api.getConnection({ id }).then(SingleConnectionToJSON).then(onTheWire), 200),
    repair: (connectionId: string, contentType?: string) => {
      const as: InitOverrideFunction = async ({ init }) => ({
        headers: { ...init.headers, 'Content-Type': contentType ?? 'application/json' },
      });
      return outcome(api.repairConnection({ repairRequest: { connectionId } }, as).then(({ id }) => id), 201);
    },
  };
}

/** What the types keep a program from; never called. */
export function mistakes({ accountEntity, connectedAccount, invitationId, status }: ListedConnection): unknown[] {
  return [
    // @ts-expect-error: there may be no entity
    accountEntity.name,
    // @ts-expect-error: the partner may have no LeadConduit account
    connectedAccount.id.length,
    // @ts-expect-error: not every connection began with an invitation
    invitationId.length,
    // @ts-expect-error: there is no such status
    status === 'pending',
    // A word that another program stored is one of `source`'s values.
    accountEntity?.source === 'magic',
  ];
}
