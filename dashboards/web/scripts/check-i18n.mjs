// Fails when a language lacks a key, when a key is used that none defines, when one is defined that nothing uses, when
// placeholders differ between the languages, or when a component carries text of its own.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

function entries(language) {
  const source = readFileSync(join(ROOT, `src/i18n/${language}.ts`), 'utf8');
  return new Map(
    [...source.matchAll(/^ {2}'([\w.]+)':\s*\n?\s*'(.*)',$/gm)].map(([, key, text]) => [key, text]),
  );
}

function sources(folder) {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'i18n' ? [] : sources(path);
    return /\.tsx?$/.test(entry.name) ? [path] : [];
  });
}

const problems = [];
const zh = entries('zh');
const en = entries('en');
const placeholders = (text) => [...text.matchAll(/\{\w+\}/g)].map(String).sort().join();
for (const [key, text] of zh) {
  if (!en.has(key)) problems.push(`en.ts lacks ${key}`);
  else if (placeholders(text) !== placeholders(en.get(key))) problems.push(`placeholders of ${key} differ`);
  if (!text) problems.push(`zh.ts: ${key} is empty`);
}
for (const [key, text] of en) {
  if (!zh.has(key)) problems.push(`zh.ts lacks ${key}`);
  if (!text) problems.push(`en.ts: ${key} is empty`);
}

const used = new Set();
const prefixes = new Set();
for (const path of sources('src')) {
  const source = readFileSync(join(ROOT, path), 'utf8');
  const code = source.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  for (const [, key] of code.matchAll(/\bt\(\s*'([\w.]+)'/g)) {
    used.add(key);
    if (!zh.has(key)) problems.push(`${path} uses ${key}, which no language defines`);
  }
  for (const [, key] of code.matchAll(/'([a-z]\w*\.\w+)'/g)) used.add(key);
  for (const [, prefix] of code.matchAll(/`([\w.]+)\.\$\{/g)) prefixes.add(prefix);
  for (const [, prefix] of code.matchAll(/\bword\(\s*'([\w.]+)'/g)) prefixes.add(prefix);
  for (const [text] of code.matchAll(/[\u4e00-\u9fff]+/g))
    problems.push(`${path} carries its own text: ${text}`);
}
for (const key of zh.keys()) {
  const prefix = key.slice(0, key.lastIndexOf('.'));
  if (!used.has(key) && !prefixes.has(prefix)) problems.push(`${key} is defined and never used`);
}

if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exit(1);
}
console.log(`i18n: ${zh.size} keys in both languages`);
