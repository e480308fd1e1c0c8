//! What the demo prints: keys, and lines that work as they stand.

use std::net::SocketAddr;

/// The demo's keys.
pub(crate) struct Keys {
    pub northwind: String,
    pub contoso: String,
    pub superuser: String,
}

/// The whole text.
pub(super) fn script(server: SocketAddr, sso: SocketAddr, keys: &Keys) -> String {
    let Keys { northwind, contoso, superuser } = keys;
    format!(
        r#"LeadConduit Connections, demo: http://{server} (SQLite), simulated SSO: http://{sso}. Ctrl-C ends it.
In a browser: http://{server}/graphiql for GraphQL, http://{server}/docs for REST; paste one of these keys there.

Keys
  Northwind Insurance    {northwind}
  Contoso Leads          {contoso}
  Superuser (Northwind)  {superuser}

Paste these into a second terminal, one after the other.

# 1. The reconciled list, by REST: ten connections of LC and SSO, two of them in SSO alone ("sso_only").
curl -s -u :{northwind} http://{server}/connections

# 2. The same by GraphQL, with the partner's card nested, and how the two sources agree on each.
curl -s http://{server}/graphql -H 'Authorization: Bearer {northwind}' -H 'Content-Type: application/json' -d '{{"query": "{{ connections(first: 20) {{ totalCount degraded nodes {{ connectionId status drift relationshipType connectedAccount {{ name }} accountEntity {{ name connected pending expired deprecated }} customEntities {{ name }} permissions }} }} }}"}}'

# 3. One of them from the other side: Contoso sees Northwind as its buyer.
curl -s -u :{contoso} http://{server}/connections

# 4. SSO goes down. The list still comes, from LC's rows, and says so: look for X-Connections-Degraded.
curl -s -X PUT http://{sso}/__scenario -H 'Content-Type: application/json' -d '{{"scenario": "down"}}'
curl -s -i -u :{northwind} http://{server}/connections

# 5. A repair fails closed meanwhile (503), and works when SSO is back (201).
curl -s -i -u :{superuser} http://{server}/connections -H 'Content-Type: application/json' -d '{{"connection_id": "c00000000000000000000009"}}'
curl -s -X PUT http://{sso}/__scenario -H 'Content-Type: application/json' -d '{{"scenario": "ok"}}'
curl -s -i -u :{superuser} http://{server}/connections -H 'Content-Type: application/json' -d '{{"connection_id": "c00000000000000000000009"}}'

# 6. The repaired list: Woodgrove Partners is "completed" now, where it stood before.
curl -s -u :{northwind} http://{server}/connections

# 7. The other one by GraphQL: first what a repair would write, then the repair.
curl -s http://{server}/graphql -H 'Authorization: Bearer {superuser}' -H 'Content-Type: application/json' -d '{{"query": "mutation {{ repairConnection(input: {{connectionId: \"c0000000000000000000000a\", dryRun: true}}) {{ outcome plan {{ changes {{ path after from }} untouched }} userErrors {{ code message }} }} }}"}}'
curl -s http://{server}/graphql -H 'Authorization: Bearer {superuser}' -H 'Content-Type: application/json' -d '{{"query": "mutation {{ repairConnection(input: {{connectionId: \"c0000000000000000000000a\", reason: \"demo\"}}) {{ outcome partnership {{ status drift }} record {{ actor at }} userErrors {{ code message }} }} }}"}}'

# What else is there: the other ways in which SSO can misbehave, metrics, readiness.
curl -s http://{sso}/__scenario
curl -s http://{server}/metrics
curl -s http://{server}/readyz
"#
    )
}
