import { createConnection, ProposedFeatures } from 'vscode-languageserver/node'
import { serveLanguage } from './server.ts'

/** `freshet spec language-server`: speaks the Language Server Protocol on standard input and output until the editor ends. */
export function runLanguageServer(): void {
  serveLanguage(createConnection(ProposedFeatures.all, process.stdin, process.stdout))
}
