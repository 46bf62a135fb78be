import { Readable } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { splitLines, startProgram, type WorldProgram } from './program.ts'
import { ProtocolFault } from './protocol.ts'

async function linesOf(chunks: readonly string[]): Promise<string[]> {
  const lines: string[] = []
  for await (const line of splitLines(Readable.from(chunks))) lines.push(line)
  return lines
}

/** A program of Node. */
function node(source: string): WorldProgram {
  return startProgram(`'${process.execPath}' -e '${source}'`)
}

describe('the lines of a program', () => {
  it('do not depend on how their bytes arrive', async () => {
    const text = fc.array(fc.stringMatching(/^[a-z]{1,8}$/))
    await fc.assert(
      fc.asyncProperty(text, fc.array(fc.nat(40)), async (lines, cuts) => {
        const whole = lines.map((line) => `${line}\n`).join('')
        const places = [0, ...cuts.map((cut) => Math.min(cut, whole.length)), whole.length].sort((a, b) => a - b)
        const chunks = places.slice(1).map((place, at) => whole.slice(places[at], place))
        expect(await linesOf(chunks)).toEqual(lines)
      }),
    )
  })

  it('may end with carriage returns, and the last one without a line end', async () => {
    expect(await linesOf(['a\r\nb\n', 'c'])).toEqual(['a', 'b', 'c'])
  })

  it('are refused if they never end', async () => {
    const endless = Array.from({ length: 40 }, () => 'x'.repeat(1 << 16))
    await expect(linesOf(endless)).rejects.toThrow(ProtocolFault)
  })
})

describe('a program', () => {
  it('reads answers and writes lines, also when it reads none of many answers before it wrote', async () => {
    const program = node(
      'for (let n = 0; n < 20000; n++) console.log("line", n); process.stdin.resume(); process.stdin.on("end", () => console.log("done"))',
    )
    let count = 0
    for await (const line of program.lines) {
      if (line === 'done') break
      await program.send({ model: { version: 'm', at: line } })
      if (++count === 20_000) void program.stop(10_000)
    }
    expect(count).toBe(20_000)
    expect(await program.ending()).toBe('ended with exit code 0')
  })

  it('says how it ended, and takes no more lines then', async () => {
    const program = node('process.exit(7)')
    expect(await program.ending()).toBe('ended with exit code 7')
    await program.send({ hello: { protocol: 1 } })
    await program.stop(0)
  })

  it('is killed with all that it started, if it does not end by itself', async () => {
    const program = node('setInterval(() => {}, 1000); console.log("up")')
    for await (const line of program.lines) if (line === 'up') break
    await program.stop(50)
    expect(await program.ending()).toMatch(/was ended by SIGKILL/)
  })
})
