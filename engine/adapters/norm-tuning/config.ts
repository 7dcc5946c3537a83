/** Settings of norm tuning with their sources stand in the domain, where runs keep them. */
export { ownWeightsSettingsSchema as normTuningConfigSchema, type OwnWeightsSettings as NormTuningConfig } from '../../domain/method-settings.ts'
