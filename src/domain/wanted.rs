//! What a front end will show of each connection, so that nothing else is read.

/// What is wanted of a list or of one connection. The front end fills it in from what its client selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[expect(clippy::struct_excessive_bools, reason = "a set of independent wishes, named one by one")]
pub struct Wanted {
    /// `created_by` and `ui_state`.
    pub details: bool,
    /// The partner's LC id and name.
    pub partner: bool,
    /// The partner's account entity.
    pub entity: bool,
    /// The caller's custom entities for the partner.
    pub custom_entities: bool,
    /// An entity's `connected`: which relationship types the caller has with the partner.
    pub connected: bool,
    /// Permissions, provenance or drift: what only SSO can tell.
    pub sso: bool,
}

impl Wanted {
    /// Everything, as the legacy REST list shows it.
    pub const ALL: Self =
        Self { details: true, partner: true, entity: true, custom_entities: true, connected: true, sso: true };

    /// What either of two asks for.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self {
            details: self.details || other.details,
            partner: self.partner || other.partner,
            entity: self.entity || other.entity,
            custom_entities: self.custom_entities || other.custom_entities,
            connected: self.connected || other.connected,
            sso: self.sso || other.sso,
        }
    }

    /// Whether SSO must be asked to show it of a connection that has a row.
    #[must_use]
    pub fn needs_sso(self) -> bool {
        self.sso || self.connected
    }

    /// Whether LC's accounts must be read to show it.
    #[must_use]
    pub fn accounts(self) -> bool {
        self.partner || self.entity || self.custom_entities
    }
}
