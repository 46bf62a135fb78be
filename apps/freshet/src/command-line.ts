import { exitCodes } from '@freshet/service/errors'
import { Command } from 'commander'
import { withKafka, withRedis } from './connection.ts'
import type { EvaluateArguments } from './evaluation/command.ts'
import { reportAndExit } from './failure.ts'
import { addBackupCommands } from './backup/add-commands.ts'
import { addExperimentCommands } from './experiments/add-commands.ts'
import { runLogAdopt } from './operations/adopt.ts'
import { runImport, type ImportArguments } from './import/command.ts'
import { addCapacityCommand } from './capacity/add-command.ts'
import { addConnectorCommands } from './connectors/add-commands.ts'
import { addKeyCommands } from './keys/add-commands.ts'
import {
  runModelsList,
  runModelsPromote,
  runModelsRollBack,
  runModelsShow,
  type ModelsArguments,
} from './models/command.ts'
import { runDlqList, runDlqReplay, runDlqShow } from './operations/dead-letters.ts'
import { runUsersErase } from './operations/erase-user.ts'
import { runUsersExport, runUsersPseudonym } from './operations/export-user.ts'
import { runRebuild } from './operations/rebuild.ts'
import { runDlqResume } from './operations/resume.ts'
import { runReplay } from './operations/replay.ts'
import { runRowsExport, runRowsStats } from './operations/rows.ts'
import { systemTerminal } from './operations/terminal.ts'
import { sendKeyOf } from './operations/sent-key.ts'
import { runExplain } from './operations/explain.ts'
import { runWhy } from './operations/why.ts'
import { describeParity } from './parity/add-command.ts'
import { addSpecCommands } from './spec/add-commands.ts'
import { runRedisAcls } from './redis-acls.ts'
import { runTopicsAcls, runTopicsApply } from './topics.ts'
import type { TrainArguments } from './train/command.ts'
import type { WorldArguments } from './world/command.ts'

/** The command line. A command that fails prints one line and sets the exit code. */
export function createCommandLine(): Command {
  const program = new Command('freshet')
    .description('An event-driven streaming recommender for home feeds')
    .version('0.1.0')
    .option(
      '--key-file <file>',
      'file with the key that the command sends to running services; or the variable FRESHET_KEY',
    )
    .configureHelp({ showGlobalOptions: true })
    .hook('preAction', (_program, command) => {
      const { keyFile } = command.optsWithGlobals<{ readonly keyFile?: string }>()
      if (keyFile === undefined) return
      try {
        sendKeyOf(keyFile)
      } catch (error) {
        reportAndExit(error)
      }
    })
    .showHelpAfterError()
    // `--help` and `--version` are not failures.
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? exitCodes.stopped : exitCodes.config))
  for (const add of [
    addDev,
    addConsole,
    addTopics,
    addRedis,
    addEvaluate,
    addTrain,
    addWorld,
    addReplay,
    addImport,
    addDeadLetters,
    addLog,
    addRebuild,
    addBackup,
    addCapacity,
    addRows,
    addUsers,
    addSpec,
    addWhy,
    addExplain,
    addModels,
    addParity,
    addExperiments,
    addKeys,
    addConnectors,
  ]) {
    add(program)
  }
  return program
}

function addDev(program: Command): void {
  program
    .command('dev')
    .description('Run all services in this process on an embedded store; `freshet dev --help` lists the settings')
    .allowUnknownOption()
    .helpOption(false)
    .argument('[settings...]')
    .action(
      reportFailure(async (settings: string[]) => {
        // Imported here, because loading all services takes longer than running another command.
        const { runDev } = await import('./dev/command.ts')
        await runDev(settings)
      }),
    )
}

function addConsole(program: Command): void {
  program
    .command('console')
    .description(
      'Serve the console in front of services that run elsewhere; `freshet console --help` lists the settings',
    )
    .allowUnknownOption()
    .helpOption(false)
    .argument('[settings...]')
    .action(
      reportFailure(async (settings: string[]) => {
        const { runConsole } = await import('./console/command.ts')
        await runConsole(settings)
      }),
    )
}

