import { runService, systemProcess, type ServiceContext } from '@freshet/service/lifecycle'
import { checkPorts } from '../dev/check-ports.ts'
import { consoleSchema, type ConsoleProcessConfig } from './config.ts'
import { listenConsole } from './listen.ts'
import { remoteOperate } from './remote-operate.ts'
import { openBrowser } from './open-browser.ts'
import { openPage, ownPage } from './page/build.ts'
import { certificatesForOthers, type Upstream } from './proxy/upstreams.ts'
import { consoleArguments } from './short-options.ts'

/** `freshet console`: the page in front of services that run elsewhere, until a signal ends it. */
export function runConsole(argv: readonly string[]): Promise<void> {
  return runService(
    {
      name: 'freshet-console',
      description: 'serves the console in front of services that run elsewhere.',
      schema: consoleSchema,
      start,
    },
    systemProcess(consoleArguments(argv)),
  )
}

async function start(context: ServiceContext<ConsoleProcessConfig>): Promise<void> {
  const { config, logger, metrics, report, access, tls, use } = context
  const { feeds, events, admin, operations } = config.upstreams
  // Before the page is built.
  await checkPorts([config.console])
  const page = openPage(ownPage, {
    onBuild: () => logger.info('building the page'),
    onProblem: (error) => report(error, { part: 'console', outcome: 'left-out' }),
  })
  const upstreamOperations = operations.map(named)
  const operate = remoteOperate(
    context,
    upstreamOperations.map(({ name, url }) => ({ name, operations: url })),
  )
  const port = await listenConsole({
    ...{ access, tls, metrics, report, use, page, config: config.console, demo: null, more: [operate] },
    upstreams: {
      events: upstream('events', events),
      feeds: upstream('feeds', feeds),
      admin: admin === null ? null : upstream('admin', admin),
      operations: new Map(upstreamOperations.map((each) => [each.name, each])),
    },
    certificates: certificatesForOthers(tls),
    nowMs: () => performance.now(),
  })
  const url = `${tls.server('http') === null ? 'http' : 'https'}://localhost:${port}`
  process.stdout.write(`\nThe console is ready.\n\n  Open        ${url}\n\nStop with Ctrl-C.\n`)
  if (config.console.open) openBrowser(url)
}

function named(text: string): Upstream {
  const at = text.indexOf('=')
  return upstream(text.slice(0, at), text.slice(at + 1))
}

function upstream(name: string, url: string): Upstream {
  return { name, url: url.replace(/\/+$/, '') }
}
