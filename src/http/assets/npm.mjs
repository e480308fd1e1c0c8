// What the pages' `renew.mjs` share: packages of npm in a folder of their own, and the licences of what is taken.

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

// Calls `use` with the installed packages, and removes them afterwards.
export function withPackages(packages, use) {
  const folder = mkdtempSync(join(tmpdir(), "vendor-"));
  const at = (path) => join(folder, "node_modules", path);
  const install = (wanted) =>
    execFileSync("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--legacy-peer-deps", ...wanted], {
      cwd: folder,
      stdio: ["ignore", "ignore", "inherit"],
    });
  const list = (name) => readdirSync(at(name), { withFileTypes: true }).flatMap((entry) => (entry.isFile() ? entry.name : []));
  const read = (path) => readFileSync(at(path), "utf8");
  const script = (path) => read(path).replace(/\n?\/\/# sourceMappingURL=.*\s*$/, "\n");
  try {
    writeFileSync(join(folder, "package.json"), "{}");
    install(packages);
    use({ install, list, read, script, has: (name) => existsSync(at(name)) });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

// Each licence once, under the names of the packages that it is of.
export function licences({ install, read, has, list }, names) {
  const missing = names.filter((name) => !has(name));
  if (missing.length > 0) install(missing);
  const byText = new Map();
  for (const name of names) {
    const about = JSON.parse(read(`${name}/package.json`));
    const file = list(name).find((file) => /^licen[cs]e/i.test(file));
    const author = about.author?.name ?? about.author ?? "its authors";
    const text = file ? read(`${name}/${file}`).trim() : `${about.license ?? about.licenses?.[0]?.type}, by ${author}; its package holds no licence text.`;
    const plain = text.replaceAll("\r\n", "\n");
    byText.set(plain, [...(byText.get(plain) ?? []), name]);
  }
  return [...byText].map(([text, names]) => `${"=".repeat(80)}\n${names.join(", ")}\n\n${text}\n`).join("\n");
}
