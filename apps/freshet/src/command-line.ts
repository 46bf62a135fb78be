import { Command } from 'commander'
import { runDev } from './dev/command.ts'
import { runEvaluate, type EvaluateArguments } from './evaluation/command.ts'
import { reportAndExit } from './failure.ts'
import { runTopicsApply } from './topics.ts'

/** The command line. Each command's failure is one clear line and an exit code. */
export function commandLine(): Command {
  const program = new Command('freshet')
    .description('An event-driven streaming recommender for home feeds')
    .version('0.1.0')
    .showHelpAfterError()

  program
    .command('dev')
    .description('Runs everything in this process on an embedded store; `freshet dev --help` lists its settings')
    .allowUnknownOption()
    .helpOption(false)
    .argument('[settings...]')
    .action(guarded((settings: string[]) => runDev(settings)))

  const topics = program.command('topics').description('The topics in Kafka')
  topics
    .command('apply')
    .description('Creates what is missing and sets retention; doing it twice changes nothing')
    .requiredOption('--brokers <list>', 'host:port of some brokers, separated by commas')
    .option('--partitions <n>', 'partitions of every topic; cannot be changed later', '32')
    .option('--replication-factor <n>', 'copies of each partition; three, or as many as there are brokers')
    .action(guarded(runTopicsApply))

  program
    .command('evaluate')
    .description('Replays recordings, asks their questions, prints the figures')
    .argument('<recordings...>', 'files of JSON lines (.jsonl, .jsonl.gz)')
    .option('--ask <what>', 'candidates, source:NAME, feed or related', 'feed')
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
    .action(guarded((recordings: string[], options: EvaluateArguments) => runEvaluate(recordings, options)))

  return program
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
