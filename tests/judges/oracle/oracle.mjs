// What graphql-js says of a request: whether the server must execute it, and if not, which code the refusal must bear.
// Beside the specification's rules it knows the contract's: what the custom scalars take, and the limits of a document.

import {
  buildSchema,
  getOperationAST,
  getVariableValues,
  GraphQLBoolean,
  GraphQLError,
  GraphQLNonNull,
  isIntrospectionType,
  Kind,
  Lexer,
  MaxIntrospectionDepthRule,
  parse,
  Source,
  specifiedRules,
  TokenKind,
  validate,
} from 'graphql';

import { SDL } from '../support.mjs';

/** schema.graphql, whose custom scalars read what the contract says. */
export const schema = buildSchema(SDL);

// As the newest specification has them, and the server.
for (const type of Object.values(schema.getTypeMap()).filter(isIntrospectionType)) {
  for (const field of Object.values(type.getFields?.() ?? {})) {
    for (const argument of field.args) {
      if (argument.name === 'includeDeprecated') argument.type = new GraphQLNonNull(GraphQLBoolean);
    }
  }
}

/**
 * All of graphql-js's rules but one. How deep introspection goes is not a matter of validity: the server bounds it like
 * everything else, by the depth of fields and the number of selections.
 */
export const rules = specifiedRules.filter((rule) => rule !== MaxIntrospectionDepthRule);

function reads(name, isValid) {
  const read = (value) => {
    if (typeof value === 'string' && isValid(value)) return value;
    throw new GraphQLError(`${name} cannot represent ${JSON.stringify(value)}.`);
  };
  const scalar = schema.getType(name);
  scalar.parseValue = read;
  scalar.parseLiteral = (node) => read(node.kind === Kind.STRING ? node.value : undefined);
}

reads('ObjectID', (text) => /^[0-9a-f]{24}$/i.test(text));
reads('DateTime', isInstant);

/** RFC 3339, and of a day that there is: Date.parse takes 30 February. */
function isInstant(text) {
  const [, day, hour] = /^(\d{4}-\d\d-\d\d)T(\d\d):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i.exec(text) ?? [];
  const midnight = new Date(`${day}T00:00:00Z`);
  return Number(hour) < 24 && !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day);
}

const LIMITS = { depth: 15, fields: 20, aliases: 30, directives: 50, selections: 2_000 };
const MOST_BYTES = 32 * 1024;
const MOST_TOKENS = 2_000;
const DEEPEST_BRACKETS = 64;

/**
 * The verdict on a request: `executed`, or the code of the refusal; with graphql-js's own words.
 *
 * Where the server deliberately says otherwise than graphql-js: limits; a request without a document; an empty operationName,
 * which is none, as GraphQL over HTTP has it for GET; operations of a kind that the schema has not, which are refused even
 * where another is chosen; definitions of types, which it knows by their first word and does not read.
 */
export function judge({ query, operationName, variables }) {
  if (query.trim() === '')
    return { verdict: 'BAD_USER_INPUT', reasons: ['without a document it is no GraphQL request'] };
  if (isTooLong(query)) return { verdict: 'LIMIT_EXCEEDED' };
  let document;
  try {
    document = parse(query);
  } catch (error) {
    const verdict = beginsDefinition(query) ? 'GRAPHQL_VALIDATION_FAILED' : 'GRAPHQL_PARSE_FAILED';
    return { verdict, reasons: [error.message] };
  }
  const errors = validate(schema, document, rules);
  if (errors.length > 0) return { verdict: 'GRAPHQL_VALIDATION_FAILED', reasons: errors.map((error) => error.message) };
  const operations = document.definitions.filter((one) => one.kind === Kind.OPERATION_DEFINITION);
  // The specification's newest rule, which graphql-js leaves to the execution of that very operation.
  const rootless = operations.find((one) => !schema.getRootType(one.operation));
  if (rootless) return { verdict: 'GRAPHQL_VALIDATION_FAILED', reasons: [`The schema has no ${rootless.operation}.`] };
  if (operations.some((one) => isTooLarge(document, one))) return { verdict: 'LIMIT_EXCEEDED' };
  const operation = getOperationAST(document, operationName || undefined);
  if (!operation)
    return { verdict: 'GRAPHQL_VALIDATION_FAILED', reasons: ['There is no such operation, or more than one.'] };
  const { errors: offences } = getVariableValues(schema, operation.variableDefinitions ?? [], variables ?? {});
  if (offences) return { verdict: 'BAD_USER_INPUT', reasons: offences.map((error) => error.message) };
  return { verdict: 'executed', document, operation };
}

