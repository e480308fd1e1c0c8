//! The demo's LC side: one account of interest and its partners, with every state that a connection can be in. SSO's
//! side is `sso/simulator/sample.json`; the numbers of the ids agree.

use crate::domain::account_entity::{AccountEntity, CustomEntity, EntityRecipient, EntitySource};
use crate::domain::caller::Account;
use crate::domain::connection::RelationshipType::{self, Buyer, Seller};
use crate::domain::id::{AccountId, ObjectId};
use crate::domain::raw_json::RawJson;
use crate::domain::repair::NewConnection;
use crate::domain::stored::{StoredId, StoredList, StoredUrl};
use crate::domain::timestamp::Timestamp;

/// Northwind, whose list the demo shows.
pub(super) const NORTHWIND: u8 = 1;
/// Contoso, which sees one of the connections from the other side.
pub(super) const CONTOSO: u8 = 2;

/// What the demo writes.
pub(super) struct Sample {
    /// LC's accounts.
    pub accounts: Vec<Account>,
    /// Rows, each of its owner.
    pub connections: Vec<NewConnection>,
    /// Northwind's cards.
    pub entities: Vec<AccountEntity>,
    /// Northwind's own cards, each with its partner.
    pub custom_entities: Vec<(AccountId, CustomEntity)>,
}

/// An id whose first digit tells its kind (`a` account, `5` SSO account, `b` row, `c` connection at SSO, `e` entity,
/// `d` custom entity, `f` invitation) and whose last two tell which.
pub(super) fn id(kind: char, number: u8) -> ObjectId {
    // 24 hexadecimal characters by construction, so the fallback is never taken.
    ObjectId::parse(&format!("{kind}{number:023x}")).unwrap_or(ObjectId::from_parts(0, [0; 5], 0))
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap_or(Timestamp::EPOCH)
}

