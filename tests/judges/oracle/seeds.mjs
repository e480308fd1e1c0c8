// Valid requests of the kind that clients send, to be executed as they stand and to be broken at random. Whoever asks is
// Northwind; `key: 'superuser'` is its staff. None of them writes.

const ids = {
  connection: 'c00000000000000000000001',
  ssoOnly: 'c00000000000000000000009',
  row: 'b00000000000000000000002',
  invitation: 'f00000000000000000000004',
  account: 'a00000000000000000000001',
};
const globalId = (kind, ...of) => Buffer.from(`${kind}:${of.join(':')}`).toString('base64url');

export const seeds = [
  {
    query: '{ __typename viewer { __typename userEmail isSuperuser account { __typename id accountId ssoId name } } }',
  },
  {
    query: `query List($first: Int = 4, $after: String, $filter: PartnershipFilter, $orderBy: PartnershipOrder! = {field: PARTNER_NAME, direction: DESC}) {
      connections(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
        edges { cursor node { ...Row } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        totalCount totalCountPrecision degraded asOf
        sources { source state asOf reason }
      }
    }
    fragment Row on Partnership { id connectionId status drift relationshipType connectedAccount { ...Partner } permissions provenance { local sso ssoAsOf } }
    fragment Partner on ConnectedAccount { id ssoId name }`,
    variables: { first: 3, filter: { status: ['COMPLETED', 'SSO_ONLY'], search: 'a' } },
  },
  {
    query: `{ connections(last: 3, consistency: LOCAL_ONLY) { nodes { accountEntity {
      id name description standard account pending connected connectedAccountId deprecated see fieldSuffix invitationId invitationExpiresAt expired
      flowIds logoUrl moduleIds source recipient timeZone trustedformCertifiedVendor website createdAt updatedAt } customEntities { id name source recipient } } totalCountPrecision } }`,
  },
  {
    query: `query Merged($all: Boolean!, $none: Boolean = false) {
      connections(first: 2) { nodes { a: connectionId ...One } ...Two nodes { status uiState { raw } } }
      connections(first: 2) { totalCount @include(if: $all) degraded @skip(if: $all) nodes { uiState { hasSetupBuyerDelivery } a: connectionId } }
    }
    fragment One on Partnership { uiState { hasSetupBuyerDelivery } ... @include(if: $none) { createdBy } ... @skip(if: $none) { createdAt updatedAt } }
    fragment Two on PartnershipConnection { ... on PartnershipConnection { edges { node { b: ssoConnectionId } } edges { cursor } } }`,
    variables: { all: true },
  },
  {
    query: `query Any($ids: [ID!]!, $id: ID!) {
      nodes(ids: $ids) { __typename id ... on Account { name accountId } ... on Partnership { connectionId connectedAccount { name } } ... on RepairRecord { at } ...N }
      node(id: $id) { ... on Node { ... on Partnership { status id } } ... on Partnership { id localId invitationId } id }
    }
    fragment N on Node { ... on Account { name ssoId } id }`,
    variables: {
      ids: [
        globalId('Account', ids.account),
        'nothing',
        globalId('Partnership', ids.account, ids.connection),
        globalId('Partnership', ids.account, ids.ssoOnly),
      ],
      id: globalId('Partnership', ids.account, ids.connection),
    },
  },
  {
    query: `query ById($row: ObjectID!, $sso: ObjectID!) {
      row: connection(id: $row) { id connectionId invitationId }
      sso: connection(id: $sso, consistency: FAIL_OPEN) { id localId drift }
      invitation: connection(id: "${ids.invitation}", consistency: LOCAL_ONLY) { id drift permissions provenance { sso ssoAsOf } }
      unknown: connection(id: "0123456789abcdefABCDEF00") { id }
    }`,
    variables: { row: ids.row, sso: ids.ssoOnly.toUpperCase() },
  },
  {
    query: `query Filters($search: String, $permission: String!, $status: PartnershipStatus!, $since: DateTime) {
      a: connections(filter: {search: $search, hasPermission: [$permission]}) { totalCount }
      b: connections(filter: {status: [$status], relationshipType: SELLER, drift: [IN_SYNC, MISSING_LOCALLY]}) { totalCount nodes { connectionId } }
      c: connections(filter: {updatedSince: $since, status: COMPLETED}, orderBy: {field: UPDATED_AT, direction: ASC}) { nodes { updatedAt } }
    }`,
    variables: { permission: 'view_submission_docs', status: 'SSO_ONLY', since: '2024-04-01T00:00:00Z' },
  },
  {
    key: 'superuser',
    query: `query Support($account: ObjectID!) {
      account(id: $account) { name connections(first: 3, filter: {drift: [MISSING_LOCALLY]}) { nodes { connectionId status drift repairs(first: 2) {
        totalCount nodes { id at actor via reason requestId outcome errorCode changes { path before after from } } edges { cursor node { id } } pageInfo { endCursor hasNextPage }
      } } sources { source state reason } } }
      viewer { isSuperuser userEmail account { connections(last: 1) { nodes { id } } } }
    }`,
    variables: { account: 'a00000000000000000000002' },
  },
  {
    key: 'superuser',
    query: `mutation DryRun($input: RepairConnectionInput!, $already: ObjectID = "${ids.connection}") {
      first: repairConnection(input: $input) { outcome plan { untouched changes { path before after from } } partnership { id } record { id } userErrors { message } }
      second: repairConnection(input: {connectionId: $already, dryRun: true, reason: "why"}) { outcome userErrors { __typename message field ... on RepairUserError { code retryable existing { connectionId status } } } }
    }`,
    variables: { input: { connectionId: ids.ssoOnly, dryRun: true } },
  },
  {
    query:
      '{ connections { nodes { repairs { totalCount } connectionId } } a: connections { nodes { repairs { totalCount } } } }',
  },
  { query: `{ account(id: "${ids.account}") { name } viewer { isSuperuser } }` },
  { query: '{ connections(after: "nonsense") { totalCount } viewer { isSuperuser } }' },
  { query: '{ connections(first: 1000) { totalCount } }' },
  {
    query:
      '{ nodes(ids: ["a", "b"]) { id } connections(first: 0) { nodes { id } edges { cursor } pageInfo { startCursor } } }',
  },
  { query: `mutation { repairConnection(input: {connectionId: "${ids.ssoOnly}", dryRun: true}) { outcome } }` },
  {
    query:
      '{ __type(name: "Partnership") { name kind fields(includeDeprecated: true) { name args { name defaultValue type { name ofType { name } } } } } __schema { queryType { name } mutationType { name } subscriptionType { name } } }',
  },
];
