import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { freePort, until } from './testing.ts'

const program = new URL('./test-program.ts', import.meta.url).pathname

interface Run {
  readonly stdout: () => string
  readonly stderr: () => string
  readonly exit: Promise<number | null>
  kill(signal: NodeJS.Signals): void
}

const started: Run[] = []
afterEach(() => {
  for (const run of started.splice(0)) run.kill('SIGKILL')
})

function run(args: readonly string[], env: Record<string, string> = {}): Run {
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, FRESHET_LOG_LEVEL: 'info', ...env },
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => (stdout += String(chunk)))
  child.stderr.on('data', (chunk) => (stderr += String(chunk)))
  const it: Run = {
    stdout: () => stdout,
    stderr: () => stderr,
    exit: new Promise((resolve) => child.on('close', resolve)),
    kill: (signal) => void child.kill(signal),
  }
  started.push(it)
  return it
}

const ownLines = (text: string): string[] => text.split('\n').filter((line) => line !== '' && !line.startsWith('{'))

describe('a process run by runService', () => {
  it('is ready, answers health, metrics and configuration, and stops in order on SIGTERM with exit code 0', async () => {
    const port = await freePort()
    const service = run(['--operations.port', String(port)])
    const ready = await until('ready', async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null)
      return answer?.status === 200 ? answer : null
    })
    expect(await ready.json()).toEqual({
      name: 'test-program',
      version: '0.1.0',
      state: 'ready',
      ok: true,
      reasons: [],
    })
    expect((await fetch(`http://127.0.0.1:${port}/livez`)).status).toBe(200)
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    expect(metrics).toContain('freshet_service_state{state="ready"} 1')
    expect(metrics).toContain('freshet_service_ready 1')
    const config = (await (await fetch(`http://127.0.0.1:${port}/configz`)).json()) as Record<string, unknown>
    expect(config).toMatchObject({ 'operations.port': port, token: '(hidden)' })
    service.kill('SIGTERM')
    expect(await service.exit).toBe(0)
    expect(service.stdout()).toBe('drained\nclosed\n')
  })

  it('reports "not ready" while it drains', async () => {
    const port = await freePort()
    const service = run(['--operations.port', String(port), '--behaviour', 'slow-drain'])
    await until('ready', async () => (await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null))?.status === 200)
    service.kill('SIGTERM')
    const answer = await until('draining', async () => {
      const each = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null)
      return each?.status === 503 ? each : null
    })
    expect(await answer.json()).toMatchObject({ state: 'draining', reasons: ['test-program: draining'] })
    expect((await fetch(`http://127.0.0.1:${port}/livez`)).status).toBe(200)
    expect(await service.exit).toBe(0)
  })

  it('exits with 75 and one line when it does not stop in time', async () => {
    const service = run(['--operations.port', '0', '--behaviour', 'stuck', '--stop.timeoutMs', '100'])
    await until('ready', () => service.stderr().includes('"state":"ready"'))
    service.kill('SIGTERM')
    expect(await service.exit).toBe(75)
    expect(ownLines(service.stderr())).toEqual([
      'test-program: STOP_FORCED: test-program did not stop within 100 ms: waiting for part (drain)',
    ])
  })

  it('exits with 78 and all problems, without a stack, when the configuration is wrong', async () => {
    const service = run(['--operations.port', '70000', '--colour', 'red'])
    expect(await service.exit).toBe(78)
    const lines = service.stderr().split('\n')
    expect(lines[0]).toBe('test-program: CONFIG_INVALID: the configuration has 2 problems:')
    expect(lines).toHaveLength(4)
    expect(service.stderr()).not.toContain('    at ')
  })

  it('exits with 69 and one line when its port is in use', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const { port } = taken.address() as { port: number }
    const service = run(['--operations.port', String(port)])
    expect(await service.exit).toBe(69)
    taken.close()
    expect(ownLines(service.stderr())).toEqual([
      `test-program: PORT_IN_USE: port ${port} on 127.0.0.1 is in use by another process`,
    ])
  })

  it('exits with 69 and one line when the start fails with an error of a catalogue', async () => {
    const service = run(['--operations.port', '0', '--behaviour', 'data-in-use'])
    expect(await service.exit).toBe(69)
    expect(ownLines(service.stderr())).toEqual(['test-program: STORE_IN_USE: the data folder is in use'])
  })

  it.each(['throws-later', 'rejects-later'])(
    'closes its parts and ends with 70 on a defect (%s)',
    async (behaviour) => {
      const service = run(['--operations.port', '0', '--behaviour', behaviour])
      expect(await service.exit).toBe(70)
      expect(ownLines(service.stderr())).toEqual(['test-program: UNCAUGHT: a defect'])
      expect(service.stdout()).toBe('drained\nclosed\n')
    },
  )

  it('shows every setting with --help', async () => {
    const service = run(['--help'])
    expect(await service.exit).toBe(0)
    expect(service.stdout()).toContain('--stop.timeoutMs  (FRESHET_STOP_TIMEOUT_MS)')
  })
})
