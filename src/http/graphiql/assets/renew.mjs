// Fetches the vendored files again: `node src/http/graphiql/assets/renew.mjs`. Needs node, npm and its registry.
//
// What is copied is what the packages ship, but for the style sheet: its embedded fonts and pictures (`data:` URLs) are
// taken out, so that the page's Content-Security-Policy need not allow `data:`, and 360 kB are not served.

import { writeFileSync } from "node:fs";

import { licences, withPackages } from "../../assets/npm.mjs";

const VERSIONS = { graphiql: "4.1.2", react: "18.3.1", "react-dom": "18.3.1" };

const write = (name, text) => writeFileSync(new URL(`vendor/${name}`, import.meta.url), text);

// The packages whose code is in the bundle, by its source map.
function bundled(map) {
  const names = JSON.parse(map).sources.flatMap((source) => {
    const own = source.match(/^(?:\.\.\/)+(codemirror-graphql|graphql-language-service|graphiql-[a-z-]+)\//)?.[1];
    if (own) return own.startsWith("graphiql-") ? `@graphiql/${own.slice("graphiql-".length)}` : own;
    return source.match(/.*node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1] ?? [];
  });
  return [...new Set([...names, ...Object.keys(VERSIONS), "scheduler"])].sort();
}

const packages = [...Object.entries(VERSIONS).map(([name, version]) => `${name}@${version}`), "graphql@16"];
withPackages(packages, (npm) => {
  write("react.js", npm.script("react/umd/react.production.min.js"));
  write("react-dom.js", npm.script("react-dom/umd/react-dom.production.min.js"));
  write("graphiql.js", npm.script("graphiql/graphiql.min.js"));
  write(
    "graphiql.css",
    npm
      .read("graphiql/graphiql.min.css")
      .replace(/@font-face\s*\{[^}]*\}\s*/g, "")
      .replace(/[ \t]*background-image:\s*url\("data:[^"]*"\);\n?/g, ""),
  );
  write("LICENCES.txt", licences(npm, bundled(npm.read("graphiql/graphiql.min.js.map"))));
});
