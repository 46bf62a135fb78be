import { defineConfig } from 'vite'

/** The console server, or `freshet dev`, to which a development server passes what is not the page. */
const upstream = process.env['CONSOLE_URL'] ?? 'http://localhost:8090'
const proxy = { target: upstream, changeOrigin: true }

export default defineConfig({
  root: import.meta.dirname,
  build: { target: 'es2023', modulePreload: { polyfill: false }, assetsInlineLimit: 0, cssMinify: true },
  server: { port: 5173, proxy: { '/api': proxy, '/pictures': proxy } },
})
