// Translates a Partnership, as GraphQL gives it, into an entry of REST's list. Both tell the same facts when the
// translation of one equals the other; a field that only one of them has is a difference.

const ENUMS = new Set(['status', 'relationship_type', 'connected', 'source', 'recipient']);

const snakeCase = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

function translate(value) {
  if (Array.isArray(value)) return value.map(translate);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => name !== '__typename')
      .map(([name, value]) => {
        const key = snakeCase(name);
        return [key, ENUMS.has(key) && value !== null ? value.toLowerCase() : translate(value)];
      }),
  );
}

export function asRest({ id: _global, connectionId, uiState, permissions, ...rest }) {
  return {
    ...translate(rest),
    id: connectionId,
    ui_state: uiState.raw,
    // Unknown permissions fail closed in REST.
    permissions: permissions ?? [],
  };
}