function addTopics(program: Command): void {
  const topics = program.command('topics').description('Manage the topics in Kafka')
  withKafka(topics.command('apply'))
    .description('Create missing topics and set their retention; a second run changes nothing')
    .option('--partitions <n>', 'number of partitions of every topic; cannot be changed later', '32')
    .option(
      '--replication-factor <n>',
      'copies of each partition; default: three, or the number of brokers if that is smaller',
    )
    .option(
      '--retention <topic=time...>',
      'retention of a topic, e.g. engagements.v1=14d or feeds-served.v1=36h; other topics keep the documented retention',
    )
    .action(reportFailure(runTopicsApply))
  topics
    .command('acls')
    .description('Print the least rights of each service in Kafka')
    .option(
      '--principal-prefix <text>',
      'what the names of users begin with, before the name of the service',
      'freshet-',
    )
    .option('--format <name>', 'commands (of kafka-acls, for the broker in $KAFKA) or strimzi (KafkaUser)', 'commands')
    .option(
      '--source-topic <name>',
      "the setting source.topic of event-ingest: prints what it needs to read another system's topic too",
    )
    .option('--source-group <name>', 'the setting source.group of event-ingest', 'freshet-source')
    .action(reportFailure(runTopicsAcls))
}

function addRedis(program: Command): void {
  program
    .command('redis')
    .description('Manage the rights in Redis')
    .command('acls')
    .description('Print the least rights of each service in Redis, for redis-cli; passwords are up to you')
    .option('--user-prefix <text>', 'what the names of users begin with, before the name of the service', 'freshet-')
    .option('--key-prefix <text>', 'the setting redis.keyPrefix of the services', 'freshet:')
    .action(reportFailure(runRedisAcls))
}

function addEvaluate(program: Command): void {
  program
    .command('evaluate')
    .description('Replay recordings, ask their questions and print quality figures')
    .argument('<recordings...>', 'files of JSON lines (.jsonl, .jsonl.gz)')
    .option(
      '--ask <what>',
      'what to evaluate: candidates, source:NAME, source:NAME+NAME (merged), without:NAME, feed or related; separate several with commas. A source that is named is on in this process for the whole run',
      'feed',
    )
    .option('--refresh <when>', 'when the knowledge about all users changes: event or mark', 'event')
    .option('--k <list>', 'cut-offs of the figures', '10,20')
    .option(
      '--repeats <rule>',
      "allow or forbid pins from the user's history; default: forbid for feed, allow for every other --ask",
    )
    .option('--every <n>', 'ask only every nth question', '1')
    .option(
      '--answers <file>',
      'write a line for each question: rank of the target, pin ids of the answer, latency, degradation',
    )
    .option('--json', 'print the figures as one JSON object on standard output')
    .option('--from <time>', 'ask only questions from this time on; earlier events are applied all the same')
    .option('--until <time>', 'ask only questions before this time, and stop reading there')
    .option(
      '--rows <file>',
      'write what the ranker read about the candidates of each question, as rows for `freshet train`',
    )
    .option(
      '--negatives <n>',
      'of each question, draw this many candidates for --rows beside its target and the first 20',
      '40',
    )
    .option('--model <file>', 'rank with this trained model; it must have learned from rows before --from')
    .option('--config <file>', 'JSON file with settings of sources, blender and ranker')
    .option('--partitions <n>', 'number of partitions of the log in this process', '8')
    .option('--target <url>', 'URL of a running event-ingest; needs --feed')
    .option('--feed <host:port>', 'gRPC address of the running blender')
    .action(
      reportFailure(async (recordings: string[], options: EvaluateArguments) => {
        const { runEvaluate } = await import('./evaluation/command.ts')
        await runEvaluate(recordings, options)
      }),
    )
}

function addTrain(program: Command): void {
  program
    .command('train')
    .description('Learn a ranking spec from rows, and print its figures on rows that it has not seen')
    .argument('<spec>', 'the ranking spec (.rank)')
    .requiredOption('--rows <file>', 'training rows: JSON lines (.jsonl, .jsonl.gz)')
    .option('--validate <file>', 'rows that decide when training ends and how heads are calibrated')
    .option('--test <file>', 'rows that are read once, after training')
    .option('--seed <n>', 'the same seed gives the same model', '1')
    .option('--out <folder>', 'write the model (model.freshet) and the figures (report.json) there')
    .option('--backend <name>', 'auto, tensorflow (native) or wasm', 'auto')
    .option('--json', 'print the figures as one JSON object on standard output')
    .action(
      reportFailure(async (spec: string, options: TrainArguments) => {
        const { runTrain } = await import('./train/command.ts')
        await runTrain(spec, options, systemTerminal())
      }),
    )
}

