// Programs over generated clients in TypeScript and JavaScript, from either description.

import { after, before, describe } from 'node:test';

import { proveFacts } from './support/facts.mjs';
import { startOddDemo } from './support/odd-demo.mjs';

const clients = [
  { name: 'typescript-fetch', sendsAnyType: true },
  { name: 'javascript', sendsAnyType: false },
  { name: 'hey-api', sendsAnyType: true },
  { name: 'orval', sendsAnyType: true },
];

for (const { name, sendsAnyType } of clients) {
  for (const version of ['3.1', '3.0']) {
    describe(`${name}, from ${version}`, () => {
      const started = {};
      before(async () => {
        const { connect } = await import(`./generated/${version}/js/${name}.mjs`);
        Object.assign(started, { demo: await startOddDemo(), connect });
      });
      after(() => started.demo?.stop());
      proveFacts(started, { sendsAnyType });
    });
  }
}
