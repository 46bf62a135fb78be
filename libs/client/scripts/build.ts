/**
 * `npm run sdk`: builds the package into `dist`: `freshet.js` (pages), `freshet-events.js` (pages that only track), both also
 * as `.iife.js` (script tag), `node.js` and `node.cjs` (Node), and the types.
 */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { minify } from 'rolldown/utils'
import { withShorterNames } from './shorter-names.ts'

const room = join(import.meta.dirname, '..')
const dist = join(room, 'dist')
const types = join(dist, 'types')

rmSync(dist, { recursive: true, force: true })
mkdirSync(types, { recursive: true })
/** Fields that only our own code sees, named so that nothing of browsers, apps, servers and stored entries has such a name. */
const ownFields =
  'store network maySend onAccepted onEnded enqueue sendNow dropAll waiting leave post postLast renew done look onSeen current sessionNow update consents exclusive first remove leaseMs queue who tokens reportLooks defaultMaxBytes createLists me'
/** What pages that track load at most, gzipped. */
const maxEventsBytes = 5_000
const node = { bundle: true, platform: 'node', target: 'node20', logLevel: 'warning' } as const

const minified = { mangle: { toplevel: true }, codegen: { removeWhitespace: true } }

/** esbuild bundles, Rolldown shortens, and names are chosen that compress better. */
async function buildPage(entry: string, name: string): Promise<void> {
  const { outputFiles } = await build({
    ...{ entryPoints: [join(room, 'src', entry)], bundle: true, write: false, minifySyntax: true },
    ...{ platform: 'browser', format: 'esm', target: 'es2022', logLevel: 'warning' },
    mangleProps: new RegExp(`^(${ownFields.replaceAll(' ', '|')})$`),
  })
  const { code, errors } = await minify('page.js', outputFiles[0]!.text, { compress: true, ...minified })
  const module = code.replaceAll(/\/\* @__PURE__ \*\/ ?/g, '').trim()
  const renamed = withShorterNames(module, 8_000)
  // Two programs that differ in their names alone are the same one with names of the minifier.
  const [before, after] = await Promise.all(
    [module, renamed].map(async (text) => (await minify('page.js', text, { compress: false, ...minified })).code),
  )
  const script = renamed.replace(/export\{([\w$]+) as createFreshet\};?$/, 'return{createFreshet:$1}')
  if (errors.length > 0 || before !== after || script === renamed)
    throw new Error(`${name} was not built: ${JSON.stringify(errors)}`)
  writeFileSync(join(dist, `${name}.js`), `${renamed}\n`)
  writeFileSync(join(dist, `${name}.iife.js`), `var freshet=(()=>{${script}})();\n`)
}

await Promise.all([
  buildPage('browser.ts', 'freshet'),
  buildPage('events.ts', 'freshet-events'),
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
writeFileSync(join(types, 'node.d.cts'), readFileSync(join(types, 'node.d.ts'), 'utf8'))
copyFileSync(join(room, '../../LICENSE'), join(room, 'dist/LICENSE'))

const files = ['freshet-events.js', 'freshet-events.iife.js', 'freshet.js', 'freshet.iife.js', 'node.js', 'node.cjs']
for (const name of files) {
  const bytes = readFileSync(join(dist, name))
  const gzip = gzipSync(bytes, { level: 9 }).length
  console.log(`${name.padEnd(22)} ${bytes.length} bytes, ${gzip} gzip, ${brotliCompressSync(bytes).length} brotli`)
  if (name.startsWith('freshet-events') && gzip > maxEventsBytes)
    throw new Error(`${name} takes ${gzip} bytes gzipped; at most ${maxEventsBytes} are promised`)
}