function addWorld(program: Command): void {
  program
    .command('world')
    .description('Play against a simulator of users, in this process and in virtual time')
    .requiredOption('--command <program>', 'the simulator: speaks JSON lines on its standard input and output')
    .option(
      '--until <when>',
      'tell the simulator to stop then: an RFC 3339 time, or a duration such as 36h or 2d; default: at its own end',
    )
    .option('--config <file>', 'JSON file with settings of sources, blender and ranker')
    .option('--seed <n>', 'seed of the product; the same seed and the same simulator give the same answers', '1')
    .option('--json', "print the simulator's last report alone, and the product's figures as JSON on standard error")
    .option('--partitions <n>', 'number of partitions of the log in this process', '8')
    .action(
      reportFailure(async (options: WorldArguments) => {
        const { runWorldCommand } = await import('./world/command.ts')
        await runWorldCommand(options, systemTerminal())
      }),
    )
}

function addReplay(program: Command): void {
  program
    .command('replay')
    .description('Post the pins and engagements of recordings; a second run changes nothing')
    .argument('<recordings...>', 'files of JSON lines (.jsonl, .jsonl.gz)')
    .option('--target <url>', 'URL of a running event-ingest')
    .option('--data <folder>', 'or the data folder of a stopped `freshet dev`')
    .option('--rate <n>', 'maximum events per second; default: as fast as possible')
    .option('--partitions <n>', 'number of partitions if the command creates the data folder', '8')
    .action(
      reportFailure((recordings: string[], options: Parameters<typeof runReplay>[1]) =>
        runReplay(recordings, options, systemTerminal()),
      ),
    )
}

function addImport(program: Command): void {
  program
    .command('import')
    .description(
      'Import your history or catalogue: CSV, TSV, JSON lines, MovieLens or recordings, also compressed (.gz)',
    )
    .argument('<files...>', 'files to import; the command detects the format of each')
    .option('--data <folder>', 'the data folder of a stopped `freshet dev`; default: .freshet/data')
    .option('--target <url>', 'or the URL of a running event-ingest')
    .option(
      '--operations <url>',
      'with --target: operations address of the feature updater, to report which events it applied',
    )
    .option('--as <what>', 'engagements or pins; default: engagements if there is a user column')
    .option(
      '--map <list>',
      'column=field, column=- (ignore it), or a rule for actions such as rating>=4:save; separate several with commas',
      (text: string, before: readonly string[] | undefined) => [...(before ?? []), text],
    )
    .option('--time-unit <unit>', 's, ms, us or iso')
    .option('--occurred-at <time>', 'time of rows without a time, e.g. 2026-01-31T08:00:00Z')
    .option('--columns <list>', 'names of the columns of a file without a header')
    .option('--delimiter <text>', "column separator, e.g. ';' or tab")
    .option('--quote <character>', 'quote character of cells, or none')
    .option('--list-separator <text>', 'separator of topics in a cell')
    .option('--encoding <name>', 'utf8 or latin1')
    .option('--make-pins', 'create catalogue entries for pins without one; the default for a data folder')
    .option('--no-make-pins', 'create no such entries: the pins still teach, but the feed never shows them')
    .option('--ledger <file>', 'with --target: file that records which events were posted')
    .option('--resend', 'with --target: post again the events that an import killed over 12 hours ago may have posted')
    .option('--no-resend', 'with --target: skip those events')
    .option('--partitions <n>', 'number of partitions if the command creates the data folder', '8')
    .option('--dry-run', 'print how the command reads the files and what is wrong with them')
    .action(reportFailure((files: string[], options: ImportArguments) => runImport(files, options, systemTerminal())))
}

function addDeadLetters(program: Command): void {
  const deadLetters = program
    .command('dlq')
    .description(
      'Manage dead letters: records that were not applied, from dead-letters.v1 and, of earlier versions, engagements-late.v1',
    )
  withFilter(withLog(deadLetters.command('list').description('List dead letters, oldest first')))
    .option('--json', 'print one JSON object per line')
    .action(reportFailure((options: Parameters<typeof runDlqList>[0]) => runDlqList(options, systemTerminal())))
  withLog(deadLetters.command('show').description('Show a dead letter: its bytes, and how this version reads them'))
    .argument('<place>', 'PARTITION/POSITION or late/PARTITION/POSITION, as `list` prints it')
    .action(
      reportFailure((place: string, options: Parameters<typeof runDlqShow>[1]) =>
        runDlqShow(place, options, systemTerminal()),
      ),
    )
  withFilter(
    withLog(
      deadLetters
        .command('replay')
        .description('Send dead letters to their topics again; a second run changes nothing'),
    ),
  )
    .option('--rate <n>', 'maximum dead letters per second', '100')
    .option(
      '--mapping <file>',
      'mapping file for events of other systems; default: FRESHET_INGEST_CONNECTORS_FILE, else plain names',
    )
    .option(
      '--pseudonyms-secret <file>',
      'the file of pseudonyms.secretFile of event-ingest; default: FRESHET_PSEUDONYMS_SECRET_FILE',
    )
    .option('--dry-run', 'print what the command would do')
    .action(reportFailure((options: Parameters<typeof runDlqReplay>[0]) => runDlqReplay(options, systemTerminal())))

  withRedis(
    withLog(
      deadLetters
        .command('resume')
        .description('Let halted partitions continue: the bad records that are in the log now become dead letters'),
    ),
  ).action(reportFailure((options: Parameters<typeof runDlqResume>[0]) => runDlqResume(options, systemTerminal())))
}

