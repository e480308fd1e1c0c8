// Clients complain about a server in their development builds by console.warn and console.error. Here that is a failure.

import assert from 'node:assert/strict';
import { afterEach } from 'node:test';
import { format } from 'node:util';

const complaints = [];
for (const level of ['warn', 'error']) {
  console[level] = (...words) => complaints.push(`console.${level}: ${format(...words)}`);
}
process.on('warning', (warning) => complaints.push(`process: ${warning.stack}`));

afterEach(() => assert.deepEqual(complaints.splice(0), [], 'a client complained'));
