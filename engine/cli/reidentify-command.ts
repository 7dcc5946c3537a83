import { AppError } from '../domain/errors.ts'
import { readReidentification, writeReidentification } from '../jobs/reidentify.ts'
import type { Workspace } from '../jobs/workspace.ts'
import { cohortNamed } from './import-command.ts'
import { required, type CliOptions } from './options.ts'
import type { CliOutput } from './output.ts'

/** The passphrase comes from the environment: a command line is seen by every user of the machine and kept in its history. */
function passphraseFromEnvironment(): string {
  const passphrase = process.env.LACUNA_PASSPHRASE
  if (passphrase === undefined || passphrase === '') throw new AppError('CLI_USAGE', 'Set the passphrase in the environment variable LACUNA_PASSPHRASE.')
  return passphrase
}

/** `lacuna reidentify export|lookup`: the encrypted list of hospital numbers and pseudonyms, made from the source once more. */
export async function reidentifyCommand(workspace: Workspace, action: string, options: CliOptions, output: CliOutput): Promise<void> {
  if (action === 'export') {
    const { cohortId } = cohortNamed(workspace, required(options, 'cohort'))
    const file = required(options, 'out')
    const passphrase = passphraseFromEnvironment()
    const { source, mapping, tableSha256 } = workspace.store.cohorts.importRequest(cohortId)
    const listed = await workspace.files.run('import:identities', { source, mapping, pseudonymKey: workspace.pseudonymKey, tableSha256 })
    if (!listed) throw new AppError('ENGINE_UNAVAILABLE', 'The table could not be read because the engine stopped.')
    writeReidentification(file, passphrase, listed.pairs)
    workspace.store.audit.append('reidentification.exported', { cohortId, patients: listed.pairs.length })
    return output.result({ patients: listed.pairs.length }, `${listed.pairs.length} patients written, encrypted. Keep this file away from the database.`)
  }
  if (action === 'lookup') {
    const key = required(options, 'patient')
    const pair = readReidentification(required(options, 'from'), passphraseFromEnvironment()).find(({ patientKey, patientId }) => patientKey === key || patientId === key)
    if (!pair) throw new AppError('STORE_NOT_FOUND', 'The file holds no such patient.')
    workspace.store.audit.append('reidentification.looked-up', { patientKey: pair.patientKey })
    return output.result(pair, `${pair.patientKey}  ${pair.patientId}`)
  }
  throw new AppError('CLI_USAGE', 'Say "reidentify export" or "reidentify lookup".')
}
