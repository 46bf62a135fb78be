import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import type { Shown, WorldLine } from './protocol.ts'
import type { Player } from './world.ts'

/** The other side of the protocol of worlds: what a product says on `input` to what is written to `output`. */
export async function createProtocolPlayer(input: Readable, output: Writable): Promise<Player> {
  const lines = createInterface({ input })[Symbol.asyncIterator]()
  let stopMs = Infinity
  const read = async (): Promise<Record<string, unknown>> => {
    const { value, done } = await lines.next()
    if (done === true) throw new Error('the product closed its side before the world ended')
    return JSON.parse(value) as Record<string, unknown>
  }
  const write = async (line: object): Promise<void> => {
    if (!output.write(`${JSON.stringify(line)}\n`)) await new Promise((resolve) => output.once('drain', resolve))
  }
  const hello = (await read())['hello'] as { readonly protocol: number } | undefined
  if (hello?.protocol !== 1) throw new Error('the product did not begin with {"hello":{"protocol":1}}')
  return {
    name: 'product',
    stoppedAtMs: () => stopMs,
    take: (line: WorldLine) => write(line),
    async show(ask) {
      await write({ ask })
      for (;;) {
        const answer = await read()
        if ('error' in answer) throw new Error(`the product refused a line: ${JSON.stringify(answer['error'])}`)
        if ('stop' in answer) stopMs = Date.parse((answer['stop'] as { readonly at: string }).at)
        const shown = answer['shown'] as Shown | undefined
        if (shown === undefined) continue
        if (shown.id !== ask.id) throw new Error(`asked ${ask.id}, answered ${shown.id}`)
        return shown
      }
    },
  }
}
