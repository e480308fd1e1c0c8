// The browser, and tabs that complain: of any request beyond the server, of any word on the console, of any violation of
// the page's policy, of any request that failed.

import assert from 'node:assert/strict';

import { chromium } from 'playwright-core';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // No name leads anywhere, so that a page which needs another server cannot work by chance.
  '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1',
];

/** Starts the browser that is installed. */
export function startBrowser() {
  return chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: FLAGS });
}

/**
 * Calls `use` with a tab of its own, and then fails if there was anything to complain of. `refused` are the statuses that
 * the test provokes: the browser writes a line on the console for each such answer. `known` is what a library of others
 * says there.
 */
export async function withTab(browser, { url }, { refused = [], known, width = 1280, height = 900, ...options }, use) {
  const context = await browser.newContext({ viewport: { width, height }, baseURL: url, ...options });
  const complaints = [];
  context.on('request', (request) => {
    if (new URL(request.url()).origin !== url) complaints.push(`a request beyond the server: ${request.url()}`);
  });
  context.on('requestfailed', (request) => complaints.push(`failed: ${request.url()} ${request.failure()?.errorText}`));
  context.on('response', (response) => {
    if (response.status() >= 400 && !refused.includes(response.status())) {
      complaints.push(`${response.status()} ${response.url()}`);
    }
  });
  context.on('weberror', (error) => complaints.push(`thrown: ${error.error()}`));
  context.on('dialog', (dialog) => complaints.push(`a dialog: ${dialog.message()}`));
  context.on('console', (message) => {
    const status = message.text().match(/^Failed to load resource: the server responded with a status of (\d+)/)?.[1];
    if (!refused.includes(Number(status)) && message.text() !== known) complaints.push(`console, ${message.type()}: ${message.text()}`);
  });
  await context.exposeBinding('reportViolation', (_source, text) => complaints.push(`policy: ${text}`));
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sample }) =>
      globalThis.reportViolation(`${violatedDirective} ${blockedURI} ${sample}`),
    );
  });
  try {
    const tab = await context.newPage();
    await use(tab);
    // What the page does late is judged as well.
    await tab.waitForLoadState('networkidle');
    assert.deepEqual(complaints, []);
  } catch (error) {
    if (complaints.length > 0) error.message += `\ncomplaints:\n${complaints.join('\n')}`;
    throw error;
  } finally {
    await context.close();
  }
}

/** Presses Tab until `is` holds of the element that has the focus. On the way, one sees where that is. */
export async function tabTo(tab, what, is) {
  for (let presses = 0; presses < 40; presses += 1) {
    await tab.keyboard.press('Tab');
    if (await tab.evaluate(is)) return;
    const hidden = await tab.evaluate(() => {
      const { outlineStyle, boxShadow } = getComputedStyle(document.activeElement);
      return outlineStyle === 'none' && boxShadow === 'none' && document.activeElement.outerHTML;
    });
    assert.equal(hidden, false, 'it cannot be seen that this has the focus');
  }
  assert.fail(`Tab does not lead to ${what}`);
}
