/**
 * `npm run sdk`: builds the package into `dist`: `freshet.js` (pages), `freshet.iife.js` (script tag), `node.js` and
 * `node.cjs` (Node), and the types.
 */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { minify } from 'rolldown/utils'

const room = join(import.meta.dirname, '..')
const dist = join(room, 'dist')
const types = join(dist, 'types')

rmSync(dist, { recursive: true, force: true })
mkdirSync(types, { recursive: true })
/** Fields that only our own code sees, named so that nothing of browsers, apps, servers and stored entries has such a name. */
const ownFields =
  'store network maySend onAccepted onEnded waiting leave postLast renew learn ms done onSeen consents exclusive first remove post update leaseMs'
const node = { bundle: true, platform: 'node', target: 'node20', logLevel: 'warning' } as const

/** esbuild bundles, and Rolldown chooses names that compress better. */
async function buildPage(): Promise<void> {
  const { outputFiles } = await build({
    ...{ entryPoints: [join(room, 'src/browser.ts')], bundle: true, write: false, minifySyntax: true },
    ...{ platform: 'browser', format: 'esm', target: 'es2022', logLevel: 'warning' },
    mangleProps: new RegExp(`^(${ownFields.replaceAll(' ', '|')})$`),
  })
  const { code, errors } = await minify('freshet.js', outputFiles[0]!.text, {
    ...{ compress: true, mangle: { toplevel: true }, codegen: { removeWhitespace: true } },
  })
  const module = code.replaceAll(/\/\* @__PURE__ \*\/ ?/g, '').trim()
  const script = module.replace(/export\{(\w+) as createFreshet\};?$/, 'return{createFreshet:$1}')
  if (errors.length > 0 || script === module) throw new Error(`the page was not built: ${JSON.stringify(errors)}`)
  writeFileSync(join(dist, 'freshet.js'), `${module}\n`)
  writeFileSync(join(dist, 'freshet.iife.js'), `var freshet=(()=>{${script}})();\n`)
}

await Promise.all([
  buildPage(),
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
  const gzip = gzipSync(bytes, { level: 9 }).length
  console.log(`${name.padEnd(16)} ${bytes.length} bytes, ${gzip} gzip, ${brotliCompressSync(bytes).length} brotli`)
}
