// No client that works today may break tomorrow: graphql-inspector finds no breaking change from what was promised, or from
// any schema that was ever committed since the first published one, to what the program exports now.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { CriticalityLevel, diff } from '@graphql-inspector/core';
import { buildSchema, parse, print, visit } from 'graphql';

import { BINARY, ROOT, SDL } from './support.mjs';

/** The commit from which on the schema is published. */
const PUBLISHED = 'bebef55c1e58c118729c4cbe3e7e0584058dc95a';

const exported = execFileSync(BINARY, ['schema'], { encoding: 'utf8' });

async function breakingChanges(before, now) {
  const changes = await diff(buildSchema(before), buildSchema(now));
  return changes
    .filter((change) => change.criticality.level === CriticalityLevel.Breaking)
    .map((change) => change.message);
}

function git(...command) {
  try {
    return execFileSync('git', ['-C', ROOT, ...command], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    throw new Error(
      `git ${command.join(' ')} failed, so that earlier schemas cannot be compared: ${error.stderr ?? error.message}` +
        `This test needs a clone with history since ${PUBLISHED}; a shallow one is completed by \`git fetch --unshallow\`.`,
    );
  }
}

test('the committed schema is what the program exports', () => assert.equal(SDL, exported));

test('nothing that was promised before the first version is missing or different', async () => {
  const target = readFileSync(`${ROOT}/tests/it/support/target.graphql`, 'utf8');
  assert.deepEqual(await breakingChanges(target, exported), []);
});

test('no schema that was ever committed is broken', async () => {
  git('merge-base', '--is-ancestor', PUBLISHED, 'HEAD');
  const commits = git('log', '--format=%H', `${PUBLISHED}..HEAD`, '--', 'schema.graphql').split('\n').filter(Boolean);
  for (const commit of [PUBLISHED, ...commits]) {
    assert.deepEqual(await breakingChanges(git('show', `${commit}:schema.graphql`), exported), [], `since ${commit}`);
  }
});

test('what is gone, and what is stricter than it was, would be seen', async () => {
  const without = (kind, name) =>
    print(visit(parse(exported), { [kind]: (node) => (node.name.value === name ? null : undefined) }));
  for (const [changed, message] of [
    [without('FieldDefinition', 'degraded'), "Field 'degraded' was removed from object type 'PartnershipConnection'"],
    [without('EnumValueDefinition', 'IN_SYNC'), "Enum value 'IN_SYNC' was removed from enum 'DriftKind'"],
    [
      without('InputValueDefinition', 'dryRun'),
      "Input field 'dryRun' was removed from input object type 'RepairConnectionInput'",
    ],
    [
      exported.replace('localId: ObjectID', 'localId: String'),
      "Field 'Partnership.localId' changed type from 'ObjectID' to 'String'",
    ],
    [
      exported.replace('reason: String\n}', 'reason: String!\n}'),
      "Input field 'RepairConnectionInput.reason' changed type from 'String' to 'String!'",
    ],
  ]) {
    assert.deepEqual(await breakingChanges(exported, changed), [message]);
  }
});
