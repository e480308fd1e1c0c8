-- Values that another program may have stored in the demo's tables, each outside of its column's meaning.
UPDATE account_connections SET ui_state = '["odd"]', created_by = '' WHERE id = 'b00000000000000000000001';
UPDATE account_connections SET ui_state = 'null' WHERE id = 'b00000000000000000000002';
UPDATE account_connections SET ui_state = '"text"' WHERE id = 'b00000000000000000000003';
UPDATE account_connections SET ui_state = '{"has_setup_buyer_delivery": true, "zoom": 1e400, "serial": 12345678901234567890123}'
  WHERE id = 'b00000000000000000000004';
UPDATE account_connections SET ui_state = '{"half": "\ud800", "": [null]}' WHERE id = 'b00000000000000000000005';
UPDATE account_connections SET ui_state = '17', created_at = '0000-05-01T10:00:00Z' WHERE id = 'b00000000000000000000006';
UPDATE account_connections SET ui_state = printf('%.120c', '[') || printf('%.120c', ']')
  WHERE id = 'b00000000000000000000007';
UPDATE account_connections SET ui_state = 'not JSON', updated_at = 'tomorrow' WHERE id = 'b00000000000000000000008';
UPDATE account_entities SET website = 'www.contoso.example', logo_url = '//logo', source = 'magic', recipient = 'Buyer',
  see = 'the other one', time_zone = 'Mars/Olympus Mons', description = char(0x1f600, 10, 1, 0x2028), field_suffix = '',
  flow_ids = '["5fd4371e940df5a34a3888b2", 7, null, {}]', module_ids = '{"not": "a list"}', standard = 'maybe'
  WHERE id = 'e00000000000000000000002';
UPDATE account_entities SET website = '', logo_url = 'http://exa mple.com/ü', flow_ids = 'null', module_ids = '"text"',
  invitation_expires_at = '9999-12-31T23:59:59.9999Z' WHERE id = 'e00000000000000000000003';
UPDATE account_entities SET flow_ids = '{"a": 1}', module_ids = 'null', created_at = '0000-01-01T00:00:00Z', name = ''
  WHERE id = 'e00000000000000000000004';
UPDATE account_entities SET flow_ids = 'false', module_ids = '1.5' WHERE id = 'e00000000000000000000005';
UPDATE custom_entities SET source = '', recipient = 'sms', name = '<script>' WHERE id = 'd00000000000000000000001';
