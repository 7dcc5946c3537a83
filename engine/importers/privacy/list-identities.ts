import { AppError } from '../../domain/errors.ts'
import type { JobContext, JobRequest, JobResult } from '../../protocol.ts'
import { createIssueCollector } from '../issues.ts'
import { loadCohort } from '../load-cohort.ts'

/**
 * Which patient ID became which pseudonym, read from the source again since nothing of it is stored.
 * @throws AppError IMPORT_SOURCE_CHANGED when the table is not the one that was imported
 */
export async function listIdentities(request: JobRequest<'import:identities'>, context: JobContext): Promise<JobResult<'import:identities'>> {
  const cohort = await loadCohort(request, createIssueCollector(), context)
  if (request.tableSha256 !== null && request.tableSha256 !== cohort.tableSha256) throw new AppError('IMPORT_SOURCE_CHANGED', 'The table was changed since the import.')
  const idOfKey = new Map(cohort.studies.map(({ patientKey, patientId }) => [patientKey, patientId]))
  return { pairs: [...idOfKey].map(([patientKey, patientId]) => ({ patientKey, patientId })) }
}