function addLog(program: Command): void {
  const log = program.command('log').description('Manage the log that the state is folded from')
  withRedis(withLog(log.command('adopt')))
    .description('Make the state follow the current log, after a broker was lost or a cluster was moved')
    .option(
      '--from <time>',
      '`start`, or the time since which the records of the log are new; default: start, or half the dedupe window ago for a log that lost its end',
    )
    .option('--dry-run', 'print what the command would do')
    .option('--config <file>', 'JSON file with settings of the feature updater; its environment variables count too')
    .action(reportFailure((options: Parameters<typeof runLogAdopt>[0]) => runLogAdopt(options, systemTerminal())))
}

function addRebuild(program: Command): void {
  withRedis(withLog(program.command('rebuild')))
    .description('Fold the log into a new generation while the old one serves, compare both and switch')
    .option('--family <name>', 'user, pin or all', 'all')
    .option('--dry-run', 'print what the command would do')
    .option('--resume', 'continue a stopped rebuild')
    .option('--no-switch', 'compare only')
    .option('--accept-differences', 'switch even if the generations differ, because the fold has changed')
    .option('--rollback', 'let the previous generation serve again')
    .option('--drop <generation>', 'remove a generation that does not serve')
    .option('--config <file>', 'JSON file with settings of the feature updater; its environment variables count too')
    .action(reportFailure((options: Parameters<typeof runRebuild>[0]) => runRebuild(options, systemTerminal())))
}

function addBackup(program: Command): void {
  addBackupCommands(program, { guard: reportFailure, terminal: systemTerminal, withLog })
}

function addCapacity(program: Command): void {
  addCapacityCommand(program, reportFailure, systemTerminal)
}

function addRows(program: Command): void {
  const rows = program.command('rows').description('Inspect the training rows that were joined from served feeds')
  const places = (command: Command): Command =>
    command
      .option('--data <folder>', 'the data folder of `freshet dev`, running or stopped; default: .freshet/data')
      .option('--folder <folder>', 'or the checkpoint folder of the trainer')
      .option('--from <time>', 'only rows of feeds since this time, e.g. 2026-01-31T08:00:00Z')
      .option('--to <time>', 'only rows of feeds before this time')
  places(rows.command('stats'))
    .description('Print how many rows there are, the share of each label, and how often each feature is missing')
    .option('--json', 'print the figures as one JSON object')
    .action(reportFailure((options: Parameters<typeof runRowsStats>[0]) => runRowsStats(options, systemTerminal())))
  places(rows.command('export'))
    .description('Write the rows of shown pins as JSON lines with labels, values and weight, each with its last labels')
    .option('--out <file>', 'the file to write; default: standard output')
    .action(reportFailure((options: Parameters<typeof runRowsExport>[0]) => runRowsExport(options, systemTerminal())))
}

function addUsers(program: Command): void {
  const users = program.command('users').description('Manage users')
  withLog(users.command('erase').description('Erase a user and everything until now, permanently'))
    .argument('<id>', 'id of the user')
    .action(
      reportFailure((id: string, options: Parameters<typeof runUsersErase>[1]) =>
        runUsersErase(id, options, systemTerminal()),
      ),
    )
  withRedis(
    withLog(users.command('export')).description(
      'Print everything that is held on a user, as JSON lines: records of the log, and state',
    ),
  )
    .argument('<id>', 'id of the user, as it is stored')
    .action(
      reportFailure((id: string, options: Parameters<typeof runUsersExport>[1]) =>
        runUsersExport(id, options, systemTerminal()),
      ),
    )
  users
    .command('pseudonym')
    .description('Print the id under which a user is stored (pseudonyms.secretFile)')
    .argument('<id>', 'id of the user, as callers give it')
    .requiredOption('--secret-file <file>', 'the secret of the pseudonyms')
    .action(reportFailure((id: string, { secretFile }: { secretFile: string }) => runUsersPseudonym(id, secretFile)))
}

