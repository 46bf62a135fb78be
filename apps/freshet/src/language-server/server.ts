import { completionsAt } from '@freshet/ranking/language/editor/completion'
import { definitionAt } from '@freshet/ranking/language/editor/definition'
import { diagnosticsOf } from '@freshet/ranking/language/editor/diagnostics'
import { hoverAt } from '@freshet/ranking/language/editor/hover'
import { formatSpec } from '@freshet/ranking/language/format'
import { LanguageError } from '@freshet/ranking/language/problem'
import { TextDocument } from 'vscode-languageserver-textdocument'
import {
  MarkupKind,
  TextDocuments,
  TextDocumentSyncKind,
  type Connection,
  type InitializeResult,
  type TextEdit,
} from 'vscode-languageserver/node'
import { completionItemOf, diagnosticOf, locationOf, rangeOf } from './protocol.ts'
import { createSpecDocuments } from './spec-documents.ts'

const capabilities: InitializeResult = {
  serverInfo: { name: 'freshet' },
  capabilities: {
    textDocumentSync: TextDocumentSyncKind.Incremental,
    completionProvider: { triggerCharacters: ['.', '(', ','] },
    hoverProvider: true,
    definitionProvider: true,
    documentFormattingProvider: true,
  },
}

/** Answers the requests of an editor about ranking specs. */
export function serveLanguage(connection: Connection): void {
  const documents = new TextDocuments(TextDocument)
  const specs = createSpecDocuments(() => documents.all())
  connection.onInitialize(() => capabilities)
  // A spec may extend another one that is open, so a change of one is checked in all.
  const diagnose = async (): Promise<void> => {
    for (const document of documents.all()) {
      const diagnostics = diagnosticsOf(specs.analyse(document)).map((each) => diagnosticOf(document, each))
      await connection.sendDiagnostics({ uri: document.uri, version: document.version, diagnostics })
    }
  }
  documents.onDidChangeContent(diagnose)
  documents.onDidClose(({ document: { uri } }) => connection.sendDiagnostics({ uri, diagnostics: [] }))
  connection.onCompletion(({ textDocument, position }) => {
    const document = documents.get(textDocument.uri)
    if (document === undefined) return null
    const offset = document.offsetAt(position)
    const { from, items } = completionsAt(specs.analyse(document), offset)
    return items.map((item) => completionItemOf(item, rangeOf(document, from, offset)))
  })
  connection.onHover(({ textDocument, position }) => {
    const document = documents.get(textDocument.uri)
    const hover = document && hoverAt(specs.analyse(document), document.offsetAt(position))
    if (document === undefined || hover === null || hover === undefined) return null
    const { from, to, text } = hover
    return { contents: { kind: MarkupKind.Markdown, value: text }, range: rangeOf(document, from, to) }
  })
  connection.onDefinition(({ textDocument, position }) => {
    const document = documents.get(textDocument.uri)
    const span = document && definitionAt(specs.analyse(document), document.offsetAt(position))
    return span === null || span === undefined ? null : locationOf(span)
  })
  connection.onDocumentFormatting(({ textDocument }) => {
    const document = documents.get(textDocument.uri)
    return document === undefined ? null : formattingOf(document)
  })
  documents.listen(connection)
  connection.listen()
}

/** The edit that gives a spec its canonical text; none while the text has syntax errors, which the editor shows anyway. */
function formattingOf(document: TextDocument): TextEdit[] {
  const text = document.getText()
  try {
    const newText = formatSpec(text, document.uri)
    return newText === text ? [] : [{ range: rangeOf(document, 0, text.length), newText }]
  } catch (error) {
    if (error instanceof LanguageError) return []
    throw error
  }
}
