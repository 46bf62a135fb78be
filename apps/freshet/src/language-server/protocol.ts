import type { Span } from '@freshet/ranking/language/ast'
import type { Completion } from '@freshet/ranking/language/editor/completion'
import type { Diagnostic as SpecDiagnostic } from '@freshet/ranking/language/editor/diagnostics'
import type { TextDocument } from 'vscode-languageserver-textdocument'
import {
  CompletionItemKind,
  DiagnosticSeverity,
  MarkupKind,
  type CompletionItem,
  type Diagnostic,
  type Location,
  type Range,
} from 'vscode-languageserver/node'
import { uriOf } from './spec-documents.ts'

const kinds: Readonly<Record<Completion['kind'], CompletionItemKind>> = {
  statement: CompletionItemKind.Keyword,
  input: CompletionItemKind.Field,
  const: CompletionItemKind.Constant,
  function: CompletionItemKind.Function,
  feature: CompletionItemKind.Variable,
  layer: CompletionItemKind.Class,
  head: CompletionItemKind.Event,
  transform: CompletionItemKind.Function,
  option: CompletionItemKind.Property,
  value: CompletionItemKind.EnumMember,
  type: CompletionItemKind.TypeParameter,
}

/** The range of two offsets. */
export function rangeOf(document: TextDocument, from: number, to: number): Range {
  return { start: document.positionAt(from), end: document.positionAt(to) }
}

/** A mistake as the protocol has it. */
export function diagnosticOf(
  document: TextDocument,
  { from, to, severity, code, message }: SpecDiagnostic,
): Diagnostic {
  return {
    range: rangeOf(document, from, Math.max(to, from + 1)),
    severity: severity === 'error' ? DiagnosticSeverity.Error : DiagnosticSeverity.Warning,
    code,
    source: 'freshet',
    message,
  }
}

/** A proposal as the protocol has it: it replaces the range of the word at the cursor. */
export function completionItemOf({ label, kind, detail, documentation }: Completion, range: Range): CompletionItem {
  return {
    label,
    kind: kinds[kind],
    detail,
    ...(documentation !== '' && { documentation: { kind: MarkupKind.Markdown, value: documentation } }),
    // Editors compare this with what is typed; without it, some of them stop at a dot.
    filterText: label,
    textEdit: { range, newText: kind === 'option' ? `${label} ` : label },
  }
}

/** The place of a name in a file. */
export function locationOf({ file, line, column, from, to }: Span): Location {
  const start = { line: line - 1, character: column - 1 }
  return { uri: uriOf(file), range: { start, end: { line: start.line, character: start.character + to - from } } }
}
