// Fetches the vendored files again: `node src/http/graphiql/assets/renew.mjs`. Needs node, npm and its registry.
//
// What is copied is what the packages ship, but for the style sheet: its embedded fonts and pictures (`data:` URLs) are
// taken out, so that the page's Content-Security-Policy need not allow `data:`, and 360 kB are not served.

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const VERSIONS = { graphiql: "4.1.2", react: "18.3.1", "react-dom": "18.3.1" };

const vendor = new URL("vendor/", import.meta.url);
const folder = mkdtempSync(join(tmpdir(), "graphiql-"));
const install = (...packages) =>
  execFileSync("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--legacy-peer-deps", ...packages], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
  });
const read = (path) => readFileSync(join(folder, "node_modules", path), "utf8");
const write = (name, text) => writeFileSync(new URL(name, vendor), text);

// The packages whose code is in the bundle, by its source map.
function bundled() {
  const { sources } = JSON.parse(read("graphiql/graphiql.min.js.map"));
  const names = sources.flatMap((source) => {
    const own = source.match(/^(?:\.\.\/)+(codemirror-graphql|graphql-language-service|graphiql-[a-z-]+)\//)?.[1];
    if (own) return own.startsWith("graphiql-") ? `@graphiql/${own.slice("graphiql-".length)}` : own;
    return source.match(/.*node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1] ?? [];
  });
  return [...new Set([...names, ...Object.keys(VERSIONS), "scheduler"])].sort();
}

// Each licence once, under the names of the packages that it is of.
function licences() {
  const names = bundled();
  const missing = names.filter((name) => !existsSync(join(folder, "node_modules", name)));
  if (missing.length > 0) install(...missing);
  const byText = new Map();
  for (const name of names) {
    const about = JSON.parse(read(`${name}/package.json`));
    const file = readdirSync(join(folder, "node_modules", name)).find((file) => /^licen[cs]e/i.test(file));
    const author = about.author?.name ?? about.author ?? "its authors";
    const text = file ? read(`${name}/${file}`).trim() : `${about.license}, by ${author}; its package holds no licence text.`;
    const plain = text.replaceAll("\r\n", "\n");
    byText.set(plain, [...(byText.get(plain) ?? []), name]);
  }
  return [...byText].map(([text, names]) => `${"=".repeat(80)}\n${names.join(", ")}\n\n${text}\n`).join("\n");
}

try {
  writeFileSync(join(folder, "package.json"), "{}");
  install(...Object.entries(VERSIONS).map(([name, version]) => `${name}@${version}`), "graphql@16");
  const script = (path) => read(path).replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n");
  write("react.js", script("react/umd/react.production.min.js"));
  write("react-dom.js", script("react-dom/umd/react-dom.production.min.js"));
  write("graphiql.js", script("graphiql/graphiql.min.js"));
  write(
    "graphiql.css",
    read("graphiql/graphiql.min.css")
      .replace(/@font-face\s*\{[^}]*\}\s*/g, "")
      .replace(/[ \t]*background-image:\s*url\("data:[^"]*"\);\n?/g, ""),
  );
  write("LICENCES.txt", licences());
} finally {
  rmSync(folder, { recursive: true });
}
