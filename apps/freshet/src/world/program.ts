import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { afterMs } from '@freshet/adapters/system/timer'
import { WorldError } from './errors.ts'
import { ProtocolFault, type ProductLine } from './protocol.ts'

/** A program that speaks the protocol of worlds. */
export interface WorldProgram {
  /** The lines that it writes, without line ends. Reading waits for whoever takes them. Throws a ProtocolFault for a line that is too long. */
  readonly lines: AsyncIterable<string>
  /** Writes a line to its standard input; waits while it leaves too much unread. Does nothing once it reads no more. */
  send(line: ProductLine): Promise<void>
  /** How the program ended, in words. Waits for its end. */
  ending(): Promise<string>
  /** Ends the program: closes its standard input, and after `graceMs` kills it and what it started. */
  stop(graceMs: number): Promise<void>
}

/** A line may have this many characters. The longest are pins with embeddings. */
const maxLineCharacters = 1 << 20
/** The program may leave this many bytes of answers unread while it writes. */
const maxUnreadBytes = 16 << 20

/** Starts a command by the shell. Its standard error goes to this process's. */
export function startProgram(command: string): WorldProgram {
  const isWindows = process.platform === 'win32'
  // A group of its own, so that what the shell starts can be ended with it.
  const child = spawn(command, { shell: true, detached: !isWindows, stdio: ['pipe', 'pipe', 'inherit'] })
  let problem: Error | null = null
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`did not start: ${error.message}`))
    child.once('close', (code, signal) =>
      resolve(signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`),
    )
  })
  // A program may close its standard input before it ends.
  child.stdin.on('error', (error) => (problem = error))
  child.stdout.setEncoding('utf8')

  function kill(): void {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    try {
      process.kill(isWindows ? child.pid : -child.pid, 'SIGKILL')
    } catch {
      // It ended meanwhile.
    }
  }

  return {
    lines: splitLines(child.stdout),
    async send(line) {
      if (problem !== null || !child.stdin.writable) return
      child.stdin.write(`${JSON.stringify(line)}\n`)
      if (child.stdin.writableLength > maxUnreadBytes) await Promise.race([once(child.stdin, 'drain'), ended])
    },
    ending: () => ended,
    async stop(graceMs) {
      child.stdin.end()
      const cancel = afterMs(graceMs, kill)
      // What it still writes is not read, and must not keep it from ending.
      child.stdout.resume()
      await ended
      cancel()
    },
  }
}

/** Splits a stream of text into lines. */
export async function* splitLines(stream: Readable): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of stream as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) yield checkLength(line.endsWith('\r') ? line.slice(0, -1) : line)
    checkLength(rest)
  }
  if (rest !== '') yield rest
}

function checkLength(line: string): string {
  if (line.length > maxLineCharacters)
    throw new ProtocolFault(`has more than ${maxLineCharacters} characters; a line is one object`)
  return line
}

/** The error of a program that ended too early. */
export function endedEarly(lines: number, ending: string): WorldError {
  return new WorldError('WORLD_PROGRAM_ENDED', `the program ${ending} after line ${lines}, without {"end":{}}`)
}
