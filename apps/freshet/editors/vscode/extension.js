const { workspace } = require('vscode')
const { LanguageClient } = require('vscode-languageclient/node')

let client

/** Starts the language server of Freshet in the folder of the workspace. */
exports.activate = () => {
  const [command, ...args] = workspace.getConfiguration('freshet').get('command')
  const cwd = workspace.workspaceFolders?.[0]?.uri.fsPath
  const server = { command, args, options: { cwd } }
  client = new LanguageClient('freshet', 'Freshet ranking language', server, {
    documentSelector: [{ scheme: 'file', language: 'rank' }],
  })
  return client.start()
}

exports.deactivate = () => client?.stop()
