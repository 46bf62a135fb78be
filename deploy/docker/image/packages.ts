/**
 * Finishes the packages of an image after `npm ci`: writes the list of what is inside (`sbom.cdx.json`), deletes what no service
 * can load, and sets all times, so that the same sources make the same files.
 *
 *   node packages.ts      (in the folder of node_modules; used by the Dockerfile)
 */
import { execFileSync } from 'node:child_process'
import { lstatSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimes } from './times.ts'

interface Component {
  'bom-ref': string
  type: string
  name: string
  version: string
  purl: string
  licenses?: unknown
}

/** Debian packages whose libraries system.sh copies. */
const debian = ['libc6', 'libgcc-s1', 'libstdc++6']

/** What npm says is installed, with node and Debian's libraries, without what would differ in the next build. */
function softwareList(): unknown {
  const text = execFileSync('npm', ['sbom', '--sbom-format=cyclonedx', '--omit=dev'], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  const { serialNumber: _random, ...list } = JSON.parse(text) as {
    serialNumber: string
    metadata: { timestamp: string }
    components: Component[]
  }
  const seconds = Number(process.env['SOURCE_DATE_EPOCH'] ?? 0)
  list.metadata.timestamp = new Date(seconds * 1000).toISOString()
  const version = process.version.slice(1)
  list.components.push({
    'bom-ref': `node@${version}`,
    type: 'application',
    name: 'node',
    version,
    purl: `pkg:generic/node@${version}`,
    licenses: [{ license: { id: 'MIT' } }],
  })
  const format = '${Package}\t${Version}\t${Architecture}\n'
  for (const line of execFileSync('dpkg-query', ['-W', `-f=${format}`, ...debian], { encoding: 'utf8' })
    .trim()
    .split('\n')) {
    const [name = '', version = '', architecture = ''] = line.split('\t')
    const purl = `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${architecture}`
    list.components.push({ 'bom-ref': `${name}@${version}`, type: 'library', name, version, purl })
  }
  return list
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder).sort()
  } catch {
    return []
  }
}

function workspaceTrees(): string[] {
  return ['apps', 'libs'].flatMap((kind) => list(kind).map((name) => join(kind, name, 'node_modules')))
}

/** The folders of the packages of a tree, those inside packages too. Links lead to workspaces. */
function packagesIn(tree: string): string[] {
  const names = list(tree).flatMap((name) =>
    name.startsWith('@') ? list(join(tree, name)).map((inner) => join(name, inner)) : [name],
  )
  return names
    .map((name) => join(tree, name))
    .filter((folder) => !basename(folder).startsWith('.') && lstatSync(folder).isDirectory())
    .flatMap((folder) => [folder, ...packagesIn(join(folder, 'node_modules'))])
}

/** Deletes what Node.js cannot load or no import reaches. Licences stay. */
function prune(folder: string): void {
  const remove = (path: string): void => rmSync(join(folder, path), { recursive: true, force: true })
  for (const name of [
    'test',
    'tests',
    '__tests__',
    'docs',
    'example',
    'examples',
    'benchmark',
    'benchmarks',
    '.github',
  ])
    remove(name)
  const {
    name = '',
    main = '',
    exports,
  } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    name?: string
    main?: string
    exports?: unknown
  }
  // Second and third copies for bundlers: Node.js follows `main`, or conditions other than these.
  if (name.startsWith('@opentelemetry/') && main.startsWith('build/src/') && !nodePaths(exports).some(isForBundlers)) {
    remove('build/esm')
    remove('build/esnext')
  }
  // Each is one bundle for Node.js beside single modules and bundles for browsers. The binaries in dist/ are those that it loads.
  if (/^@tensorflow\/tfjs-(core|layers|backend-\w+)$/.test(name) && main.endsWith('.node.js')) {
    remove('wasm-out')
    for (const entry of list(join(folder, 'dist')))
      if (`dist/${entry}` !== main && !entry.endsWith('.wasm')) remove(join('dist', entry))
  }
  deleteUnloadable(folder)
}

const isForBundlers = (path: string): boolean => /^\.\/build\/(esm|esnext)\//.test(path)

/** Paths to which Node.js may resolve an `exports` field. */
function nodePaths(exports: unknown): string[] {
  if (typeof exports === 'string') return [exports]
  if (typeof exports !== 'object' || exports === null) return []
  return Object.entries(exports).flatMap(([key, value]) =>
    ['module', 'esnext', 'types', 'browser'].includes(key) ? [] : nodePaths(value),
  )
}

// Node.js refuses TypeScript below node_modules. Sources in C are for building the binaries, which are there.
const unloadable = /\.([cm]?ts|map|flow|md|markdown|c|cc|cpp|h|hpp|gyp|gypi|tsbuildinfo|ya?ml|html)$/i
const lawful = /^(licen[cs]e|notice|copying|authors|patents)/i
/** Binaries for musl or for other interfaces than Node-API, which every Node.js has. */
const foreignBinary = /\.musl\.node$|\.abi\d+\.\w+\.node$/

function deleteUnloadable(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) {
      if (entry.name !== 'node_modules') deleteUnloadable(path)
      if (list(path).length === 0) rmSync(path, { recursive: true })
    } else if (foreignBinary.test(entry.name) || (unloadable.test(entry.name) && !lawful.test(entry.name))) rmSync(path)
  }
}

/** The sources come in a layer of their own. */
function leaveOnlyPackages(folder: string): void {
  for (const name of list(folder)) if (name !== 'node_modules') rmSync(join(folder, name), { recursive: true })
  if (list(folder).length === 0) rmSync(folder, { recursive: true })
}

writeFileSync('sbom.cdx.json', `${JSON.stringify(softwareList(), null, 1)}\n`)
const trees = ['node_modules', ...workspaceTrees()]
for (const tree of trees) {
  for (const folder of packagesIn(tree)) prune(folder)
  rmSync(join(tree, '.bin'), { recursive: true, force: true })
}
for (const name of readdirSync('.')) if (['package.json', 'package-lock.json', '.npmrc'].includes(name)) rmSync(name)
for (const kind of ['apps', 'libs']) for (const name of list(kind)) leaveOnlyPackages(join(kind, name))
setTimes('../..')
