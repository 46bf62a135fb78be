import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startEditorClient, type EditorClient } from './editor-client.fixture.ts'

interface Published {
  readonly uri: string
  readonly version: number
  readonly diagnostics: readonly { readonly code: string; readonly message: string; readonly range: object }[]
}

const folder = mkdtempSync(join(tmpdir(), 'rank-'))
const base = pathToFileURL(join(folder, 'base.rank')).href
const uri = pathToFileURL(join(folder, 'a.rank')).href
const text = `spec a extends "base.rank"
feature älter = 1
feature old = log1p(pin.age)
head   save: probability = linear(old)
`.replace('feature älter = 1\n', '# älter: a comment before what is asked about\n')

let editor: EditorClient

beforeAll(async () => {
  writeFileSync(join(folder, 'base.rank'), 'spec base\ninput pin.age\nhead save: probability = linear(pin.age)\n')
  editor = startEditorClient()
  const answer = await editor.request('initialize', { processId: process.pid, rootUri: null, capabilities: {} })
  expect(answer).toMatchObject({
    capabilities: { hoverProvider: true, definitionProvider: true, documentFormattingProvider: true },
  })
  editor.notify('initialized', {})
  editor.notify('textDocument/didOpen', { textDocument: { uri, languageId: 'rank', version: 1, text } })
}, 60_000)

afterAll(() => rmSync(folder, { recursive: true }))

/** Sends the text as a change, and waits for what the server says about it. */
async function change(document: string, version: number, changed: string): Promise<Published> {
  editor.notify('textDocument/didChange', {
    textDocument: { uri: document, version },
    contentChanges: [{ text: changed }],
  })
  return editor.next('textDocument/publishDiagnostics', (published: Published) => published.uri === uri)
}

const at = (line: number, character: number) => ({ textDocument: { uri }, position: { line, character } })

describe('freshet spec language-server', () => {
  it('says all mistakes of a spec when it is opened and when it changes', async () => {
    const opened = await editor.next<Published>('textDocument/publishDiagnostics', () => true)
    expect(opened).toMatchObject({ uri, version: 1, diagnostics: [] })
    const changed = await change(uri, 2, text.replace('pin.age', 'pin.aeg').replace('linear', 'liner'))
    expect(changed.diagnostics.map(({ code, message }) => [code, message])).toEqual([
      ['SPEC_UNKNOWN_NAME', '`pin.aeg` is not a name of this spec; did you mean `pin.age`?'],
      ['SPEC_UNKNOWN_NAME', '`liner` is not a transform or a function; did you mean `linear`?'],
    ])
    expect(changed.diagnostics[0]!.range).toEqual({
      start: { line: 2, character: 20 },
      end: { line: 2, character: 27 },
    })
    expect((await change(uri, 3, text)).diagnostics).toEqual([])
  })

  it('completes names where the cursor is', async () => {
    const items = (await editor.request('textDocument/completion', at(2, 24))) as readonly {
      readonly label: string
      readonly textEdit: { readonly range: object; readonly newText: string }
    }[]
    const range = { start: { line: 2, character: 20 }, end: { line: 2, character: 24 } }
    expect(items.find(({ label }) => label === 'pin.age')!.textEdit).toEqual({ range, newText: 'pin.age' })
    expect(items.map(({ label }) => label)).toContain('log1p')
  })

  it('describes the name under the pointer', async () => {
    const hover = await editor.request('textDocument/hover', at(3, 35))
    expect(hover).toMatchObject({
      contents: { kind: 'markdown', value: expect.stringContaining('feature old: scalar') as string },
    })
    expect(hover).toMatchObject({ contents: { value: expect.stringContaining('`log1p(pin.age)`') as string } })
  })

  it('finds definitions, also in the spec that this one extends', async () => {
    expect(await editor.request('textDocument/definition', at(3, 35))).toMatchObject({
      uri,
      range: { start: { line: 2, character: 8 } },
    })
    expect(await editor.request('textDocument/definition', at(2, 22))).toMatchObject({
      uri: base,
      range: { start: { line: 1, character: 6 }, end: { line: 1, character: 13 } },
    })
  })

  it('formats the document', async () => {
    const edits = await editor.request('textDocument/formatting', { textDocument: { uri }, options: {} })
    expect(edits).toMatchObject([{ newText: text.replace('head   save', 'head save') }])
  })

  it('checks a spec again when the spec that it extends changes in the editor', async () => {
    const opened = { uri: base, languageId: 'rank', version: 1, text: 'spec base\ninput pin.users\n' }
    editor.notify('textDocument/didOpen', { textDocument: opened })
    const published = await editor.next('textDocument/publishDiagnostics', (given: Published) => given.uri === uri)
    expect(published.diagnostics.map(({ message }) => message)).toContain(
      'the input `pin.age` is not declared; add `input pin.age`',
    )
  })

  it('ends with the editor', async () => {
    expect(await editor.stop()).toBe(0)
  })
})
