// What a normalising client has to be told: which objects are entities here, and which types an interface has.
//
// Whatever implements `Node` is an entity, by its global `id`, and so is a CustomEntity. The rest belongs to the object
// that it stands in, also where it has a field `id`: an AccountEntity's is unique only within its account, a
// ConnectedAccount's is null while the partner has no LC account, and the two may be the same 24 characters.

/** Types with an `id` that is no identity, and single objects without any. */
export const EMBEDDED = ['AccountEntity', 'ConnectedAccount', 'Provenance', 'UiState', 'Viewer'];

/** The types of each interface, as the server tells them: Apollo's `possibleTypes`. */
export async function possibleTypes({ url, keys }) {
  const answer = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${keys.northwind}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ __schema { types { kind name possibleTypes { name } } } }' }),
  });
  const { types } = (await answer.json()).data.__schema;
  const interfaces = types.filter(({ kind }) => kind === 'INTERFACE');
  return Object.fromEntries(interfaces.map(({ name, possibleTypes }) => [name, possibleTypes.map(({ name }) => name)]));
}
