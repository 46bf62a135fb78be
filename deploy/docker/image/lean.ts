/**
 * Cuts the package files of the repository down to one app: its workspace, those that it depends on, no development packages.
 * Then `npm ci` installs exactly what the app needs, and `npm sbom` lists exactly that.
 *
 *   node lean.ts APP      (in the folder of package.json; used by the Dockerfile)
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

interface Package {
  workspaces?: string[]
  scripts?: unknown
  devDependencies?: unknown
  dependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
  link?: boolean
  resolved?: string
}

/** Its native library is never in an image (`npm run native` makes it), so neither are its JavaScript and the downloaders that it depends on. */
const leftOut = '@tensorflow/tfjs-node'

const app = process.argv[2] ?? ''
if (!existsSync(join('apps', app, 'package.json')) || app === '') {
  console.error(`the build argument APP is "${app}"; give the name of a folder of apps/ that has a package.json`)
  process.exit(1)
}

const read = <Content>(file: string): Content => JSON.parse(readFileSync(file, 'utf8')) as Content
const write = (file: string, content: unknown): void => writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`)
const lock = read<{ packages: Record<string, Package> }>('package-lock.json')
const folders = new Map(
  Object.entries(lock.packages).flatMap(([path, { link, resolved }]) =>
    link === true && resolved !== undefined ? [[path.replace('node_modules/', ''), resolved] as const] : [],
  ),
)

const needed = new Set<string>()
const toVisit = [`@freshet/${app}`]
for (let name = toVisit.pop(); name !== undefined; name = toVisit.pop()) {
  const folder = folders.get(name)
  if (folder === undefined || needed.has(folder)) continue
  needed.add(folder)
  cut(lock.packages[folder])
  const manifest = read<Package>(join(folder, 'package.json'))
  cut(manifest)
  write(join(folder, 'package.json'), manifest)
  toVisit.push(...Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies }))
}
for (const [name, folder] of folders) {
  if (needed.has(folder)) continue
  rmSync(folder, { recursive: true })
  delete lock.packages[folder]
  delete lock.packages[`node_modules/${name}`]
}

const manifest = read<Package>('package.json')
for (const each of [manifest, lock.packages['']]) {
  cut(each)
  if (each !== undefined) each.workspaces = [...needed].sort()
}
write('package.json', manifest)
write('package-lock.json', lock)

function cut(each: Package | undefined): void {
  delete each?.scripts
  delete each?.devDependencies
  delete each?.optionalDependencies?.[leftOut]
}