function addSpec(program: Command): void {
  addSpecCommands(program, reportFailure, systemTerminal)
}

function addWhy(program: Command): void {
  withLog(program.command('why').description('Explain a feed that a user was shown, by default the last one'))
    .argument('<user>', 'id of the user')
    .option('--operations <urls>', 'or operations addresses of running processes: `freshet dev` or a blender')
    .option('--feed <id>', 'id of the feed; default: the last one')
    .option('--pin <id>', 'explain only this pin, with the features that the ranker used')
    .option('--json', 'print everything as one JSON object')
    .action(
      reportFailure((userId: string, options: Parameters<typeof runWhy>[1]) =>
        runWhy(userId, options, systemTerminal()),
      ),
    )
}

function addExplain(program: Command): void {
  withLog(
    program.command('explain').description('Say why the pins of a served feed are on its page, or why a pin is not'),
  )
    .argument('<feed>', 'id of the feed')
    .argument('[pin]', 'explain only this pin, whether it is on the page or not')
    .option(
      '--target <address>',
      'or HOST:PORT of the gRPC server of a blender, which adds what each feature contributed',
    )
    .option('--json', 'print everything as one JSON object')
    .action(
      reportFailure((feedId: string, pinId: string | undefined, options: Parameters<typeof runExplain>[2]) =>
        runExplain(feedId, pinId, options, systemTerminal()),
      ),
    )
}

function addModels(program: Command): void {
  const models = program
    .command('models')
    .description('Manage the ranking models: which one serves, and what became of others')
  const withRegistry = (command: Command): Command =>
    withLog(command)
      .option('--operations <urls>', 'or the operations address of a running `freshet dev`')
      .option('--surface <name>', 'the surface', 'home')
  const withFindings = (command: Command): Command =>
    withRegistry(command)
      .option(
        '--models <folder>',
        'the checkpoint folder of the trainer, for calibrations; default: the folder in --data, or the log in Kafka',
      )
      .option('--ranker <urls>', 'operations address of a ranker: print what it found out about inputs and shadow')
  withFindings(models.command('list').description('List all models and their stages, newest change first'))
    .option('--json', 'print everything as one JSON object')
    .action(reportFailure((options: ModelsArguments) => runModelsList(options, systemTerminal())))
  withFindings(models.command('show').description('Show a model: its data, its results, its stage and the reason'))
    .argument('<version>', 'version, as `list` prints it')
    .option('--json', 'print everything as one JSON object')
    .action(
      reportFailure((version: string, options: ModelsArguments) => runModelsShow(version, options, systemTerminal())),
    )
  withRegistry(
    models
      .command('promote')
      .description('Let a model serve all users, a share of them as a canary, or score requests as a shadow'),
  )
    .argument('<version>', 'version, as `list` prints it')
    .option('--share <number>', 'share of the users above 0 and at most 1; default: 1, all users')
    .option('--shadow <number>', 'or share of the requests that it scores without being shown, to be compared')
    .action(
      reportFailure((version: string, options: Parameters<typeof runModelsPromote>[1]) =>
        runModelsPromote(version, options, systemTerminal()),
      ),
    )
  withRegistry(
    models.command('roll-back').description('Let the model serve again that served before the present one'),
  ).action(reportFailure((options: ModelsArguments) => runModelsRollBack(options, systemTerminal())))
}

function addParity(program: Command): void {
  describeParity(withLog(program.command('parity')), reportFailure, systemTerminal)
}

function addExperiments(program: Command): void {
  addExperimentCommands(program, { withLog, guard: reportFailure, terminal: systemTerminal })
}

function addConnectors(program: Command): void {
  addConnectorCommands(program, reportFailure, systemTerminal)
}

function addKeys(program: Command): void {
  addKeyCommands(program, reportFailure, systemTerminal)
}

/** Adds the options that select the log: Kafka or a data folder. */
function withLog(command: Command): Command {
  return withKafka(command).option('--data <folder>', 'or the data folder of a stopped `freshet dev`')
}

/** Adds the options that select dead letters. */
function withFilter(command: Command): Command {
  return command
    .option('--topic <name>', 'only dead letters of this topic')
    .option('--code <code>', 'only dead letters with this error code')
    .option('--since <time>', 'only dead letters since this time, e.g. 2026-01-31T08:00:00Z')
    .option('--key <key>', 'only dead letters with this key')
}

/** Wraps a command so that its failure prints one line and sets the exit code. */
function reportFailure<Arguments extends readonly unknown[]>(
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
