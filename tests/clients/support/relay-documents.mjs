// The shared documents as Relay wants them: in a JavaScript module, operations and fragments named after it.

import { parse, print, visit } from 'graphql';

import { documents } from './documents.mjs';

const MODULE = 'SharedFacts';

export const artifactOf = (name, operation) => `${MODULE}${name}${operation === 'mutation' ? 'Mutation' : 'Query'}`;

const fragmentName = (name) => `${MODULE}_${name[0].toLowerCase()}${name.slice(1)}`;

function renamed(document) {
  return visit(document, {
    OperationDefinition: (node) => ({ ...node, name: { ...node.name, value: artifactOf(node.name.value, node.operation) } }),
    FragmentDefinition: (node) => ({ ...node, name: { ...node.name, value: fragmentName(node.name.value) } }),
    // Relay shows a component only what its own fragment asks for; these facts look at everything.
    FragmentSpread: (node) => ({
      ...node,
      name: { ...node.name, value: `${fragmentName(node.name.value)} @relay(mask: false)` },
    }),
  });
}

/** The module's name and text. */
export function sharedModule() {
  const definitions = Object.values(documents).flatMap((text) => renamed(parse(text)).definitions);
  // A fragment that several documents spread is defined once.
  const texts = new Set(definitions.map((definition) => `graphql\`\n${print(definition)}\n\`;\n`));
  return { file: `${MODULE}.js`, text: `import { graphql } from 'relay-runtime';\n\n${[...texts].join('\n')}` };
}
