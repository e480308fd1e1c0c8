// The shared documents as Relay wants them: in a JavaScript module, operations and fragments named after it.

import { Kind, parse, print, visit } from 'graphql';

import { documents } from './documents.mjs';

const MODULE = 'SharedFacts';

/** What the compiler names an operation's artifact. */
export const artifactOf = (name, operation) => `${MODULE}${name}${operation === 'mutation' ? 'Mutation' : 'Query'}`;

const name = (value) => ({ kind: Kind.NAME, value });
const fragmentName = ({ value }) => name(`${MODULE}_${value[0].toLowerCase()}${value.slice(1)}`);

// Relay shows a component only what its own fragment asks for; these facts look at everything.
const unmasked = {
  kind: Kind.DIRECTIVE,
  name: name('relay'),
  arguments: [{ kind: Kind.ARGUMENT, name: name('mask'), value: { kind: Kind.BOOLEAN, value: false } }],
};

const renamed = (document) =>
  visit(document, {
    OperationDefinition: (node) => ({ ...node, name: name(artifactOf(node.name.value, node.operation)) }),
    FragmentDefinition: (node) => ({ ...node, name: fragmentName(node.name) }),
    FragmentSpread: (node) => ({ ...node, name: fragmentName(node.name), directives: [...node.directives, unmasked] }),
  });

/** The module's name and text. */
export function sharedModule() {
  const definitions = Object.values(documents).flatMap((text) => renamed(parse(text)).definitions);
  // A fragment that several documents spread is defined once.
  const texts = new Set(definitions.map((definition) => `graphql\`\n${print(definition)}\n\`;\n`));
  return { file: `${MODULE}.js`, text: `import { graphql } from 'relay-runtime';\n\n${[...texts].join('\n')}` };
}
