// Compiles theme.scss, drops what neither a template nor safelist.txt names, and writes foundation/static.
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { transform } from "lightningcss";
import { PurgeCSS } from "purgecss";
import * as sass from "sass";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..");
const target = join(here, "..", "static");
const uswds = join(here, "node_modules", "@uswds", "uswds");

// Shapes that pages draw by name: {{ parts.icon("phone") }}.
const ICONS = [
  "arrow_back", "attach_file", "check_circle", "close", "edit", "error", "expand_more", "help", "info", "language",
  "lock", "logout", "mail", "navigate_next", "phone", "print", "schedule", "search", "warning",
];

function compiled() {
  const options = {
    loadPaths: [join(uswds, "packages"), here], quietDeps: true, logger: sass.Logger.silent,
    silenceDeprecations: ["import"],
  };
  const { css } = sass.compile(join(here, "theme.scss"), options);
  // Slanted text is made by the browser: two more files are not worth the wait on a weak network.
  return css.replace(/@font-face\s*\{[^}]*italic[^}]*\}/g, "");
}

function safelist() {
  const names = readFileSync(join(here, "safelist.txt"), "utf8").split("\n").filter((line) => line && line[0] !== "#");
  const pattern = (name) => new RegExp(`^${name.slice(0, -1)}`);
  return names.map((name) => (name.endsWith("*") ? pattern(name) : name));
}

async function purged(css) {
  const [result] = await new PurgeCSS().purge({
    content: [join(root, "*/templates/**/*.html"), join(target, "waypost.js")],
    css: [{ raw: css }],
    defaultExtractor: (text) => text.match(/[\w:-]+/g) ?? [],
    safelist: safelist(),
    // Sorting by script, and looks for showing states in a style guide: no page has them.
    blocklist: [/header__button/, /--(?:hover|active|disabled)$/, "usa-focus", "usa-sortable"],
    keyframes: true,
  });
  return result.css;
}

function minified(css) {
  const targets = { chrome: 100 << 16, firefox: 100 << 16, safari: (15 << 16) | (4 << 8) };
  const { code } = transform({ filename: "waypost.css", code: Buffer.from(css), minify: true, targets });
  return code.toString();
}

function copyNamedFiles(css) {
  const named = [...css.matchAll(/url\("?([^)"]+)"?\)/g)].map((found) => found[1]);
  for (const name of new Set(named.filter((name) => !name.startsWith("data:")))) {
    mkdirSync(dirname(join(target, name)), { recursive: true });
    copyFileSync(join(uswds, "dist", name), join(target, name));
  }
}

function symbol(name) {
  const svg = readFileSync(join(uswds, "dist/img/usa-icons", `${name}.svg`), "utf8");
  const box = svg.match(/viewBox="([^"]+)"/)?.[1] ?? "0 0 24 24";
  const shapes = svg.replace(/<\?xml[^>]*>/, "").replace(/^[\s\S]*?<svg[^>]*>/, "").replace(/<\/svg>\s*$/, "");
  return `<symbol id="${name}" viewBox="${box}">${shapes.trim()}</symbol>`;
}

for (const old of ["fonts", "img"]) {
  rmSync(join(target, old), { recursive: true, force: true });
}
const css = minified(await purged(compiled()));
copyNamedFiles(css);
const licence = "/*! U.S. Web Design System 3.14.0, public domain and others: see LICENSES.md beside this file. */\n";
writeFileSync(join(target, "waypost.css"), `${licence}${css}\n`);
const icons = ICONS.map(symbol).join("\n");
writeFileSync(join(target, "icons.svg"), `<svg xmlns="http://www.w3.org/2000/svg">\n${icons}\n</svg>\n`);
if (!existsSync(join(target, "LICENSES.md"))) {
  throw new Error("foundation/static/LICENSES.md is missing; the files beside it may not be given away without it");
}
