import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import { compileFile, readSpecText } from './spec-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'freshet-spec-file-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('the file of a spec', () => {
  it('that is not text, such as compressed rows, is one bad argument and not a mistake in each word', () => {
    const file = join(folder, 'rows.jsonl.gz')
    writeFileSync(file, gzipSync('{"labels":{},"values":{}}\n'.repeat(100)))
    expect(() => compileFile(file, { rows: true })).toThrow(
      expect.objectContaining({ code: 'ARGUMENT_INVALID', message: expect.stringContaining(file) as string }),
    )
  })

  it('that is missing is a bad argument, which names it', () => {
    expect(() => readSpecText(join(folder, 'none.rank'))).toThrow(/none\.rank cannot be read: ENOENT/)
  })
})
