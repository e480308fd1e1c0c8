// The documents that every client sends, as text: `documents/*.graphql` with the fragments that they spread.

import { readFileSync } from 'node:fs';

const read = (name) => readFileSync(new URL(`../documents/${name}.graphql`, import.meta.url), 'utf8');
const partnership = read('partnership');

export const documents = {
  Connections: read('connections') + partnership,
  Repair: read('repair') + partnership,
  Shapes: read('shapes'),
};
