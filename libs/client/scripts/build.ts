/**
 * `npm run sdk`: builds the package into `dist`: `freshet.js` (pages), `freshet.iife.js` (script tag), `node.js` and
 * `node.cjs` (Node), and the types.
 */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const room = join(import.meta.dirname, '..')
const dist = join(room, 'dist')
const types = join(dist, 'types')

rmSync(dist, { recursive: true, force: true })
mkdirSync(types, { recursive: true })
const page = { bundle: true, minify: true, platform: 'browser', target: 'es2022', logLevel: 'warning' } as const
const node = { bundle: true, platform: 'node', target: 'node20', logLevel: 'warning' } as const
await Promise.all([
  build({ ...page, entryPoints: [join(room, 'src/browser.ts')], format: 'esm', outfile: join(dist, 'freshet.js') }),
  build({
    ...page,
    ...{ entryPoints: [join(room, 'src/browser.ts')], format: 'iife', globalName: 'freshet' },
    outfile: join(dist, 'freshet.iife.js'),
  }),
  build({ ...node, entryPoints: [join(room, 'src/node.ts')], format: 'esm', outfile: join(dist, 'node.js') }),
  build({ ...node, entryPoints: [join(room, 'src/node.ts')], format: 'cjs', outfile: join(dist, 'node.cjs') }),
])

const tsc = join(room, '../../node_modules/typescript/bin/tsc')
execFileSync(process.execPath, [tsc, '--project', join(room, 'tsconfig.types.json'), '--outDir', types], {
  stdio: 'inherit',
})
for (const name of readdirSync(types)) {
  const file = join(types, name)
  // TypeScript leaves the endings of imports as they are in the sources.
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll(/(from ')(\.\/[\w-]+)\.ts'/g, "$1$2.js'"))
}
copyFileSync(join(types, 'node.d.ts'), join(types, 'node.d.cts'))
writeFileSync(join(types, 'node.d.cts'), readFileSync(join(types, 'node.d.ts'), 'utf8'))
copyFileSync(join(room, '../../LICENSE'), join(room, 'dist/LICENSE'))

for (const name of ['freshet.js', 'freshet.iife.js', 'node.js', 'node.cjs']) {
  const bytes = readFileSync(join(dist, name))
  console.log(`${name.padEnd(16)} ${bytes.length} bytes, ${gzipSync(bytes, { level: 9 }).length} gzipped`)
}
