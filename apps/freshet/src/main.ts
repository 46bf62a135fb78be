import { reportAndExit } from './failure.ts'

/** The commands that run services; they have settings instead of options. Loading the others takes half a second. */
const services = {
  dev: async (settings: readonly string[]) => (await import('./dev/command.ts')).runDev(settings),
  console: async (settings: readonly string[]) => (await import('./console/command.ts')).runConsole(settings),
}

const [command = '', ...settings] = process.argv.slice(2)
if (command === 'dev' || command === 'console') await services[command](settings).catch(reportAndExit)
else {
  const { createCommandLine } = await import('./command-line.ts')
  await createCommandLine().parseAsync(process.argv)
}
