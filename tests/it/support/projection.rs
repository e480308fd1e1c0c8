//! GraphQL's answer told in REST's words, to compare the two.

use serde_json::{Map, Value, json};

/// A page with every nested field of the list.
pub const NESTED: &str = "query Nested($first: Int, $after: String, $last: Int, $before: String, \
    $filter: PartnershipFilter, $orderBy: PartnershipOrder! = {field: CREATED_AT, direction: ASC}, \
    $consistency: ReadConsistency! = FAIL_OPEN) { \
    connections(first: $first, after: $after, last: $last, before: $before, filter: $filter, orderBy: $orderBy, \
    consistency: $consistency) { \
    totalCount totalCountPrecision degraded asOf sources { source state asOf reason } \
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } \
    edges { cursor node { id } } nodes { ...Everything } } } \
    fragment Everything on Partnership { id connectionId localId ssoConnectionId invitationId status relationshipType \
    connectedAccount { id ssoId name } \
    accountEntity { id name description standard account pending connected connectedAccountId deprecated see \
    fieldSuffix invitationId invitationExpiresAt expired flowIds logoUrl moduleIds source recipient timeZone \
    trustedformCertifiedVendor website createdAt updatedAt } \
    customEntities { id name source recipient } permissions uiState { hasSetupBuyerDelivery raw } \
    createdAt updatedAt createdBy provenance { local sso ssoAsOf } drift }";

/// `fragment Everything on Partnership`: all nested fields.
pub fn everything() -> &'static str {
    &NESTED[NESTED.find("fragment Everything").unwrap()..]
}

/// A partnership with all fields of [`NESTED`] as an entry of the REST list.
pub fn rest_entry(partnership: &Value) -> Value {
    let word = |value: &Value| value.as_str().map(str::to_lowercase);
    let partner = &partnership["connectedAccount"];
    let entity = partnership["accountEntity"].as_object().map(|card| {
        let mut entity = Map::new();
        for (name, value) in card {
            let value = match name.as_str() {
                "source" | "recipient" | "connected" => json!(word(value)),
                _ => value.clone(),
            };
            entity.insert(snake_case(name), value);
        }
        entity
    });
    let customs: Vec<Value> = partnership["customEntities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|card| json!({"id": card["id"], "name": card["name"], "source": word(&card["source"]), "recipient": word(&card["recipient"])}))
        .collect();
    json!({
        "id": partnership["connectionId"],
        "status": word(&partnership["status"]),
        "relationship_type": word(&partnership["relationshipType"]),
        "invitation_id": partnership["invitationId"],
        "created_at": partnership["createdAt"],
        "updated_at": partnership["updatedAt"],
        "created_by": partnership["createdBy"],
        "ui_state": partnership["uiState"]["raw"],
        "permissions": if partnership["permissions"].is_null() { json!([]) } else { partnership["permissions"].clone() },
        "connected_account": {"id": partner["id"], "sso_id": partner["ssoId"], "name": partner["name"]},
        "account_entity": entity,
        "custom_entities": customs,
    })
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for character in name.chars() {
        if character.is_uppercase() {
            snake.push('_');
        }
        snake.extend(character.to_lowercase());
    }
    snake
}
