// Fetches the vendored files again: `node src/http/docs/assets/renew.mjs`. Needs node, npm and its registry.
//
// What is copied is what the package ships, but for the style sheet: its embedded pictures (`data:` URLs) become files, so
// that the page's Content-Security-Policy need not allow `data:`.

import { readdirSync, rmSync, writeFileSync } from "node:fs";

import { licences, withPackages } from "../../assets/npm.mjs";

const VERSION = "5.35.0";

const vendor = new URL("vendor/", import.meta.url);
const write = (name, text) => writeFileSync(new URL(name, vendor), text);

// The packages whose code is in the bundle, by its source map.
function bundled(map) {
  const names = JSON.parse(map).sources.flatMap(
    (source) => source.match(/.*node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1] ?? [],
  );
  return ["swagger-ui-dist", ...new Set(names)].sort();
}

// The style sheet, with each of its pictures written to a file once.
function withPicturesApart(css) {
  const files = new Map();
  const fileOf = (picture) => {
    if (!files.has(picture)) files.set(picture, `picture-${files.size + 1}.svg`);
    return files.get(picture);
  };
  const text = css
    .replace(/\n?\/\*# sourceMappingURL=.*\s*$/, "\n")
    // Of no use here, and not SVG.
    .replace(/\.swagger-ui \.debug-grid[-\w]*\s*\{[^}]*\}/g, "")
    .replace(/url\("?data:image\/svg\+xml;charset=utf-8,(.*?)"?\)(?=[\s;}])/g, (_, picture) => {
      const plain = picture.replaceAll('\\"', '"').replaceAll("%23", "#");
      return `url(${fileOf(plain)})`;
    });
  for (const [picture, file] of files) write(file, `${picture}\n`);
  return text;
}

// What an earlier version had and this one has not is gone.
for (const name of readdirSync(vendor)) rmSync(new URL(name, vendor));
withPackages([`swagger-ui-dist@${VERSION}`], (npm) => {
  write("swagger-ui.js", npm.script("swagger-ui-dist/swagger-ui-bundle.js"));
  write("swagger-ui.css", withPicturesApart(npm.read("swagger-ui-dist/swagger-ui.css")));
  write("LICENCES.txt", licences(npm, bundled(npm.read("swagger-ui-dist/swagger-ui-bundle.js.map"))));
});
