-- Accounts that own 20, 200 and 2,000 connections, among 20,000 of others; each partner has a card of all columns and two
-- custom entities. An account's id ends in how many connections it has.
CREATE OR REPLACE FUNCTION pg_temp.id(kind text, owner int, number int) RETURNS text LANGUAGE sql IMMUTABLE AS
  $$ SELECT kind || lpad(to_hex(owner), 11, '0') || lpad(to_hex(number), 12, '0') $$;

CREATE TEMP TABLE sizes AS
  SELECT size AS owner, size, 'a' || lpad(size::text, 23, '0') AS account_id FROM (VALUES (20), (200), (2000)) AS wanted (size)
  UNION ALL SELECT 100000 + number, 200, pg_temp.id('a', 100000 + number, 0) FROM generate_series(1, 100) AS number;

INSERT INTO accounts SELECT account_id, pg_temp.id('5', owner, 0), 'Owner ' || owner, now(), now() FROM sizes;
INSERT INTO accounts
  SELECT pg_temp.id('a', owner, number), pg_temp.id('5', owner, number), 'Partner ' || number || ' of ' || owner, now(), now()
  FROM sizes, generate_series(1, size) AS number;
INSERT INTO account_connections (id, account_id, external_id, invitation_id, relationship_type, connected_account_id,
    connected_account_sso_id, connected_account_name, created_by, ui_state, created_at, updated_at)
  SELECT pg_temp.id('b', owner, number), account_id, pg_temp.id('c', owner, number), pg_temp.id('f', owner, number),
    CASE number % 2 WHEN 0 THEN 'buyer' ELSE 'seller' END, pg_temp.id('a', owner, number), pg_temp.id('5', owner, number),
    'Partner ' || number, 'someone@example.com', '{"has_setup_buyer_delivery": true}',
    timestamptz '2024-01-01 00:00:00Z' + number * interval '1 minute', timestamptz '2024-06-01 00:00:00Z' + number * interval '1 second'
  FROM sizes, generate_series(1, size) AS number;
INSERT INTO account_entities (account_id, id, connected_account_id, name, description, standard, account, pending, deprecated, see,
    field_suffix, invitation_id, invitation_expires_at, flow_ids, logo_url, module_ids, source, recipient, time_zone,
    trustedform_certified_vendor, website, created_at, updated_at)
  SELECT account_id, pg_temp.id('e', owner, number), pg_temp.id('a', owner, number), 'Card ' || number,
    'A partner of many words, as such descriptions are', false, true, false, false, pg_temp.id('e', owner, 1), 'suffix' || number,
    pg_temp.id('f', owner, number), timestamptz '2030-01-01 00:00:00Z', '["5fd4371e940df5a34a3888b2"]',
    'https://example.com/logo/' || number || '.png', '["leadconduit-salesforce.outbound.create_contact"]', 'seller', 'crm',
    'America/Los Angeles', true, 'https://example.com/' || number, timestamptz '2024-01-01 00:00:00Z', timestamptz '2024-01-02 00:00:00Z'
  FROM sizes, generate_series(1, size) AS number;
INSERT INTO custom_entities (id, account_id, connected_account_id, name, source, recipient, created_at, updated_at)
  SELECT pg_temp.id('d', owner, number * 2 + which), account_id, pg_temp.id('a', owner, number), 'Custom ' || which, 'form', 'buyer',
    timestamptz '2024-01-01 00:00:00Z' + which * interval '1 second', timestamptz '2024-01-01 00:00:00Z'
  FROM sizes, generate_series(1, size) AS number, generate_series(0, 1) AS which;

-- What SSO lists for the three: the same connections.
CREATE TABLE bench_listed AS
  SELECT json_agg(json_build_object(
    'id', pg_temp.id('c', owner, number), 'invitation_id', pg_temp.id('f', owner, number),
    CASE number % 2 WHEN 0 THEN 'seller' ELSE 'buyer' END, json_build_object('id', pg_temp.id('5', owner, 0), 'name', 'Owner'),
    CASE number % 2 WHEN 0 THEN 'buyer' ELSE 'seller' END, json_build_object('id', pg_temp.id('5', owner, number), 'name', 'Partner'),
    'permissions', json_build_object('buyer', json_build_array('view_submission_docs'), 'seller', json_build_array()),
    'created_by', null, 'created_at', to_char(timestamptz '2024-01-01 00:00:00Z' + number * interval '1 minute', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    'updated_at', '2024-06-01T00:00:00Z')) AS document
  FROM sizes, generate_series(1, size) AS number WHERE owner < 100000;
ANALYZE;
