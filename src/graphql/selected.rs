//! From what a client selected to what the service must read.

use async_graphql::Lookahead;

use crate::domain::wanted::Wanted;

/// What is selected of the partnerships in a page.
#[must_use]
pub fn wanted_of_page(page: &Lookahead<'_>) -> Wanted {
    wanted_of_partnership(&page.field("nodes")).union(wanted_of_partnership(&page.field("edges").field("node")))
}

/// What is selected of a partnership.
#[must_use]
pub fn wanted_of_partnership(partnership: &Lookahead<'_>) -> Wanted {
    let is_selected = |name| partnership.field(name).exists();
    Wanted {
        details: is_selected("uiState") || is_selected("createdBy"),
        partner: is_selected("connectedAccount"),
        entity: is_selected("accountEntity"),
        custom_entities: is_selected("customEntities"),
        connected: partnership.field("accountEntity").field("connected").exists(),
        sso: is_selected("permissions") || is_selected("provenance") || is_selected("drift"),
    }
}
