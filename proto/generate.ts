/**
 * `npm run proto` generates TypeScript from the protos, and their descriptors for gRPC reflection, in libs/contracts/src/gen.
 *
 *   node proto/generate.ts           writes the generated code
 *   node proto/generate.ts --check   compares it; if it is not current, exits with 1 and lists the differing files
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'

const root = join(import.meta.dirname, '..')
const committed = join(root, 'libs/contracts/src/gen')
const bin = join(root, 'node_modules/.bin')
/** Every server has these services too, so reflection must describe them: package folders, and the path to build in each. */
const standardProtos = [
  ['grpc-health-check/proto', 'health'],
  ['@grpc/reflection/build/proto', 'grpc'],
] as const

if (process.argv.includes('--check')) {
  const scratch = mkdtempSync(join(tmpdir(), 'freshet-proto-'))
  try {
    cpSync(join(root, 'proto'), join(scratch, 'proto'), { recursive: true })
    generate(join(scratch, 'proto'))
    const differing = difference(committed, join(scratch, 'libs/contracts/src/gen'))
    if (differing.length > 0) {
      console.error(
        `generated code is not current; run \`npm run proto\`:\n${differing.map((file) => `  ${file}`).join('\n')}`,
      )
      process.exitCode = 1
    }
  } finally {
    rmSync(scratch, { recursive: true })
  }
} else {
  generate(join(root, 'proto'))
}

/** Runs buf in a folder of protos; the output goes to ../libs/contracts/src/gen beside it. */
function generate(folder: string): void {
  const template = readFileSync(join(root, 'proto/buf.gen.yaml'), 'utf8').replace('../node_modules/.bin', bin)
  buf(folder, ['generate', '--template', JSON.stringify(asJson(template))])
  // A descriptor set is one repeated field, so concatenated sets are one valid set.
  const describe = ['build', '--as-file-descriptor-set', '-o', '-#format=binpb']
  const standard = standardProtos.map(([from, path]) =>
    buf(join(root, 'node_modules', from), [...describe, '--path', path]),
  )
  const set = Buffer.concat([buf(folder, describe), ...standard])
  writeFileSync(join(folder, '../libs/contracts/src/gen/descriptors.binpb'), set)
}

function buf(folder: string, args: readonly string[]): Buffer {
  const result = spawnSync(join(bin, 'buf'), args, {
    cwd: folder,
    env: { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` },
  })
  if (result.status !== 0) throw new Error(`buf ${args[0]} in ${folder}: ${String(result.stderr)}`)
  return result.stdout
}

/** The template as an object. Buf accepts a template as JSON on its command line, so no second file is needed. */
function asJson(yaml: string): unknown {
  const options = [...yaml.matchAll(/^\s+- ([a-zA-Z]+=\S+)$/gm)].map((match) => match[1])
  const plugin = /local: (\S+)/.exec(yaml)?.[1]
  const out = /out: (\S+)/.exec(yaml)?.[1]
  return { version: 'v2', clean: true, plugins: [{ local: plugin, out, opt: options }] }
}

function difference(one: string, other: string): string[] {
  const [left, right] = [listFiles(one), listFiles(other)]
  const all = [...new Set([...left, ...right])].sort()
  return all.filter(
    (file) => !left.includes(file) || !right.includes(file) || !same(join(one, file), join(other, file)),
  )
}

function listFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
}

function same(one: string, other: string): boolean {
  return readFileSync(one).equals(readFileSync(other))
}
