import { readFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { analyseSpec, type SpecAnalysis } from '@freshet/ranking/language/editor/analysis'
import { servingInputs } from '@freshet/ranking/language/serving-inputs'
import { transformCatalogue } from '@freshet/ranking/transforms/catalogue'
import type { TextDocument } from 'vscode-languageserver-textdocument'

/** The specs that are open in an editor, analysed. */
export interface SpecDocuments {
  /** The analysis of an open document. A spec that it extends is read from the editor if it is open there, else from disk. */
  analyse(document: TextDocument): SpecAnalysis
}

/** `open`: all open documents. */
export function createSpecDocuments(open: () => readonly TextDocument[]): SpecDocuments {
  const readFile = (path: string): string => {
    const document = open().find(({ uri }) => pathOf(uri) === path)
    return document?.getText() ?? readFileSync(path, 'utf8')
  }
  return {
    analyse: (document) =>
      analyseSpec(document.getText(), pathOf(document.uri), {
        catalogue: transformCatalogue,
        inputs: servingInputs,
        readFile,
      }),
  }
}

/** The path of a document; a document without a file has its address as a path. */
function pathOf(uri: string): string {
  return uri.startsWith('file:') ? fileURLToPath(uri) : uri
}

/** The address of a path. */
export function uriOf(path: string): string {
  return path.startsWith('/') ? pathToFileURL(path).href : path
}
