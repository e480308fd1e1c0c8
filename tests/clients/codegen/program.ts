// A small program over the generated types. What the compiler makes of it is half of the test: that it compiles, and that
// each line under `@ts-expect-error` would not.

import { GraphQLClient } from 'graphql-request';

import { unmask } from '../generated/codegen/graphql/index.js';
import {
  ConnectionsDocument,
  type ConnectionsQuery,
  type ConnectionsQueryVariables,
  type PartnershipFactsFragment,
  PartnershipFactsFragmentDoc,
  RefusalFragmentDoc,
  type RepairConnectionInput,
  RepairDocument,
  type RepairErrorCode,
  type RepairMutation,
} from '../generated/codegen/graphql/graphql.js';

export class Connections {
  readonly #client: GraphQLClient;

  constructor(url: string, key: string) {
    this.#client = new GraphQLClient(url, { headers: { authorization: `Bearer ${key}` } });
  }

  list(variables: ConnectionsQueryVariables): Promise<ConnectionsQuery> {
    return this.#client.request(ConnectionsDocument, variables);
  }

  repair(input: RepairConnectionInput): Promise<RepairMutation> {
    return this.#client.request(RepairDocument, { input });
  }
}

/** One line for each connection. */
export function lines({ connections }: ConnectionsQuery): string[] {
  return connections.edges.map(({ node }) => {
    const partnership = unmask(PartnershipFactsFragmentDoc, node);
    const { connectedAccount, accountEntity, permissions, relationshipType, status } = partnership;
    return [
      connectedAccount.name,
      relationshipType === 'SELLER' ? 'sells' : 'buys',
      status === 'COMPLETED' ? 'complete' : 'in SSO alone',
      `may ${permissions?.length ?? 'unknown'}`,
      accountEntity?.connected ?? 'no card',
    ].join(', ');
  });
}

/** What the types keep a frontend from; never called. */
export function mistakes({ accountEntity, connectedAccount, permissions, status }: PartnershipFactsFragment): unknown[] {
  return [
    // @ts-expect-error: there may be no card
    accountEntity.name,
    // @ts-expect-error: the partner may have no LC account
    connectedAccount.id.length,
    // @ts-expect-error: permissions are unknown while SSO is down, which is not the same as none
    permissions.length,
    // @ts-expect-error: no such status
    status === 'PENDING',
  ];
}

/** What came of a repair, in words. Without the last line of a switch that covers all codes, this would not compile. */
export function outcome({ repairConnection }: RepairMutation): string {
  const [refusal] = repairConnection.userErrors;
  if (refusal === undefined) return `${repairConnection.outcome}`;
  const { message } = unmask(RefusalFragmentDoc, refusal);
  return `${hint(refusal.code)}: ${message} (${refusal.existing?.status ?? 'nothing there'})`;
}

function hint(code: RepairErrorCode): string {
  switch (code) {
    case 'ALREADY_EXISTS':
      return 'done before';
    case 'SSO_CONNECTION_NOT_FOUND':
    case 'ACCOUNT_NOT_FOUND':
      return 'check the id';
    case 'SSO_UNAVAILABLE':
      return 'try again later';
  }
}