/** What stands in the answer of a request that was judged, in the same words. */
export function verdictOf(answer) {
  if ('data' in answer) return 'executed';
  const codes = new Set(answer.errors.map((error) => error.extensions.code));
  return codes.size === 1 ? [...codes][0] : [...codes].sort().join(' and ');
}

const OF_SCHEMAS = ['schema', 'scalar', 'type', 'interface', 'union', 'enum', 'input', 'directive', 'extend'];

/** Whether a text is sound up to where a definition of a type begins. */
function beginsDefinition(text) {
  const word = tokensOf(text).find(({ value, depth }) => depth === 0 && OF_SCHEMAS.includes(value));
  const before = text.slice(0, word?.start ?? 0);
  return word !== undefined && (before.trim() === '' || isDocument(before));
}

function isDocument(text) {
  try {
    return parse(text) !== undefined;
  } catch {
    return false;
  }
}

const OPENING = [TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L];
const CLOSING = [TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R];

/** The tokens of a text as far as it has any, each with the number of brackets that are open behind it. */
export function tokensOf(text) {
  const lexer = new Lexer(new Source(text));
  const tokens = [];
  let depth = 0;
  try {
    while (lexer.advance().kind !== TokenKind.EOF) {
      const { kind, value, start, end } = lexer.token;
      depth += OPENING.includes(kind) - CLOSING.includes(kind);
      tokens.push({ kind, value, start, end, depth });
    }
  } catch {
    // That it is no GraphQL is told by the parser.
  }
  return tokens;
}

function isTooLong(text) {
  const tokens = Buffer.byteLength(text) > MOST_BYTES ? undefined : tokensOf(text);
  return !tokens || tokens.length > MOST_TOKENS || tokens.some(({ depth }) => depth > DEEPEST_BRACKETS);
}

function isTooLarge(document, operation) {
  const fragments = new Map(
    document.definitions.filter((one) => one.kind === Kind.FRAGMENT_DEFINITION).map((one) => [one.name.value, one]),
  );
  const size = sizeOf(operation.selectionSet, fragments, new Map());
  size.directives += operation.directives.length;
  return Object.entries(LIMITS).some(([what, most]) => size[what] > most);
}

/** What a selection set comes to when its fragments are expanded, in the measures of LIMITS. */
function sizeOf(selectionSet, fragments, known) {
  const size = { depth: 0, fields: 0, aliases: 0, directives: 0, selections: 0 };
  const add = (other) => {
    for (const what of ['fields', 'aliases', 'directives', 'selections']) size[what] += other[what];
    size.depth = Math.max(size.depth, other.depth);
  };
  for (const selection of selectionSet?.selections ?? []) {
    size.selections += 1;
    size.directives += selection.directives.length;
    if (selection.kind === Kind.FRAGMENT_SPREAD) {
      const name = selection.name.value;
      if (!known.has(name)) known.set(name, sizeOf(fragments.get(name).selectionSet, fragments, known));
      add(known.get(name));
      continue;
    }
    const inner = sizeOf(selection.selectionSet, fragments, known);
    if (selection.kind === Kind.FIELD) {
      inner.depth += 1;
      inner.fields = 1;
      if (selection.alias) inner.aliases += 1;
    }
    add(inner);
  }
  return size;
}
