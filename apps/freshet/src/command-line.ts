import { exitCodes } from '@freshet/service/errors'
import { Command } from 'commander'
import { withKafka, withRedis } from './connection.ts'
import type { EvaluateArguments } from './evaluation/command.ts'
import { reportAndExit } from './failure.ts'
import { runLogAdopt } from './operations/adopt.ts'
import { runImport, type ImportArguments } from './import/command.ts'
import { runDlqList, runDlqReplay, runDlqShow } from './operations/dead-letters.ts'
import { runUsersErase } from './operations/erase-user.ts'
import { runRebuild } from './operations/rebuild.ts'
import { runDlqResume } from './operations/resume.ts'
import { runReplay } from './operations/replay.ts'
import { systemTerminal } from './operations/terminal.ts'
import { runWhy } from './operations/why.ts'
import { runTopicsApply } from './topics.ts'

/** The command line. Each command's failure is one clear line and an exit code. */
export function commandLine(): Command {
  const program = new Command('freshet')
    .description('An event-driven streaming recommender for home feeds')
    .version('0.1.0')
    .showHelpAfterError()
    // What was shown because it was asked for is no failure.
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? exitCodes.stopped : exitCodes.config))

  program
    .command('dev')
    .description('Runs everything in this process on an embedded store; `freshet dev --help` lists its settings')
    .allowUnknownOption()
    .helpOption(false)
    .argument('[settings...]')
    .action(
      guarded(async (settings: string[]) => {
        // Loaded only here: all services together take longer to load than other commands to run.
        const { runDev } = await import('./dev/command.ts')
        await runDev(settings)
      }),
    )

  const topics = program.command('topics').description('The topics in Kafka')
  withKafka(topics.command('apply'))
    .description('Creates what is missing and sets retention; doing it twice changes nothing')
    .option('--partitions <n>', 'partitions of every topic; cannot be changed later', '32')
    .option('--replication-factor <n>', 'copies of each partition; three, or as many as there are brokers')
    .option(
      '--retention <topic=time...>',
      'how long a topic keeps its records, e.g. engagements.v1=14d or feeds-served.v1=36h; the others: as documented',
    )
    .action(guarded(runTopicsApply))

  program
    .command('evaluate')
    .description('Replays recordings, asks their questions, prints the figures')
    .argument('<recordings...>', 'files of JSON lines (.jsonl, .jsonl.gz)')
    .option(
      '--ask <what>',
      'candidates, source:NAME or of several merged source:NAME+NAME, without:NAME, feed or related; several, separated by commas',
      'feed',
    )
    .option('--refresh <when>', 'when collective knowledge changes: event or mark', 'event')
    .option('--k <list>', 'cut-offs', '10,20')
    .option('--repeats <rule>', "allow or forbid pins of the user's history; default: what the surface does")
    .option('--every <n>', 'ask only every Nth question', '1')
    .option('--answers <file>', 'write one line a question: rank of the target, latency, degradation')
    .option('--json', 'the figures as one JSON object on standard output, nothing else there')
    .option('--config <file>', 'parameters of sources, blender and ranker, as JSON')
    .option('--partitions <n>', 'partitions of the log in this process', '8')
    .option('--target <url>', 'event-ingest of running services; with --feed')
    .option('--feed <host:port>', "the running blender's gRPC")
    .action(
      guarded(async (recordings: string[], options: EvaluateArguments) => {
        const { runEvaluate } = await import('./evaluation/command.ts')
        await runEvaluate(recordings, options)
      }),
    )

  program
    .command('replay')
    .description('Posts the pins and engagements of recordings; doing it twice changes nothing')
    .argument('<recordings...>', 'files of JSON lines (.jsonl, .jsonl.gz)')
    .option('--target <url>', 'a running event-ingest')
    .option('--data <folder>', 'or the data folder of the one-process edition, while it is stopped')
    .option('--rate <n>', 'events a second at most; default: as fast as they are taken')
    .option('--partitions <n>', 'partitions of a data folder that is made by this', '8')
    .action(
      guarded((recordings: string[], options: Parameters<typeof runReplay>[1]) =>
        runReplay(recordings, options, systemTerminal()),
      ),
    )

  program
    .command('import')
    .description('Brings in your own history or catalogue: CSV, TSV, JSON lines, MovieLens, recordings; also .gz')
    .argument('<files...>', 'files; each is recognised by itself')
    .option(
      '--data <folder>',
      'the data folder of the one-process edition, while it is stopped; default: .freshet/data',
    )
    .option('--target <url>', 'or a running event-ingest')
    .option('--operations <url>', "with --target: the feature updater's operations address, to say what was applied")
    .option('--as <what>', 'engagements or pins; default: engagements where a column is a user')
    .option(
      '--map <list>',
      'column=field, column=- (leave it out), and rules for actions such as rating>=4:save; several, separated by commas',
      (text: string, before: readonly string[] | undefined) => [...(before ?? []), text],
    )
    .option('--time-unit <unit>', 's, ms, us or iso')
    .option('--occurred-at <time>', 'of rows that have no time, e.g. 2026-01-31T08:00:00Z')
    .option('--columns <list>', 'names of the columns of a file without a header')
    .option('--delimiter <text>', "what separates columns, e.g. ';' or tab")
    .option('--quote <character>', 'what cells are quoted with, or none')
    .option('--list-separator <text>', 'what separates topics in a cell')
    .option('--encoding <name>', 'utf8 or latin1')
    .option('--make-pins', 'make catalogue entries of pins that have none; the default for a data folder')
    .option('--no-make-pins', 'leave such pins without one: they teach and are never shown')
    .option('--ledger <file>', 'with --target: where to remember what was posted')
    .option('--resend', 'with --target: post again what an import killed over 12 hours ago may have posted')
    .option('--no-resend', 'with --target: leave that out')
    .option('--partitions <n>', 'partitions of a data folder that is made by this', '8')
    .option('--dry-run', 'say how the files are read, and what is wrong with them')
    .action(guarded((files: string[], options: ImportArguments) => runImport(files, options, systemTerminal())))

  const letters = program
    .command('dlq')
    .description('Records that were not applied: dead-letters.v1, and engagements-late.v1 of earlier versions')
  chosen(withLog(letters.command('list').description('Lists them, oldest first')))
    .option('--json', 'one JSON object a line')
    .action(guarded((options: Parameters<typeof runDlqList>[0]) => runDlqList(options, systemTerminal())))
  withLog(letters.command('show').description("One of them: its bytes, and what today's code makes of them"))
    .argument('<place>', 'PARTITION/POSITION or late/PARTITION/POSITION, as list shows it')
    .action(
      guarded((place: string, options: Parameters<typeof runDlqShow>[1]) =>
        runDlqShow(place, options, systemTerminal()),
      ),
    )
  chosen(
    withLog(letters.command('replay').description('Sends them to their topics again; doing it twice changes nothing')),
  )
    .option('--rate <n>', 'letters a second at most', '100')
    .option('--dry-run', 'say what would be done')
    .action(guarded((options: Parameters<typeof runDlqReplay>[0]) => runDlqReplay(options, systemTerminal())))

  withRedis(
    withLog(letters.command('resume').description('Lets halted partitions put aside what is bad in the log by now')),
  ).action(guarded((options: Parameters<typeof runDlqResume>[0]) => runDlqResume(options, systemTerminal())))

  const log = program.command('log').description('The log that state is folded from')
  withRedis(withLog(log.command('adopt')))
    .description('Makes the state follow the log that there is now: after a broker was lost or a cluster moved')
    .option(
      '--from <time>',
      'start, or the time since which its records are new; default: start, for a log that lost its end half the dedupe window ago',
    )
    .option('--dry-run', 'say what would be done')
    .option('--config <file>', "the feature updater's settings as JSON; its environment variables count too")
    .action(guarded((options: Parameters<typeof runLogAdopt>[0]) => runLogAdopt(options, systemTerminal())))

  withRedis(withLog(program.command('rebuild')))
    .description('Folds the log again into a new generation while the old one serves, compares both, switches')
    .option('--family <name>', 'user, pin or all', 'all')
    .option('--dry-run', 'say what would be done')
    .option('--resume', 'go on with what a stopped rebuild has folded')
    .option('--no-switch', 'compare only')
    .option('--accept-differences', 'switch where the generations differ: folding has changed')
    .option('--rollback', 'let the generation before serve again')
    .option('--drop <generation>', 'remove a generation that does not serve')
    .option('--config <file>', "the feature updater's settings as JSON; its environment variables count too")
    .action(guarded((options: Parameters<typeof runRebuild>[0]) => runRebuild(options, systemTerminal())))

  const users = program.command('users').description('Users')
  withLog(users.command('erase').description('Forgets a user and all that happened until now, for good'))
    .argument('<id>', 'the user')
    .action(
      guarded((id: string, options: Parameters<typeof runUsersErase>[1]) =>
        runUsersErase(id, options, systemTerminal()),
      ),
    )

  withLog(
    program.command('why').description('Why a user was shown what they were: the last feed served, or one of them'),
  )
    .argument('<user>', 'the user')
    .option('--operations <urls>', 'or operations addresses of running processes: the one process, or a blender')
    .option('--feed <id>', 'this feed; default: the last')
    .option('--pin <id>', 'this pin of it alone, with its features as they were used')
    .option('--json', 'everything as one JSON object')
    .action(
      guarded((userId: string, options: Parameters<typeof runWhy>[1]) => runWhy(userId, options, systemTerminal())),
    )

  return program
}

function withLog(command: Command): Command {
  return withKafka(command).option(
    '--data <folder>',
    'or the data folder of the one-process edition, while it is stopped',
  )
}

function chosen(command: Command): Command {
  return command
    .option('--topic <name>', 'only those of this topic')
    .option('--code <code>', 'only those with this error code')
    .option('--since <time>', 'only those put aside at or after it, e.g. 2026-01-31T08:00:00Z')
    .option('--key <key>', 'only those with this key')
}

/** A command whose rejection becomes one line and an exit code. */
function guarded<Arguments extends readonly unknown[]>(
  run: (...given: Arguments) => Promise<void>,
): (...given: Arguments) => Promise<void> {
  return async (...given) => {
    try {
      await run(...given)
    } catch (error) {
      reportAndExit(error)
    }
  }
}
