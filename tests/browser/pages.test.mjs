// The pages as people meet them: in a browser with nothing but this server, by mouse and by keyboard, in the light and in
// the dark, on a desk and on a telephone.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { startDemo } from '../support/demo.mjs';
import { startBrowser, tabTo, withTab } from './browser.mjs';

const AXE = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
const PARTNER = 'Contoso Leads';
// Of GraphiQL's dialogs, which have a title and no description.
const GRAPHIQL_SAYS = 'Warning: Missing `Description` or `aria-describedby={undefined}` for {DialogContent}.';
// Mostly they wait for the browser.
const AT_ONCE = 2;

let demo;
let browser;

before(async () => {
  demo = await startDemo();
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

const inTab = (options, use) => withTab(browser, demo, options, use);

/** What GraphiQL shows as the answer. CodeMirror keeps lines out of sight out of the document. */
const answer = (tab) => tab.locator('.result-window .CodeMirror').evaluate((editor) => editor.CodeMirror.getValue());

async function answered(tab) {
  await tab.waitForFunction(() =>
    document.querySelector('.result-window .CodeMirror')?.CodeMirror.getValue().includes('"data"'),
  );
  return JSON.parse(await answer(tab));
}

/** An operation of the REST reference, by its method and path. */
const operation = (tab, method, path) =>
  tab.locator(`.opblock-${method}`, { has: tab.locator(`[data-path="${path}"]`) });

const liveStatus = (tab) => tab.locator('.live-responses-table .response-col_status').last();

describe('the pages', { concurrency: AT_ONCE }, () => {
  test('a tab complains of whatever a page should not do', async () => {
    for (const [complaint, misdeed] of [
      [/console, warning: careful/, () => console.warn('careful')],
      [/thrown: Error: oops/, () => void setTimeout(() => { throw new Error('oops'); })],
      [/policy: style-src-attr inline/, () => document.body.setAttribute('style', 'color: red')],
      [/policy: img-src http:\/\/elsewhere.example/, () => void (new Image().src = 'http://elsewhere.example/')],
      [/404 .*\/home\/nothing.css/, () => document.body.append(Object.assign(new Image(), { src: 'home/nothing.css' }))],
    ]) {
      const judged = inTab({}, async (tab) => {
        await tab.goto('/');
        await tab.evaluate(misdeed);
      });
      await assert.rejects(judged, complaint);
    }
  });

  test('home leads to everything that is here', () =>
    inTab({}, async (tab) => {
      await tab.goto('/');
      assert.equal(await tab.locator('h1').textContent(), 'LeadConduit Connections');
      const links = await tab.locator('main a').evaluateAll((links) => links.map((link) => link.href));
      assert.equal(links.length, 8);
      for (const link of links) assert.equal((await tab.request.get(link)).status(), 200, link);
    }));

  test('what is no page can be looked at as well', async () => {
    for (const path of ['/openapi.json', '/openapi-3.0.json', '/schema.graphql', '/livez', '/readyz', '/metrics']) {
      await inTab({}, (tab) => tab.goto(path, { waitUntil: 'networkidle' }));
    }
  });

  test('home can be used by keyboard', () =>
    inTab({}, async (tab) => {
      await tab.goto('/');
      await tabTo(tab, 'the link to the REST reference', () => document.activeElement.textContent.startsWith('/docs'));
      await tab.keyboard.press('Enter');
      await tab.waitForURL('**/docs');
      await tab.getByText('List connections', { exact: true }).waitFor();
    }));

  test('GraphiQL asks for a key, takes it, and runs the starter query', () =>
    inTab({}, async (tab) => {
      await tab.goto('/graphiql');
      assert.match(await tab.locator('#notice').textContent(), /key is needed/);
      await tab.getByLabel('API key').fill(demo.keys.northwind);
      await tab.getByText('Key accepted.').waitFor();
      await tab.getByRole('button', { name: /execute query/i }).click();
      const { data, errors } = await answered(tab);
      assert.equal(errors, undefined);
      assert.equal(data.connections.totalCount, 10);
      assert.equal(data.connections.nodes[0].connectedAccount.name, PARTNER);
    }));

  test('GraphiQL shows the documentation of the schema, dialogs included', () =>
    inTab({ known: GRAPHIQL_SAYS }, async (tab) => {
      await tab.goto('/graphiql');
      await tab.getByLabel('API key').fill(demo.keys.northwind);
      await tab.getByText('Key accepted.').waitFor();
      await tab.getByRole('button', { name: /documentation explorer/i }).click();
      await tab.getByRole('link', { name: 'Query', exact: true }).click();
      await tab.getByText('connections', { exact: true }).first().waitFor();
      await tab.getByRole('button', { name: /settings/i }).click();
      await tab.getByRole('dialog').waitFor();
    }));

  test('GraphiQL can be used by keyboard', () =>
    inTab({}, async (tab) => {
      await tab.goto('/graphiql');
      await tabTo(tab, "the key's place", () => document.activeElement.id === 'api-key');
      await tab.keyboard.insertText(demo.keys.northwind);
      await tab.keyboard.press('Enter');
      await tab.getByText('Key accepted.').waitFor();
      await tabTo(tab, 'the editor', () => document.activeElement.closest('.graphiql-query-editor .CodeMirror') !== null);
      await tab.keyboard.press('Control+Enter');
      assert.equal((await answered(tab)).data.connections.totalCount, 10);
    }));

  test('GraphiQL says that a key is none', () =>
    inTab({ refused: [401] }, async (tab) => {
      await tab.goto('/graphiql');
      await tab.getByLabel('API key').fill('lck_guess');
      await tab.getByText('401: this API key is not accepted.').waitFor();
    }));

  test('the REST reference sends a request with the key, and shows the answer', () =>
    inTab({}, async (tab) => {
      await tab.goto('/docs');
      await tab.getByLabel('API key').fill(demo.keys.northwind);
      const list = operation(tab, 'get', '/connections');
      await list.locator('.opblock-summary-control').click();
      await list.getByRole('button', { name: 'Execute' }).click();
      await liveStatus(list).getByText('200').waitFor();
      assert.match(await list.locator('.live-responses-table').textContent(), new RegExp(PARTNER));
    }));

  test('the REST reference sends requests to the address that it came from, behind a proxy and its prefix too', async () => {
    const proxy = createServer(({ url, method, headers }, answer) => {
      const path = url.replace(/^\/behind/, '');
      const forwarded = request(`${demo.url}${path}`, { method, headers }, (response) => {
        answer.writeHead(response.statusCode, response.headers);
        response.pipe(answer);
      });
      forwarded.end();
    });
    await once(proxy.listen(0, '127.0.0.1'), 'listening');
    try {
      const url = `http://127.0.0.1:${proxy.address().port}`;
      await withTab(browser, { url }, {}, async (tab) => {
        await tab.goto('/behind/docs');
        await tab.getByLabel('API key').fill(demo.keys.northwind);
        const list = operation(tab, 'get', '/connections');
        await list.locator('.opblock-summary-control').click();
        await list.getByRole('button', { name: 'Execute' }).click();
        await liveStatus(list).getByText('200').waitFor();
        assert.equal(await list.locator('.request-url pre').textContent(), `${url}/behind/connections`);
      });
    } finally {
      proxy.close();
    }
  });

  for (const colorScheme of ['light', 'dark']) {
    test(`the REST reference can be used by keyboard, ${colorScheme}`, () =>
      inTab({ colorScheme }, async (tab) => {
        await tab.goto('/docs');
        await tabTo(tab, "the key's place", () => document.activeElement.id === 'api-key');
        await tab.keyboard.insertText(demo.keys.northwind);
        await tab.keyboard.press('Enter');
        await tab.getByText('List connections', { exact: true }).waitFor();
        await tabTo(tab, 'the list', () => document.activeElement.textContent.includes('List connections'));
        await tab.keyboard.press('Enter');
        await tabTo(tab, 'Execute', () => document.activeElement.textContent === 'Execute');
        await tab.keyboard.press('Enter');
        await liveStatus(tab).getByText('200').waitFor();
      }));
  }

  test("the REST reference repairs with a superuser's key, and finds what it repaired", () =>
    inTab({}, async (tab) => {
      await tab.goto('/docs');
      await tab.getByLabel('API key').fill(demo.keys.superuser);
      const repair = operation(tab, 'post', '/connections');
      await repair.locator('.opblock-summary-control').click();
      await repair.locator('textarea').fill('{"connection_id": "c00000000000000000000009"}');
      await repair.getByRole('button', { name: 'Execute' }).click();
      await liveStatus(repair).getByText('201').waitFor();
      const single = operation(tab, 'get', '/connections/{id}');
      await single.locator('.opblock-summary-control').click();
      await single.locator('[data-param-name="id"] input').fill('c00000000000000000000009');
      await single.getByRole('button', { name: 'Execute' }).click();
      await liveStatus(single).getByText('200').waitFor();
      assert.match(await single.locator('.live-responses-table').textContent(), /Woodgrove Partners/);
    }));

  test("the REST reference says that a key is missing, or is none, without a dialog of the browser's", () =>
    inTab({ refused: [401] }, async (tab) => {
      await tab.goto('/docs');
      const list = operation(tab, 'get', '/connections');
      await list.locator('.opblock-summary-control').click();
      await list.getByRole('button', { name: 'Execute' }).click();
      await tab.getByText('401: an API key is needed.').waitFor();
      await tab.getByLabel('API key').fill('lck_guess');
      await tab.getByLabel('API key').press('Enter');
      await list.getByRole('button', { name: 'Execute' }).click();
      await tab.getByText('401: this API key is not accepted.').waitFor();
    }));

  test('the REST reference describes every operation and every schema', () =>
    inTab({}, async (tab) => {
      await tab.goto('/docs');
      await tab.locator('.opblock').first().waitFor();
      const shown = tab.locator('.opblock:visible');
      assert.equal(await shown.count(), 6);
      for (const one of await shown.all()) await one.locator('.opblock-summary-control').click();
      await tab.locator('section.models button').first().click();
      await tab.getByText('ListedConnection').first().waitFor();
      assert.equal(await tab.locator('.errors-wrapper').count(), 0);
    }));

  test('a key is known to both pages for as long as the tab', () =>
    inTab({}, async (tab) => {
      await tab.goto('/graphiql');
      await tab.getByLabel('API key').fill(demo.keys.contoso);
      await tab.getByText('Key accepted.').waitFor();
      await tab.goto('/docs');
      assert.equal(await tab.getByLabel('API key').inputValue(), demo.keys.contoso);
      await inTab({}, async (other) => {
        await other.goto('/docs');
        assert.equal(await other.getByLabel('API key').inputValue(), '');
      });
    }));

  for (const path of ['/', '/graphiql', '/docs']) {
    for (const colorScheme of ['light', 'dark']) {
      for (const [width, height] of [[1280, 900], [390, 844]]) {
        test(`${path} fits ${width} pixels, ${colorScheme}, and everyone can read what is ours of it`, () =>
          inTab({ width, height, colorScheme }, async (tab) => {
            await tab.goto(path);
            await tab.waitForLoadState('networkidle');
            if (path !== '/') await tab.getByLabel('API key').fill(demo.keys.northwind);
            if (path === '/graphiql') await tab.getByText('Key accepted.').waitFor();
            if (path === '/docs') await operation(tab, 'get', '/connections').locator('.opblock-summary-control').click();
            await keepPicture(tab, `${path.slice(1) || 'home'}-${width}-${colorScheme}`);
            const overflow = await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth);
            assert.ok(overflow <= 0, `the page is ${overflow} pixels wider than its window`);
            // React and its kin paint what others wrote; the bar and the page of links are ours.
            await tab.evaluate(AXE);
            const ours = path === '/' ? 'html' : '#key-form';
            const { violations } = await tab.evaluate((place) => globalThis.axe.run(place), ours);
            const told = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
            assert.deepEqual(told, []);
          }));
      }
    }
  }
});

async function keepPicture(tab, name) {
  const folder = process.env.SCREENSHOTS;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await tab.screenshot({ path: `${folder}/${name}.png` });
}
