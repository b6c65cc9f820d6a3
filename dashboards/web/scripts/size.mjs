// Prints what a browser downloads, compressed, and fails above the budget. Leaves compressed copies beside the files, which the
// API serves to browsers that accept them.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';

const BUDGET_KB = 400;
const DIST = fileURLToPath(new URL('../dist', import.meta.url));

const WORTH_BYTES = 1000; // below this a compressed copy saves nothing

const rows = readdirSync(DIST, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && !/\.(gz|br)$/.test(entry.name))
  .map((entry) => {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    const bytes = readFileSync(path);
    const gzip = gzipSync(bytes, { level: 9 });
    const brotli = brotliCompressSync(bytes);
    if (bytes.length > WORTH_BYTES) {
      writeFileSync(`${path}.gz`, gzip);
      writeFileSync(`${path}.br`, brotli);
    }
    return { name: entry.name, raw: bytes.length, gzip: gzip.length, brotli: brotli.length };
  })
  .sort((a, b) => b.gzip - a.gzip);
const kb = (bytes) => (bytes / 1000).toFixed(1).padStart(8);
const total = { name: 'total', raw: 0, gzip: 0, brotli: 0 };
for (const row of rows) for (const column of ['raw', 'gzip', 'brotli']) total[column] += row[column];
console.log(`${'file [kB]'.padEnd(32)}${'raw'.padStart(8)}${'gzip'.padStart(8)}${'brotli'.padStart(8)}`);
for (const row of [...rows, total])
  console.log(`${row.name.padEnd(32)}${kb(row.raw)}${kb(row.gzip)}${kb(row.brotli)}`);
if (total.gzip > BUDGET_KB * 1000) {
  console.error(`over the budget of ${BUDGET_KB} kB compressed`);
  process.exit(1);
}
