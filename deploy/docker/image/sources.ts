/**
 * Copies the sources of an app and of the workspaces that npm linked for it.
 *
 *   node sources.ts APP FROM PACKAGES TO      (used by the Dockerfile; PACKAGES: the folder of node_modules)
 */
import { cpSync, existsSync, lstatSync, mkdirSync, readdirSync, readlinkSync, symlinkSync } from 'node:fs'
import { basename, dirname, join, normalize } from 'node:path'
import { setTimes } from './times.ts'

const [app = '', from = '', packages = '', to = ''] = process.argv.slice(2)
const scopes = ['@freshet', '@tensorflow'].map((scope) => join('node_modules', scope))
const folders = scopes.flatMap((scope) =>
  (existsSync(join(packages, scope)) ? readdirSync(join(packages, scope)) : [])
    .map((name) => join(packages, scope, name))
    .filter((path) => lstatSync(path).isSymbolicLink())
    .map((path) => normalize(join(scope, readlinkSync(path)))),
)

/** What a service does not read: what it was made or is tested with. */
const leftOut = new Set(['node_modules', 'scripts', 'assembly', 'examples', 'editors', 'README.md'])
const ofTests = /\.(test|suite|fixture)\.ts$/
for (const folder of folders.sort()) {
  mkdirSync(join(to, dirname(folder)), { recursive: true })
  cpSync(join(from, folder), join(to, folder), {
    recursive: true,
    filter: (path) => !ofTests.test(path) && (!leftOut.has(basename(path)) || path.includes('/src/')),
  })
}
// The page of `freshet console`, where it was built before the image.
const page = 'apps/console/dist'
if (app === 'freshet' && existsSync(join(from, page))) cpSync(join(from, page), join(to, page), { recursive: true })
cpSync(join(from, 'LICENSE'), join(to, 'LICENSE'))
cpSync(join(import.meta.dirname, 'healthcheck.js'), join(to, 'healthcheck.js'))
// One command starts every image, without a shell that would put the name in.
symlinkSync(join('apps', app), join(to, 'app'))
setTimes(join(to, '../..'))