/// The sample as of `now`, by which invitations are pending or expired.
pub(super) fn sample(now: Timestamp) -> Sample {
    const DAY: i64 = 24 * 60 * 60 * 1000;
    let in_days = |days: i64| Some(Timestamp::from_millis(now.as_millis() + days * DAY));
    let account =
        |number, name: &str| Account { id: id('a', number).into(), sso_id: id('5', number).into(), name: name.into() };
    let connections = vec![
        // In sync, from both sides.
        row(NORTHWIND, 1, Seller, CONTOSO, "Contoso Leads", "2024-01-10T09:00:00Z"),
        NewConnection {
            id: id('b', 0x11).into(),
            ..row(CONTOSO, 1, Buyer, NORTHWIND, "Northwind Insurance", "2024-01-10T09:00:00Z")
        },
        // A two-way partner.
        row(NORTHWIND, 2, Seller, 3, "Fabrikam Media", "2024-02-01T09:00:00Z"),
        row(NORTHWIND, 3, Buyer, 3, "Fabrikam Media", "2024-02-02T09:00:00Z"),
        // Their entities are expired and deprecated.
        row(NORTHWIND, 4, Buyer, 4, "Tailspin Brokers", "2024-03-05T09:00:00Z"),
        NewConnection { invitation_id: None, ..row(NORTHWIND, 5, Seller, 5, "Wingtip Ads", "2024-03-20T09:00:00Z") },
        // SSO no longer lists this one.
        row(NORTHWIND, 6, Seller, 6, "Litware Marketing", "2024-04-01T09:00:00Z"),
        // SSO says "seller".
        row(NORTHWIND, 7, Buyer, 7, "Adventure Data", "2024-05-05T09:00:00Z"),
        // The partner has no LC account.
        NewConnection {
            partner_id: None,
            ..row(NORTHWIND, 8, Seller, 0xf1, "Proseware Direct", "2024-05-15T09:00:00Z")
        },
        // 9 (Woodgrove) and 10 (Coho Lending, without an LC account) exist in SSO alone.
    ];
    let entities = vec![
        AccountEntity {
            description: Some("Auto insurance leads, exclusive".into()),
            field_suffix: Some("contoso".into()),
            flow_ids: Some(StoredList::of_ids(RawJson::from_value(&["5fd4371e940df5a34a3888b2"]))),
            logo_url: Some(StoredUrl::from_stored("https://contoso.example/logo.png".into())),
            module_ids: StoredList::of_texts(RawJson::from_value(&["leadconduit-salesforce.outbound.create_contact"])),
            source: Some(EntitySource::Seller),
            time_zone: Some("America/Los Angeles".into()),
            trustedform_certified_vendor: Some(true),
            website: Some(StoredUrl::from_stored("https://contoso.example/".into())),
            ..entity(2, "Contoso Leads")
        },
        AccountEntity {
            pending: Some(true),
            invitation_id: Some(id('f', 2).into()),
            invitation_expires_at: in_days(7),
            ..entity(3, "Fabrikam Media")
        },
        AccountEntity {
            pending: Some(true),
            invitation_id: Some(id('f', 4).into()),
            invitation_expires_at: in_days(-30),
            recipient: Some(EntityRecipient::Buyer),
            ..entity(4, "Tailspin Brokers")
        },
        AccountEntity { deprecated: Some(true), see: Some(StoredId::Id(id('e', 2))), ..entity(5, "Wingtip Ads") },
        entity(9, "Woodgrove Partners"),
    ];
    let custom_entities = vec![
        custom(1, CONTOSO, "Contoso, home insurance", Some(EntitySource::Seller), None),
        custom(2, CONTOSO, "Contoso, returns", None, Some(EntityRecipient::Crm)),
        custom(3, 9, "Woodgrove trial", Some(EntitySource::Form), None),
    ];
    Sample {
        accounts: vec![
            account(1, "Northwind Insurance"),
            account(2, "Contoso Leads"),
            account(3, "Fabrikam Media"),
            account(4, "Tailspin Brokers"),
            account(5, "Wingtip Ads"),
            account(6, "Litware Marketing"),
            account(7, "Adventure Data"),
            account(9, "Woodgrove Partners"),
        ],
        connections,
        entities,
        custom_entities,
    }
}

fn row(
    owner: u8,
    number: u8,
    relationship_type: RelationshipType,
    partner: u8,
    name: &str,
    created_at: &str,
) -> NewConnection {
    NewConnection {
        id: id('b', number).into(),
        account_id: id('a', owner).into(),
        sso_connection_id: id('c', number).into(),
        invitation_id: Some(id('f', number).into()),
        relationship_type,
        partner_id: Some(id('a', partner).into()),
        partner_sso_id: id('5', partner).into(),
        partner_name: name.into(),
        created_by: Some("ada@northwind.example".into()),
        created_at: at(created_at),
        updated_at: at(created_at),
    }
}

fn entity(partner: u8, name: &str) -> AccountEntity {
    AccountEntity {
        id: id('e', partner).into(),
        connected_account_id: Some(id('a', partner).into()),
        name: name.into(),
        description: None,
        standard: Some(false),
        account: Some(true),
        pending: Some(false),
        deprecated: Some(false),
        see: None,
        field_suffix: None,
        invitation_id: None,
        invitation_expires_at: None,
        flow_ids: Some(StoredList::empty()),
        logo_url: None,
        module_ids: StoredList::empty(),
        source: None,
        recipient: None,
        time_zone: None,
        trustedform_certified_vendor: None,
        website: None,
        created_at: at("2024-01-01T00:00:00Z"),
        updated_at: at("2024-01-01T00:00:00Z"),
    }
}

fn custom(
    number: u8,
    partner: u8,
    name: &str,
    source: Option<EntitySource>,
    recipient: Option<EntityRecipient>,
) -> (AccountId, CustomEntity) {
    let created_at = at("2024-01-15T00:00:00Z");
    (
        id('a', partner).into(),
        CustomEntity { id: id('d', number).into(), name: name.into(), source, recipient, created_at },
    )
}
