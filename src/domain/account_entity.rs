//! The business cards of partners: account entities, and the custom entities that the caller made itself.

use super::id::{AccountId, CustomEntityId, EntityId, InvitationId, ObjectId};
use super::stored::{Stored, StoredId, StoredList, StoredUrl};
use super::timestamp::Timestamp;

macro_rules! known_words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $name {
            $(#[doc = concat!("`", $word, "`.")] $variant,)+
            /// A stored word outside the known set, kept as it is.
            Unknown(Box<str>),
        }

        impl $name {
            /// The words that are known.
            pub const KNOWN: &[&str] = &[$($word),+];

            /// Never fails: an unknown word is kept.
            #[must_use]
            pub fn from_stored(word: Box<str>) -> Self {
                match &*word {
                    $($word => Self::$variant,)+
                    _ => Self::Unknown(word),
                }
            }

            /// The word as stored.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Unknown(word) => word,
                }
            }
        }

        impl Stored for $name {
            fn unknown(&self) -> usize {
                usize::from(matches!(self, Self::Unknown(_)))
            }
        }
    };
}

known_words! {
    /// What an entity is as a source of leads.
    EntitySource { Form = "form", Seller = "seller", Other = "other" }
}

known_words! {
    /// What an entity is as a recipient of leads.
    EntityRecipient {
        Buyer = "buyer", Crm = "crm", Analytics = "analytics", Enhancement = "enhancement", Esp = "esp", Other = "other",
    }
}

/// Which relationship types the caller has with an entity's partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntityConnected {
    /// The partner sells to the caller.
    Seller,
    /// The partner buys from the caller.
    Buyer,
    /// Both.
    Both,
}

impl EntityConnected {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Seller, Self::Buyer, Self::Both];

    /// REST's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Seller => "seller",
            Self::Buyer => "buyer",
            Self::Both => "both",
        }
    }
}

/// One row of `account_entities`, without its owner.
///
/// The fields are for who makes one: the store out of a row, the demo out of nothing. Everyone else reads through the
/// accessors, so that the inside can change at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountEntity {
    pub(crate) id: EntityId,
    pub(crate) connected_account_id: Option<AccountId>,
    pub(crate) name: Box<str>,
    pub(crate) description: Option<Box<str>>,
    pub(crate) standard: Option<bool>,
    pub(crate) account: Option<bool>,
    pub(crate) pending: Option<bool>,
    pub(crate) deprecated: Option<bool>,
    pub(crate) see: Option<StoredId>,
    pub(crate) field_suffix: Option<Box<str>>,
    pub(crate) invitation_id: Option<InvitationId>,
    pub(crate) invitation_expires_at: Option<Timestamp>,
    pub(crate) flow_ids: Option<StoredList<ObjectId>>,
    pub(crate) logo_url: Option<StoredUrl>,
    pub(crate) module_ids: StoredList<Box<str>>,
    pub(crate) source: Option<EntitySource>,
    pub(crate) recipient: Option<EntityRecipient>,
    pub(crate) time_zone: Option<Box<str>>,
    pub(crate) trustedform_certified_vendor: Option<bool>,
    pub(crate) website: Option<StoredUrl>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

macro_rules! accessors {
    ($($(#[$doc:meta])* $field:ident: $type:ty = |$this:ident| $value:expr;)+) => {
        impl AccountEntity {
            $($(#[$doc])* #[must_use] pub fn $field(&self) -> $type { let $this = self; $value })+
        }
    };
}

accessors! {
    /// Unique within its owner.
    id: EntityId = |this| this.id;
    /// The partner account that this card describes.
    connected_account_id: Option<AccountId> = |this| this.connected_account_id;
    /// The partner's name on the card.
    name: &str = |this| &this.name;
    /// Free text.
    description: Option<&str> = |this| this.description.as_deref();
    /// A standard entity, offered to all accounts.
    standard: Option<bool> = |this| this.standard;
    /// Stands for an LC account.
    account: Option<bool> = |this| this.account;
    /// Its invitation is not accepted yet.
    pending: Option<bool> = |this| this.pending;
    /// No longer to be used; `see` may name its successor.
    deprecated: Option<bool> = |this| this.deprecated;
    /// The entity to use instead.
    see: Option<&StoredId> = |this| this.see.as_ref();
    /// What its fields' names end in.
    field_suffix: Option<&str> = |this| this.field_suffix.as_deref();
    /// The invitation that it waits for.
    invitation_id: Option<InvitationId> = |this| this.invitation_id;
    /// When that invitation ends.
    invitation_expires_at: Option<Timestamp> = |this| this.invitation_expires_at;
    /// Flows that use it; `None`: not an account entity.
    flow_ids: Option<&StoredList<ObjectId>> = |this| this.flow_ids.as_ref();
    /// Its picture.
    logo_url: Option<&StoredUrl> = |this| this.logo_url.as_ref();
    /// Its integrations.
    module_ids: &StoredList<Box<str>> = |this| &this.module_ids;
    /// What it is as a source.
    source: Option<&EntitySource> = |this| this.source.as_ref();
    /// What it is as a recipient.
    recipient: Option<&EntityRecipient> = |this| this.recipient.as_ref();
    /// Free text, not always IANA.
    time_zone: Option<&str> = |this| this.time_zone.as_deref();
    /// Certified by `TrustedForm`.
    trustedform_certified_vendor: Option<bool> = |this| this.trustedform_certified_vendor;
    /// Its web site.
    website: Option<&StoredUrl> = |this| this.website.as_ref();
    /// When the card was made.
    created_at: Timestamp = |this| this.created_at;
    /// When it last changed.
    updated_at: Timestamp = |this| this.updated_at;
}

impl AccountEntity {
    /// Whether its invitation has run out at `now`; `None` where there is no expiry.
    #[must_use]
    pub fn expired(&self, now: Timestamp) -> Option<bool> {
        self.invitation_expires_at.map(|expires_at| expires_at <= now)
    }

    /// Of several cards for one partner, the one to show: the one with `account` true, then the lowest id.
    #[must_use]
    pub fn is_preferred_to(&self, other: &Self) -> bool {
        let rank = |entity: &Self| (entity.account != Some(true), entity.id);
        rank(self) < rank(other)
    }
}

/// One row of `custom_entities`, without its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomEntity {
    pub(crate) id: CustomEntityId,
    pub(crate) name: Box<str>,
    pub(crate) source: Option<EntitySource>,
    pub(crate) recipient: Option<EntityRecipient>,
    pub(crate) created_at: Timestamp,
}

impl CustomEntity {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> CustomEntityId {
        self.id
    }

    /// The name that the caller gave it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is as a source.
    #[must_use]
    pub fn source(&self) -> Option<&EntitySource> {
        self.source.as_ref()
    }

    /// What it is as a recipient.
    #[must_use]
    pub fn recipient(&self) -> Option<&EntityRecipient> {
        self.recipient.as_ref()
    }

    /// Its place among a partner's custom entities: `created_at`, then `id`.
    #[must_use]
    pub fn list_order(&self) -> (Timestamp, CustomEntityId) {
        (self.created_at, self.id)
    }
}
