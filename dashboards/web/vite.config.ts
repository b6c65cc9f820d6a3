import { defineConfig } from 'vite';

declare const process: { env: Record<string, string | undefined> };

export default defineConfig({
  base: '/',
  build: {
    target: 'es2022',
    outDir: 'dist',
    assetsInlineLimit: 0, // a data: URL would need a wider content security policy
    modulePreload: { polyfill: false },
    reportCompressedSize: false, // scripts/size.mjs measures and enforces
    chunkSizeWarningLimit: 600,
  },
  server: {
    proxy: { '/api': process.env['PARKCARBON_API_URL'] ?? 'http://127.0.0.1:8000' },
  },
});
