// What a component that lists the caller's connections would hold: a fragment that Relay pages through by itself, in both
// directions, by asking for the account again through `node`.

import { graphql } from 'relay-runtime';

graphql`
  query ConnectionsListQuery($first: Int, $last: Int) {
    viewer {
      account {
        ...ConnectionsList_account @arguments(first: $first, last: $last)
      }
    }
  }
`;

graphql`
  fragment ConnectionsList_account on Account
  @refetchable(queryName: "ConnectionsListPaginationQuery")
  @argumentDefinitions(
    first: { type: "Int" }
    after: { type: "String" }
    last: { type: "Int" }
    before: { type: "String" }
  ) {
    connections(first: $first, after: $after, last: $last, before: $before)
      @connection(key: "ConnectionsList_connections") {
      edges {
        node {
          id
          connectionId
          status
          connectedAccount {
            id
            name
          }
          accountEntity {
            id
            name
          }
        }
      }
      totalCount
      degraded
    }
  }
`;
