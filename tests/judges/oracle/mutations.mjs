// Breaks requests at random, with a seed, so that a finding can be had again: by tokens (left out, doubled, swapped, or
// replaced by others of their kind and by literals of another), and by the values of variables.

import { TokenKind } from 'graphql';

import { schema, tokensOf } from './oracle.mjs';

/** Numbers out of a seed (mulberry32). */
export function randomness(seed) {
  const next = () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  const below = (end) => Math.floor(next() * end);
  return { below, pick: (list) => list[below(list.length)] };
}

const types = Object.values(schema.getTypeMap());
const NAMES = {
  types: types.map((type) => type.name),
  fields: [
    ...new Set(
      types.filter((type) => !type.name.startsWith('__')).flatMap((type) => Object.keys(type.getFields?.() ?? {})),
    ),
  ],
  values: types.flatMap((type) => type.getValues?.().map((value) => value.name) ?? []),
  words: [
    'query',
    'mutation',
    'subscription',
    'fragment',
    'on',
    'true',
    'false',
    'null',
    'skip',
    'include',
    'if',
    '__typename',
    '__schema',
    '__type',
    'id',
    'x',
    'Row',
  ],
};
const NAME_LISTS = Object.values(NAMES);
const LITERALS = [
  '1',
  '-1',
  '0',
  '1.5',
  '""',
  '"a"',
  '"c00000000000000000000009"',
  '"2024-01-01T00:00:00Z"',
  '"""b"""',
  'true',
  'null',
  'ASC',
  'COMPLETED',
  '[]',
  '[1]',
  '["a"]',
  '{}',
  '{search: "a"}',
  '{field: CREATED_AT, direction: ASC}',
  '$first',
  '$x',
];
const SIGNS = ['!', '$', '(', ')', '...', ':', '=', '@', '[', ']', '{', '}', '|', '&'];
const INSERTIONS = [
  '@skip(if: true)',
  '@include(if: false)',
  '@include(if: $x)',
  '@deprecated',
  '...Row',
  '... on Partnership { id }',
  '... on Node { id }',
  '... { __typename }',
  'x: id',
  'id',
  '__typename',
  'a: name',
  'first: 1',
  '$x: Int',
  '{ id }',
  '# what\n',
  ',',
];
const VALUES = [
  null,
  0,
  1,
  -1,
  1.5,
  3e9,
  '',
  'a',
  'SELLER',
  'SSO_ONLY',
  'c00000000000000000000009',
  '2024-01-01T00:00:00Z',
  true,
  false,
  [],
  [null],
  ['a'],
  [1],
  {},
  { search: 'a' },
  { field: 'CREATED_AT', direction: 'DESC' },
  { colour: 1 },
];

const isLiteral = (token) =>
  [TokenKind.INT, TokenKind.FLOAT, TokenKind.STRING, TokenKind.BLOCK_STRING].includes(token.kind);

function wordsOf(text) {
  return tokensOf(text).map(({ kind, start, end }) => ({
    kind,
    text: text.slice(start, end),
    isApart: /[\s,]/.test(text[end] ?? ' '),
  }));
}

const namesOf = (tokens) => tokens.flatMap((token, index) => (token.kind === TokenKind.NAME ? [index] : []));

/** From a name to the end of what belongs to it: its arguments, its selection. */
function whole(tokens, random) {
  const from = random.pick(namesOf(tokens));
  let to = from + 1;
  for (let depth = 0; to < tokens.length; to += 1) {
    if (['(', '{', '['].includes(tokens[to].text)) depth += 1;
    else if (depth === 0) break;
    else if ([')', '}', ']'].includes(tokens[to].text)) depth -= 1;
  }
  return [from, to];
}

