import { spawn } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')

/** Runs the public command; resolves with what it wrote to standard output. Its progress goes to this process's standard error. */
export function runFreshet(args: readonly string[]): Promise<string> {
  return new Promise((done, fail) => {
    const child = spawn(join(root, 'node_modules/.bin/freshet'), args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, PATH: `${join(root, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}` },
    })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.on('error', fail)
    child.on('close', (code) => {
      if (code === 0) done(output)
      else fail(new Error(`freshet ${args.join(' ')} ended with code ${code}`))
    })
  })
}
