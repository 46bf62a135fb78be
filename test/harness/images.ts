import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')

/** The apps that have images: the services, and `freshet`, the command line. */
export const imageNames = [
  'event-ingest',
  'feature-updater',
  'candidate-service',
  'ranker',
  'trainer',
  'blender',
  'freshet',
] as const

/** One of these. */
export type ImageName = (typeof imageNames)[number]

/** The tag under which tests build an image. */
export const tagOf = (name: ImageName): string => `freshet-test/${name}:latest`

/** Why there is no Docker engine here; null: there is one. */
export function engineProblem(): string | null {
  const { status, stderr, error } = spawnSync('docker', ['version', '--format', '{{.Server.Version}}'], {
    encoding: 'utf8',
  })
  return status === 0 ? null : (error?.message ?? stderr.trim().split('\n').at(-1) ?? 'docker version failed')
}

/** Why `docker compose` cannot run here; null: it can. */
export function composeProblem(): string | null {
  const engine = engineProblem()
  if (engine !== null) return engine
  const { status } = spawnSync('docker', ['compose', 'version'])
  return status === 0 ? null : 'docker has no plug-in `compose`'
}

/** Builds an image, one at a time: the first build downloads what all share. Rejects with the end of the output. */
export async function buildImage(name: ImageName, more: readonly string[] = [], tag = tagOf(name)): Promise<void> {
  await docker(['build', '-f', 'deploy/docker/Dockerfile', '--build-arg', `APP=${name}`, ...more, '-t', tag, '.'])
}

/** Runs `docker`; resolves to its standard output. Rejects if it fails, with the end of what it wrote. */
export function docker(given: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<string> {
  const child = spawn('docker', given, {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [out, all] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString()
    all += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => (all += chunk.toString()))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) =>
      code === 0
        ? resolve(out)
        : reject(new Error(`docker ${given.join(' ')} exited with ${code}:\n${all.slice(-4_000)}`)),
    )
  })
}

/** A file, folder or link of an image. */
export interface ImageFile {
  readonly path: string
  readonly kind: 'file' | 'folder' | 'link'
  /** Permissions, octal. */
  readonly mode: string
  readonly owner: string
  readonly bytes: number
  /** Seconds since 1970. */
  readonly mtime: number
  /** SHA-256 of a file's content, the target of a link, else empty. */
  readonly content: string
}

/** Runs inside the image, whose only program is node. The engine makes some files for the container, which changes the time of /etc. */
const lister = `
const { readdirSync, lstatSync, readFileSync, readlinkSync } = require('node:fs')
const ofContainer = /^\\/(dev|proc|sys|\\.dockerenv|etc\\/(hostname|hosts|resolv\\.conf|mtab))$/
const visit = (folder) => {
  for (const name of readdirSync(folder).sort()) {
    const path = folder === '/' ? '/' + name : folder + '/' + name
    if (ofContainer.test(path)) continue
    const { mode, uid, gid, size, mtimeMs, ...stats } = lstatSync(path)
    const kind = (mode & 0o170000) === 0o040000 ? 'folder' : (mode & 0o170000) === 0o120000 ? 'link' : 'file'
    const content = kind === 'file' ? crypto.createHash('sha256').update(readFileSync(path)).digest('hex') : kind === 'link' ? readlinkSync(path) : ''
    const bytes = kind === 'file' ? size : 0
    console.log(JSON.stringify({ path, kind, mode: (mode & 0o7777).toString(8), owner: uid + ':' + gid, bytes, mtime: path === '/etc' ? 0 : Math.floor(mtimeMs / 1000), content }))
    if (kind === 'folder') visit(path)
  }
}
visit(process.argv[1])
`

/** The files below a folder of an image, in order of their paths. */
export async function filesOf(tag: string, folder = '/'): Promise<readonly ImageFile[]> {
  const lines = await docker([
    'run',
    '--rm',
    '--user',
    '0',
    '--network',
    'none',
    '--entrypoint',
    'node',
    tag,
    '-e',
    lister,
    folder,
  ])
  return lines
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as ImageFile)
}
