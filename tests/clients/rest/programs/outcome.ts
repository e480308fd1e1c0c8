// The form in which every program over a generated client tells what came of a call, so that one set of facts holds for
// all.

/** The status, and what the client read: a value in the form it has on the wire, or the text of a refusal. */
export type Outcome<Value> = { status: number; value: Value } | { status: number; error: string };

/** What a client is to be used for. `key` is null for a caller without one. */
export interface Caller {
  url: string;
  key: string | null;
}

/** A value as it was on the wire, where a client has made dates of times. */
export function onTheWire(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(onTheWire);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, onTheWire(part)]));
}
