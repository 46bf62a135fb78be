/**
 * `npm run native`: installs the native part of @tensorflow/tfjs-node, so that TensorFlow.js computes natively.
 *
 *   node libs/ranking/scripts/native.ts            install
 *   node libs/ranking/scripts/native.ts --check    change nothing; exit code 0 if the native library computes
 *
 * It first runs the package's own installer, which downloads a prebuilt library. If that download fails, it takes the same
 * library from TensorFlow's Python package and compiles the addon from the sources in the npm package (this needs Linux
 * x86-64, python3 with pip, make and a C++ compiler).
 */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

// tfjs-node 4.22 was written against libtensorflow 2.9; its C interface has only grown since.
const tensorflow = { version: '2.15.1', sha256: 'ba9503db2c5357ea21938555323581fbdabf3d051b6bc1b5f73c5b0ae034d077' }
const napi = 8
const require = createRequire(import.meta.url)
const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'freshet-tensorflow', tensorflow.version)

function packageFolder(): string {
  try {
    return dirname(require.resolve('@tensorflow/tfjs-node/package.json'))
  } catch {
    throw new Error(
      '@tensorflow/tfjs-node is not installed: it is an optional dependency; run `npm ci` without --omit=optional',
    )
  }
}

/** Checks that TensorFlow multiplies two matrices; null: it does, else the reason. */
function problem(): string | null {
  const program = `
    const util = require('node:util')
    util.isNullOrUndefined = (value) => value == null
    util.isArray = Array.isArray
    const tf = require(${JSON.stringify(packageFolder())})
    if (tf.getBackend() !== 'tensorflow') throw new Error('the backend is ' + tf.getBackend())
    if (String(tf.matMul(tf.tensor2d([1, 2, 3, 4], [2, 2]), tf.tensor2d([1, 2, 3, 4], [2, 2])).dataSync()) !== '7,10,15,22') throw new Error('wrong result')`
  const result = spawnSync(process.execPath, ['-e', program], {
    encoding: 'utf8',
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' },
  })
  return result.status === 0 ? null : (/^.*Error.*$/m.exec(result.stderr)?.[0] ?? result.stderr.trim())
}

function byItsOwnInstaller(folder: string): boolean {
  const result = spawnSync(process.execPath, ['scripts/install.js'], {
    cwd: folder,
    stdio: 'inherit',
    timeout: 300_000,
  })
  return result.status === 0 && problem() === null
}

function fromPython(folder: string): void {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error(`Linux x86-64 only; this is ${process.platform} ${process.arch}`)
  const library = unpackedLibrary()
  const deps = join(folder, 'deps')
  rmSync(deps, { recursive: true, force: true })
  mkdirSync(join(deps, 'lib'), { recursive: true })
  execFileSync('cp', ['-a', join(library, 'tensorflow/include'), join(deps, 'include')])
  for (const name of ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'])
    linkOrCopy(join(library, 'tensorflow', name), join(deps, 'lib', name))
  for (const [name, target] of [
    ['libtensorflow.so', 'libtensorflow_cc.so.2'],
    ['libtensorflow_framework.so', 'libtensorflow_framework.so.2'],
  ] as const) {
    symlinkSync(target, join(deps, 'lib', name))
  }
  compileAddon(folder)
}

/** TensorFlow's libraries and C headers, out of its Python package; kept for the next `npm ci`. */
function unpackedLibrary(): string {
  if (existsSync(cache)) return cache
  const scratch = mkdtempSync(join(tmpdir(), 'freshet-tensorflow-'))
  try {
    console.log(`downloading TensorFlow ${tensorflow.version} (207 MB)`)
    const requirements = join(scratch, 'requirements.txt')
    writeFileSync(requirements, `tensorflow-cpu==${tensorflow.version} --hash=sha256:${tensorflow.sha256}\n`)
    const platform = [
      '--python-version',
      '3.10',
      '--implementation',
      'cp',
      '--abi',
      'cp310',
      '--platform',
      'manylinux2014_x86_64',
      '--platform',
      'manylinux_2_17_x86_64',
    ]
    execFileSync(
      'python3',
      [
        '-m',
        'pip',
        'download',
        '--quiet',
        '--no-deps',
        '--only-binary=:all:',
        ...platform,
        '--require-hashes',
        '--requirement',
        requirements,
        '--dest',
        scratch,
      ],
      { stdio: 'inherit' },
    )
    const wheel = readdirSync(scratch).find((name) => name.endsWith('.whl'))
    if (wheel === undefined) throw new Error('pip downloaded no wheel')
    execFileSync('python3', ['-m', 'zipfile', '-e', join(scratch, wheel), join(scratch, 'unpacked')])
    mkdirSync(dirname(cache), { recursive: true })
    execFileSync('mv', [join(scratch, 'unpacked'), cache])
    return cache
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

function compileAddon(folder: string): void {
  const headers = [join(dirname(process.execPath), '..'), '/usr', '/usr/local'].find((prefix) =>
    existsSync(join(prefix, 'include/node/node_api.h')),
  )
  if (headers === undefined) throw new Error('the headers of Node.js are missing: install them, e.g. libnode-dev')
  // When npm runs a script, it sets `npm_execpath`. Its node-gyp is in the same installation.
  const npm = process.env['npm_execpath'] ?? realpathSync(execFileSync('which', ['npm'], { encoding: 'utf8' }).trim())
  const gyp = join(dirname(npm), '../node_modules/node-gyp/bin/node-gyp.js')
  if (!existsSync(gyp)) throw new Error(`npm's node-gyp is not at ${gyp}`)
  console.log('compiling the addon')
  const module = join(folder, 'lib', `napi-v${napi}`)
  execFileSync(
    process.execPath,
    [
      gyp,
      'rebuild',
      `--nodedir=${headers}`,
      '--module_name=tfjs_binding',
      `--module_path=${module}`,
      `--napi_build_version=${napi}`,
    ],
    { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] },
  )
}

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to)
  } catch {
    copyFileSync(from, to)
  }
}

try {
  const before = problem()
  if (before === null) console.log('TensorFlow computes natively')
  else if (process.argv.includes('--check')) {
    console.error(`not native: ${before}`)
    process.exitCode = 1
  } else {
    const folder = packageFolder()
    if (!byItsOwnInstaller(folder)) fromPython(folder)
    const after = problem()
    if (after !== null) throw new Error(`installed, but does not compute: ${after}`)
    console.log('TensorFlow computes natively')
  }
} catch (error) {
  console.error(
    `cannot install native TensorFlow: ${(error as Error).message}; the ranker will use the WebAssembly backend`,
  )
  process.exitCode = 1
}
