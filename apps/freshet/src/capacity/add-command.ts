import type { Command } from 'commander'
import type { Terminal } from '../operations/terminal.ts'
import type { CapacityArguments } from './command.ts'

/** Wraps a command so that its failure prints one line. */
type Guard = <Arguments extends readonly unknown[]>(
  run: (...given: Arguments) => Promise<void>,
) => (...given: Arguments) => Promise<void>

/** Adds `freshet capacity`. */
export function addCapacityCommand(program: Command, guard: Guard, terminal: () => Terminal): void {
  program
    .command('capacity')
    .description('Estimate partitions, pods, memory, Redis, Kafka and cost for a number of users, events and pins')
    .requiredOption('--users <n>', 'users whose state is kept, such as 1e6')
    .requiredOption('--events <n>', 'mean events a second')
    .requiredOption('--pins <n>', 'pins of the catalogue')
    .option('--feeds <n>', 'mean feeds a second; default: a tenth of the events')
    .option('--peak <n>', 'peak divided by mean', '3')
    .option('--copies <n>', 'copies of each topic', '3')
    .option('--retention-days <n>', 'days that the log keeps events', '30')
    .option('--served-days <n>', 'days that the log keeps served feeds (topics.retention); default: as events')
    .option('--core-price <usd>', 'price of a core for a month')
    .option('--memory-price <usd>', 'price of a GiB of memory for a month')
    .option('--disk-price <usd>', 'price of a GiB of disk for a month')
    .option('--sources', 'list every number that the estimate is made of')
    .option('--json', 'print JSON')
    .action(guard(async (given: CapacityArguments) => (await import('./command.ts')).runCapacity(given, terminal())))
}