const CHANGES = [
  function leaveOut(tokens, random) {
    tokens.splice(random.below(tokens.length), 1);
  },
  function double(tokens, random) {
    const at = random.below(tokens.length);
    tokens.splice(at, 0, tokens[at]);
  },
  function doubleWhole(tokens, random) {
    const [from, to] = whole(tokens, random);
    tokens.splice(to, 0, ...tokens.slice(from, to));
  },
  function leaveOutWhole(tokens, random) {
    const [from, to] = whole(tokens, random);
    tokens.splice(from, to - from);
  },
  function moveWhole(tokens, random) {
    const [from, to] = whole(tokens, random);
    const moved = tokens.splice(from, to - from);
    tokens.splice(random.below(tokens.length), 0, ...moved);
  },
  function swapNames(tokens, random) {
    const names = namesOf(tokens);
    const [one, other] = [random.pick(names), random.pick(names)];
    [tokens[one], tokens[other]] = [tokens[other], tokens[one]];
  },
  function rename(tokens, random) {
    const at = random.pick(namesOf(tokens));
    // Mostly by one of its own kind, so that more than the first rule is reached.
    const kin = NAME_LISTS.find((list) => list.includes(tokens[at].text));
    tokens[at] = {
      kind: TokenKind.NAME,
      text: random.pick(kin && random.below(4) > 0 ? kin : random.pick(NAME_LISTS)),
    };
  },
  function changeLiteral(tokens, random) {
    const places = tokens.flatMap((token, index) =>
      isLiteral(token) || NAMES.values.includes(token.text) ? [index] : [],
    );
    if (places.length > 0) tokens[random.pick(places)] = { kind: 'literal', text: random.pick(LITERALS) };
  },
  function changeSign(tokens, random) {
    const places = tokens.flatMap((token, index) => (SIGNS.includes(token.text) ? [index] : []));
    tokens[random.pick(places)] = { kind: 'sign', text: random.pick(SIGNS) };
  },
  function insert(tokens, random) {
    tokens.splice(random.below(tokens.length), 0, { kind: 'text', text: random.pick(INSERTIONS) });
  },
  function toggleNonNull(tokens, random) {
    const names = tokens.flatMap((token, index) => (NAMES.types.includes(token.text) ? [index] : []));
    if (names.length === 0) return;
    const at = random.pick(names) + 1;
    if (tokens[at]?.text === '!') tokens.splice(at, 1);
    else tokens.splice(at, 0, { kind: '!', text: '!' });
  },
];

function changeVariables(variables, random) {
  const names = Object.keys(variables);
  const name = random.pick(names.length > 0 ? names : ['x']);
  const inside = variables[name];
  if (random.below(4) === 0) delete variables[name];
  else if (inside && typeof inside === 'object' && random.below(2) === 0)
    inside[random.pick([...Object.keys(inside), 'x', 0])] = structuredClone(random.pick(VALUES));
  else variables[name] = structuredClone(random.pick(VALUES));
}

// What leaves a document well formed comes more often: most of what can be wrong lies behind the parser.
const by = Object.fromEntries(CHANGES.map((change) => [change.name, change]));
const WEIGHTED = [
  ...CHANGES,
  ...CHANGES.filter((change) => ![by.leaveOut, by.double, by.changeSign, by.swapNames].includes(change)),
  by.rename,
  by.rename,
  by.rename,
  by.changeLiteral,
  by.toggleNonNull,
];

/** The seed's own request out of some, broken in one or two places. */
export function broken(requests, seed) {
  const random = randomness(seed);
  const request = structuredClone(random.pick(requests));
  const tokens = wordsOf(request.query);
  for (let changes = 1 + random.below(2); changes > 0 && namesOf(tokens).length > 0; changes -= 1) {
    if (random.below(4) === 0) changeVariables((request.variables ??= {}), random);
    else random.pick(WEIGHTED)(tokens, random);
  }
  // Sometimes with a line for each token, else written as before.
  const isSpread = random.below(20) === 0;
  request.query = tokens.map(({ text, isApart = true }) => text + (isSpread ? '\n' : isApart ? ' ' : '')).join('');
  return request;
}
