// openapi-generator's javascript.

import { ApiClient, ConnectionsApi, RepairRequest } from '../javascript/src/index.js';
import { onTheWire } from './outcome.js';

// Its own reader of times takes the year 1 for 2001.
ApiClient.parseDate = (text) => new Date(text);

// And of an object that is null it makes an undefined one, by 3.0.
const withNull = (entry) => (entry.account_entity === undefined ? { ...entry, account_entity: null } : entry);

async function outcome(call, status) {
  try {
    return { status, value: onTheWire(await call()) };
  } catch (error) {
    if (error.response === undefined) throw error;
    return { status: error.status, error: error.response.body.error };
  }
}

export function connect({ url, key }) {
  const client = new ApiClient(url);
  if (key !== null) client.authentications.basic.password = key;
  const api = new ConnectionsApi(client);
  return {
    list: (relationshipType) =>
      outcome(async () => (await api.listConnections({ relationshipType })).map(withNull), 200),
    get: (id) => outcome(() => api.getConnection(id, {}), 200),
    repair: (connectionId) =>
      outcome(async () => (await api.repairConnection(new RepairRequest(connectionId))).id, 201),
  };
}
