// What the answer to a request must be: graphql-js executes it over a world that is the server itself, asked one field at a
// time and plainly: no alias, no fragment, no directive, nothing to merge. So whatever a request combines must come to what
// its parts say, key by key and in graphql-js's order.

import { execute, getNamedType, GraphQLError, isAbstractType, isLeafType } from 'graphql';

import { ask } from '../support.mjs';
import { schema } from './oracle.mjs';

const selections = new Map();

/** All of a type that takes no arguments, down to the leaves; what takes some is a question of its own. */
function everythingOf(type) {
  if (isLeafType(type)) return '';
  if (!selections.has(type)) {
    const parts = isAbstractType(type)
      ? schema.getPossibleTypes(type).map((object) => `... on ${object.name} ${everythingOf(object)}`)
      : Object.values(type.getFields())
          .filter((field) => field.args.length === 0)
          .map((field) => `${field.name} ${everythingOf(getNamedType(field.type))}`);
    selections.set(type, `{ __typename ${parts.join(' ')} }`);
  }
  return selections.get(type);
}

// Nothing is written meanwhile, so what was asked once need not be asked again.
const known = new Map();

/** Executes what `judge` found fit; answers data and errors. */
export function executed({ document, operation }, { variables }, demo, key) {
  async function answerTo(request, path) {
    const { answer } = await ask(demo, key, request);
    const error = answer.errors?.[0];
    if (error) throw new GraphQLError(error.message, { extensions: error.extensions });
    return path.reduce((value, step) => value[step], answer.data);
  }

  function fieldResolver(source, args, _context, { parentType, fieldName, returnType }) {
    const isRoot = source === undefined;
    const field = parentType.getFields()[fieldName];
    if (!isRoot && field.args.length === 0) return source[fieldName];
    const given = field.args.filter((argument) => argument.name in args);
    const definitions = given.map((argument) => `$${argument.name}: ${argument.type}`);
    const call = `${fieldName}${given.length > 0 ? `(${given.map(({ name }) => `${name}: $${name}`).join(', ')})` : ''} ${everythingOf(getNamedType(returnType))}`;
    const values = Object.fromEntries(given.map(({ name }) => [name, args[name]]));
    const request = isRoot
      ? {
          query: `${operation.operation} ${definitions.length > 0 ? `(${definitions.join(', ')})` : ''} { ${call} }`,
          variables: values,
        }
      : {
          query: `query (${['$source: ID!', ...definitions].join(', ')}) { node(id: $source) { ... on ${parentType.name} { ${call} } } }`,
          variables: { ...values, source: source.id },
        };
    const question = JSON.stringify([demo.url, key, request]);
    if (!known.has(question)) known.set(question, answerTo(request, isRoot ? [fieldName] : ['node', fieldName]));
    return known.get(question);
  }

  return execute({
    schema,
    document,
    operationName: operation.name?.value,
    variableValues: variables,
    fieldResolver,
    typeResolver: (value) => value.__typename,
  });
}

/** Data as text, in which keys have an order; the instants of this very request, and how texts are wrapped, are made alike. */
export function written(data) {
  const alike = (value) => (isOfNow(value) ? 'now' : value.replace(/\s+/g, ' '));
  return JSON.stringify(data, (_, value) => (typeof value === 'string' ? alike(value) : value), 1);
}

/** Errors by path and code. graphql-js itself has none; what it finds while executing is always a bad argument. */
export function failures({ errors = [] }) {
  return errors.map(({ path, extensions }) => `${path.join('.')}: ${extensions?.code ?? 'BAD_USER_INPUT'}`).sort();
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const MINUTES = 60_000;

function isOfNow(value) {
  return INSTANT.test(value) && Math.abs(Date.parse(value) - Date.now()) < 10 * MINUTES;
}
