import { AppError, errorCatalog, toErrorOutcome } from './domain/errors.ts'
import { alarmsCommand, curateCommand } from './cli/alarm-commands.ts'
import { backbonesCommand } from './cli/backbone-commands.ts'
import { fingerprintCommand } from './cli/fingerprint-command.ts'
import { checkOriginalsCommand, deliveriesCommand, mappingsCommand } from './cli/delivery-commands.ts'
import { checkCommand, importCommand } from './cli/import-command.ts'
import { helpText, parseCommandLine, type CliOptions } from './cli/options.ts'
import { verdictSentence } from './compute/device/verdict.ts'
import { createOutput, type CliOutput } from './cli/output.ts'
import { reidentifyCommand } from './cli/reidentify-command.ts'
import { evaluateCommand, exportCommand, predictCommand, trainCommand } from './cli/run-commands.ts'
import { defaultStoreFile } from './jobs/places.ts'
import { storeBackendChoice, workspaceOptionsFromEnvironment } from './jobs/environment.ts'
import { openWorkspace, type Workspace } from './jobs/workspace.ts'

/** Entry of the headless twin: the same jobs and the same store as the app, from a terminal or a cluster job. */

const exitUsage = 2
const exitRefused = 3
const exitMachine = 4
const machineCodes = /^(ENGINE_|COMPUTE_|STORE_DISK_FULL|STORE_CORRUPT|EXPORT_)/

let interrupt: (() => void) | null = null
const onInterrupt = (cancel: () => void) => (interrupt = cancel)
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // The first signal ends the job in good order; a second one means it.
    if (!interrupt) process.exit(130)
    interrupt()
    interrupt = null
  })
}

async function runCommand(command: string, action: string, options: CliOptions, output: CliOutput, workspace: Workspace): Promise<void> {
  switch (command) {
    case 'import': return importCommand(workspace, options, output, onInterrupt)
    case 'reidentify': return reidentifyCommand(workspace, action, options, output)
    case 'check-originals': return checkOriginalsCommand(workspace, options, output, onInterrupt)
    case 'deliveries': return deliveriesCommand(workspace, action, options, output)
    case 'mappings': return mappingsCommand(workspace, action, options, output)
    case 'check': return checkCommand(workspace, options, output)
    case 'fingerprint': return fingerprintCommand(workspace, options, output, onInterrupt)
    case 'alarms': return alarmsCommand(workspace, options, output, onInterrupt)
    case 'curate': return curateCommand(workspace, action, options, output, onInterrupt)
    case 'backbones': return backbonesCommand(workspace, action, options, output, onInterrupt)
    case 'train': return trainCommand(workspace, options, output, onInterrupt)
    case 'evaluate': return evaluateCommand(workspace, options, output)
    case 'predict': return predictCommand(workspace, options, output)
    case 'export': return exportCommand(workspace, options, output)
    case 'cohorts': {
      const cohorts = workspace.store.cohorts.list()
      return output.result(cohorts, cohorts.map((cohort) => `${cohort.cohortId}  ${cohort.name}  ${cohort.status}  ${cohort.patientCount} patients, ${cohort.studyCount} studies`).join('\n') || 'No cohorts yet.')
    }
    case 'runs': {
      const runs = workspace.store.runs.list()
      return output.result(runs, runs.map((run) => `${run.runId}  ${run.name}  ${run.status}  cohort "${run.cohortName}"`).join('\n') || 'No runs yet.')
    }
    case 'audit': {
      const verdict = workspace.store.audit.verify()
      if (!verdict.isIntact) process.exitCode = exitRefused
      return output.result(verdict, verdict.isIntact ? `The audit log is intact (${verdict.entryCount} entries).` : `The audit log was changed at entry ${verdict.brokenAt}: ${verdict.reason}`)
    }
    case 'device': {
      if (options.use !== undefined) return output.result({ choice: storeBackendChoice(workspace.paths.storeFile, options.use) }, `From the next start on this database computes with: ${options.use}.`)
      const verdict = await workspace.compute.run('device:verdict', { weightsDir: workspace.paths.weightsDir })
      return output.result(verdict, verdict ? verdictSentence(verdict) : '')
    }
    default: throw new AppError('CLI_USAGE', `There is no command "${command}".`)
  }
}

async function main(): Promise<void> {
  let isJson = process.argv.includes('--json')
  let workspace: Workspace | null = null
  try {
    const { command, action, options } = parseCommandLine(process.argv.slice(2))
    isJson = options.json === true
    const output = createOutput(isJson)
    if (command === 'help') return output.result({ help: helpText }, helpText)
    workspace = openWorkspace(workspaceOptionsFromEnvironment(options.store ?? defaultStoreFile(), (line) => process.stderr.write(`${line}\n`)))
    await runCommand(command, action, options, output, workspace)
  } catch (error) {
    const outcome = toErrorOutcome(error, 'ENGINE_CRASHED')
    if (isJson) process.stdout.write(`${JSON.stringify({ error: outcome })}\n`)
    process.stderr.write(`\n${outcome.code}: ${outcome.message}\n${errorCatalog[outcome.code].fix}\n`)
    process.exitCode = outcome.code === 'CLI_USAGE' ? exitUsage : machineCodes.test(outcome.code) ? exitMachine : exitRefused
  } finally {
    workspace?.close()
  }
}

await main()
