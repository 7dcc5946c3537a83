import { isPerEye, odirMapping } from './odir.ts'
import type { Profile } from './profile.ts'

/**
 * The ODIR-5K table that circulates on Kaggle (full_df.csv): one row for each eye. N..O are labels of the patient, while
 * `labels` and `target` are labels of that eye alone and `filepath` leads nowhere; both rows of a patient name both files.
 */
export const odirPerEyeProfile: Profile = (facts) => {
  const mapping = isPerEye(facts) ? odirMapping(facts, 'odir-per-eye') : null
  if (!mapping) return null
  return {
    mapping, isRecognised: true,
    explanation: 'This is the ODIR-5K table with one row for each eye; the rows of a patient are joined. The columns N to O label the patient and are used; "labels" and "target" label a single eye and are passed over. The keywords spell out the labels.',
  }
}
