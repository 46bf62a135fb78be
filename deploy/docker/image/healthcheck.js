// The images' health check asks the operations port of this container: `node healthcheck.js` whether the process lives,
// `node healthcheck.js /readyz` whether it is ready. Exit code 0: yes.
import { request as plain } from 'node:http'
import { request as secure } from 'node:https'

const path = process.argv[2] ?? '/livez'
const port = process.env.FRESHET_OPERATIONS_PORT ?? '9464'

try {
  // The port speaks TLS if tls.operations says so, which may stand in a file.
  const { status, body } = await ask(plain).catch(() => ask(secure))
  if (status !== 200) console.error(`${path} answered ${status}: ${body.slice(0, 1000)}`)
  process.exit(status === 200 ? 0 : 1)
} catch (error) {
  console.error(`${path} on port ${port}: ${error.message}`)
  process.exit(1)
}

function ask(request) {
  return new Promise((resolve, reject) => {
    // The certificate names the service, not this address. Nothing secret is asked for or sent.
    request({ host: '127.0.0.1', port, path, rejectUnauthorized: false }, (answer) => {
      let body = ''
      answer.setEncoding('utf8').on('data', (text) => (body += text))
      answer.on('end', () => resolve({ status: answer.statusCode, body }))
    })
      .setTimeout(2000, function () {
        this.destroy(new Error('no answer within 2 s'))
      })
      .on('error', reject)
      .end()
  })
}
