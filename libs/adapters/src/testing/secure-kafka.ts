import type { StartedTestContainer } from 'testcontainers'
import type { Certificates } from './certificates.ts'
import { freePort, kafkaContainer, testHost } from './kafka-server.ts'
import type { Servers } from './redis-server.ts'

/** A broker that wants TLS and a login, and its other doors. */
export interface SecureKafka {
  /** TLS, and a login by PLAIN or SCRAM. */
  readonly login: readonly string[]
  /** TLS with a client's certificate, no login. */
  readonly certificate: readonly string[]
  /** Neither. */
  readonly plain: readonly string[]
  readonly username: string
  readonly password: string
}

const username = 'freshet'
const password = 'p4ss, with = and "quotes"'
/** PLAIN's users stand in a text with quotes of its own. */
export const plainLogin = { username: 'plain', password: 'p4ss-plain' }

/** Starts it in a container. With `FRESHET_EXPECT_CONTAINERS=1` absence is an error. */
export async function secureKafka(certificates: Certificates): Promise<Servers<SecureKafka>> {
  let container: StartedTestContainer
  const [login, certificate, plain] = [await freePort(), await freePort(), await freePort()]
  try {
    container = await kafkaContainer(
      [
        { name: 'LOGIN', protocol: 'SASL_SSL', port: login },
        { name: 'CERTIFICATE', protocol: 'SSL', port: certificate },
        { name: 'PLAIN', protocol: 'PLAINTEXT', port: plain },
      ],
      {
        KAFKA_SASL_ENABLED_MECHANISMS: 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
        KAFKA_LISTENER_NAME_LOGIN_PLAIN_SASL_JAAS_CONFIG: `org.apache.kafka.common.security.plain.PlainLoginModule required user_${plainLogin.username}="${plainLogin.password}";`,
        KAFKA_LISTENER_NAME_LOGIN_SCRAM___SHA___256_SASL_JAAS_CONFIG:
          'org.apache.kafka.common.security.scram.ScramLoginModule required;',
        KAFKA_LISTENER_NAME_LOGIN_SCRAM___SHA___512_SASL_JAAS_CONFIG:
          'org.apache.kafka.common.security.scram.ScramLoginModule required;',
        KAFKA_LISTENER_NAME_CERTIFICATE_SSL_CLIENT_AUTH: 'required',
        KAFKA_SSL_KEYSTORE_TYPE: 'PEM',
        KAFKA_SSL_KEYSTORE_LOCATION: '/certs/server.pem',
        KAFKA_SSL_TRUSTSTORE_TYPE: 'PEM',
        KAFKA_SSL_TRUSTSTORE_LOCATION: '/certs/ca.pem',
      },
    )
      .withCopyFilesToContainer([
        { source: certificates.server.both, target: '/certs/server.pem', mode: 0o644 },
        { source: certificates.ca, target: '/certs/ca.pem', mode: 0o644 },
      ])
      .start()
  } catch (error) {
    const absent = `no container of Kafka (${(error as Error).message})`
    if (process.env['FRESHET_EXPECT_CONTAINERS'] === '1') throw new Error(absent, { cause: error })
    return { absent }
  }
  try {
    // One at a time: the tool takes a user once in a call.
    for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-512']) await addUser(container, mechanism)
  } catch (error) {
    await container.stop({ timeout: 0 })
    throw error
  }
  const at = (port: number): readonly string[] => [`${testHost()}:${port}`]
  return {
    target: { login: at(login), certificate: at(certificate), plain: at(plain), username, password },
    stop: () => container.stop({ timeout: 0 }).then(() => undefined),
  }
}

async function addUser(container: StartedTestContainer, mechanism: string): Promise<void> {
  const tool = 'PATH="$PATH:/opt/kafka/bin"; exec "$(command -v kafka-configs.sh || command -v kafka-configs)" "$@"'
  const user = ['--entity-type', 'users', '--entity-name', username]
  const asked = [
    '--bootstrap-server',
    'localhost:9092',
    '--alter',
    ...user,
    '--add-config',
    `${mechanism}=[password=${password}]`,
  ]
  const { exitCode, output } = await container.exec(['sh', '-c', tool, 'sh', ...asked])
  if (exitCode !== 0) throw new Error(`kafka-configs: ${output}`)
}
