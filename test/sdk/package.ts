import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

/** Runs a program; rejects with what it wrote when it fails. */
export const runProgram = promisify(execFile)

const root = join(import.meta.dirname, '../..')

/** The package of the SDK, packed as it would be published. */
export interface PackedSdk {
  /** The path of the tarball. */
  readonly tarball: string
  /** An empty folder in which the package is installed. */
  project(): Promise<string>
  remove(): void
}

/** Builds and packs the SDK as `npm pack -w @freshet/client` does. */
export async function packSdk(): Promise<PackedSdk> {
  const folder = mkdtempSync(join(tmpdir(), 'freshet-sdk-'))
  const packed = ['pack', '--workspace', '@freshet/client', '--pack-destination', folder, '--json']
  const { stdout } = await runProgram('npm', packed, { cwd: root, env: ownEnv() })
  const [entry] = JSON.parse(stdout.slice(stdout.indexOf('[\n'))) as { readonly filename: string }[]
  const tarball = join(folder, entry!.filename.replace('@', '').replace('/', '-'))
  let projects = 0
  return {
    tarball,
    async project() {
      const project = join(folder, `project-${projects++}`)
      await runProgram('mkdir', [project])
      writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'an-app', private: true }))
      const install = ['install', '--offline', '--no-audit', '--no-fund', tarball]
      await runProgram('npm', install, { cwd: project, env: ownEnv() })
      return project
    },
    remove() {
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The environment of an app: npm's own variables name this repository. */
function ownEnv(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_|^INIT_CWD$/.test(name)))
}

/** The oldest Node on the PATH that the SDK supports, with its version. */
export async function oldestNode(): Promise<{ readonly path: string; readonly version: string }> {
  const found = [{ path: process.execPath, version: process.versions.node }]
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, 'node')
    const answer = await runProgram(path, ['--version']).catch(() => null)
    const version = answer?.stdout.trim().slice(1) ?? ''
    if (Number(version.split('.')[0]) >= 20) found.push({ path, version })
  }
  return found.sort((a, b) => parseFloat(a.version) - parseFloat(b.version))[0]!
}
